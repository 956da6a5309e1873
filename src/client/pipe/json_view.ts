/**
 * The view for programs: JSON lines, as `schema/json-lines.schema.json` describes them field by field.
 *
 * Output rules: everything goes to stdout, one object a line, each with `"v": 1`. Fields and types may be added
 * under the same version; what is there stays and means the same. So its words are older than the program's:
 * "away" says that the connection is lost, "away-message" that somebody is away from the keyboard, and "key" is
 * the short id of a member's person.
 *
 * @module
 */

import type { Verification } from "../actions.ts";
import { Ignored } from "../ignored.ts";
import type { Somebody } from "../person.ts";
import { warningFields } from "../../sealed/warnings.ts";
import type { News, Present, RequestId } from "../view.ts";
import { unreadSentence } from "../sentences.ts";
import { type ErrorFields, errorLine } from "./error_line.ts";
import { PipeView } from "./pipe_view.ts";
import { REFUSALS, wording } from "../../protocol/reasons.ts";
import {
  iso,
  jsonObject,
  lineFields,
  named,
} from "../../protocol/told_line.ts";

/** JSON lines. Texts are as others wrote them, once the JSON is parsed. */
export class JsonView extends PipeView {
  /** Whom the program doesn't want to read. */
  readonly ignored: Ignored = new Ignored();

  /** Writes a piece of news, unless it comes from somebody who is ignored. */
  override show(all: News): void {
    const news = this.ignored.filter(all);
    if (news === null) return;
    const id = "id" in news ? news.id : undefined;
    this.#emit(typeOf(news), fieldsOf(news), id);
  }

  /** Writes an object of type `note`. */
  override note(text: string, id?: RequestId): void {
    this.#emit("note", { text }, id);
  }

  /** Writes an object of type `error`: a request that can't be done. */
  fail(message: string, id?: RequestId): void {
    this.error(message, { id });
  }

  /** Writes an object of type `waiting`: whether what is said waits at the server. */
  held(is: boolean): void {
    this.#emit("waiting", { is });
  }

  /** Writes an object of type `members`: who is in the room. */
  members(
    present: readonly Present[],
    keepers: readonly Somebody[] | undefined,
    id?: RequestId,
  ): void {
    const members = present.map((member) => ({
      ...named(member),
      since: iso(member.since),
      active: iso(member.active),
      away: member.away,
      connections: member.connections,
    }));
    const room = keepers
      ? { room: "sealed", keepers: keepers.map(named) }
      : { room: "open" };
    this.#emit("members", { ...room, members }, id);
  }

  /** Writes an object of type `digits`: what to compare with somebody, to be sure of each other. */
  digits(
    name: string,
    { digits, isVerified: verified }: Omit<Verification, "code">,
    id?: RequestId,
  ): void {
    this.#emit("digits", { name, digits, verified }, id);
  }

  /** Writes an object of type `ignored`: who is ignored. */
  ignoring(members: readonly Somebody[], id?: RequestId): void {
    this.#emit("ignored", { members: members.map(named) }, id);
  }

  /**
   * Writes an object of type `error`: something that this program was told, or tried, can't be done.
   * @param message One sentence, without a full stop.
   * @param about The line of the input that it is about, and what the request is called.
   */
  error(message: string, about: ErrorFields = {}): void {
    this.failedAny = true;
    this.print(errorLine(message, about));
  }

  #emit(
    type: string,
    fields: Record<string, unknown>,
    id?: RequestId,
  ): void {
    this.print(jsonObject(type, { id, ...fields })); // undefined is left out
  }
}

function typeOf({ type }: News): string {
  if (type === "invited") return "invite";
  // To a program, the client's own joining is a joining like any other, with more to it.
  if (type === "entered") return "joined";
  return type === "disconnected" ? "away" : type;
}

function fieldsOf(news: News): Record<string, unknown> {
  switch (news.type) {
    case "entered": {
      const { address, others, seq, earlier, again, waiting } = news;
      return {
        seq,
        at: iso(news.at),
        ...named(news),
        own: true,
        past: false,
        server: address,
        others,
        earlier,
        again,
        waiting,
      };
    }
    case "refused": {
      const { text, reason, detail } = news;
      return { text, reason, detail, message: wording(REFUSALS, reason) };
    }
    case "current":
      return {};
    case "lost":
      return { text: news.text };
    case "disconnected":
      return { reason: news.reason, seconds: news.seconds, next: news.next };
    case "file": {
      const { offer, name, size, got, state, path, reason } = news;
      const progress = { offer, file: name, size, got, state, path, reason };
      return state === "failed"
        ? { ...progress, again: news.again ?? true }
        : progress;
    }
    case "taken": {
      const { offer, file, own } = news;
      return { offer, file, ...named(news), own };
    }
    case "done":
      return {};
    case "warning":
      return warningFields(news);
    case "history-differs": {
      const { from, exact, untold } = news;
      return { from, exact, ...(untold ? { untold } : {}) };
    }
    case "agreement": {
      const { upTo: seq, digits } = news;
      return { seq, digits };
    }
    case "away-message": {
      const { own, text } = news;
      return { ...named(news), own, text };
    }
    case "private": {
      const { at, own, to, text, state } = news;
      const [toName, toKey] = [to.name, to.person];
      const fields = { at: iso(at), ...named(news), own, to: toName, toKey };
      return { ...fields, text, ...(state ? { state } : {}) };
    }
    case "private-unread": {
      const { own, reason } = news;
      return { ...named(news), own, reason, message: unreadSentence(news) };
    }
    case "invited": {
      const { link, web, uses, until, note } = news;
      const places = { link, ...(web === undefined ? {} : { web }) };
      return {
        ...places,
        uses,
        until: until === null ? null : iso(until),
        note,
      };
    }
    case "found": {
      const { words, more, backTo } = news;
      const lines = news.lines.map((line) => ({
        type: line.type,
        ...fieldsOf(line),
      }));
      return { words, more, backTo, lines };
    }
    default:
      return lineFields(news);
  }
}
