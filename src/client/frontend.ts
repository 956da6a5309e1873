/**
 * What stands between a session and the client's user.
 *
 * @module
 */

import type { Actions } from "./actions.ts";
import type { TypedView } from "./view.ts";

/** Does what a line asks for. @returns The text to say, null for none. */
export type Interpret = (line: string) => Promise<string | null>;

/** A view, and what is made of the lines that are typed there. */
export interface Frontend {
  /** What shows news. */
  readonly view: TypedView;
  /** Whether a person reads and types at a terminal. */
  readonly isInteractive: boolean;
  /** Gives what the lines are interpreted with. */
  readonly interpreter: (actions: Actions) => Interpret;
  /** The signals at which the client leaves. */
  readonly signals: readonly Deno.Signal[];
  /** Rejects when what is shown can't be shown any more. */
  readonly failed: Promise<never>;
  /** Resolves when a person has ended the input, whatever is still being done of it. */
  readonly ended: Promise<void>;
  /** To be called at the end. */
  readonly close: () => Promise<void>;
}

/** For what never happens. */
export const NEVER = new Promise<never>(() => {});
