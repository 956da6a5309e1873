/**
 * The front ends without a terminal: plain lines, and JSON for programs.
 *
 * @module
 */

import { type Frontend, NEVER } from "../frontend.ts";
import { canAsk } from "../terminal_questions.ts";
import { JsonView } from "./json_view.ts";
import { ownPipes } from "./own_pipes.ts";
import { PlainView } from "./plain_view.ts";
import { interpretRequest, type RequestContext } from "./requests.ts";

/** On a pipe SIGHUP stays as it is, so that nohup can have it ignored. */
const PIPE_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** For a program: every line is a request, or a text. */
export function jsonFrontend(): Frontend {
  const view = new JsonView(ownPipes());
  return {
    view,
    isInteractive: false,
    interpreter: (actions) => {
      const context: RequestContext = {
        ...actions,
        ignored: view.ignored,
        members: (present, keepers, id) => view.members(present, keepers, id),
        digits: (name, verification, id) => view.digits(name, verification, id),
        ignoring: (members, id) => view.ignoring(members, id),
        error: (message, about) => view.error(message, about),
      };
      return (line) => interpretRequest(line, context);
    },
    signals: PIPE_SIGNALS,
    failed: view.failed,
    ended: NEVER,
    close: () => Promise.resolve(view.close()),
  };
}

/** For a pipe: every line is a text. */
export function plainFrontend(): Frontend {
  const view = new PlainView({
    ...ownPipes(),
    isTyped: canAsk(),
    isWatched: Deno.stderr.isTerminal(),
  });
  return {
    view,
    isInteractive: false,
    interpreter: () => (line) => Promise.resolve(line),
    signals: PIPE_SIGNALS,
    failed: view.failed,
    ended: NEVER,
    close: () => Promise.resolve(view.close()),
  };
}
