/**
 * The cards of those to whom, and from whom, private messages go. Here they are asked of the server, and checked: in an
 * open room it is trusted with who goes by which name, and with nothing else.
 *
 * @module
 */

import { fromBase64url } from "../../../crypto_utils.ts";
import { type Card, checkCard, readCard } from "../../crypto/identity.ts";
import { fullId, parseShortId, shortId } from "../../crypto/person_id.ts";
import type { Event } from "../../protocol/events.ts";
import { parseName } from "../../protocol/names.ts";

/** Somebody's card. */
export interface Holder {
  /** The name that the person goes by, or went by last; empty for none. */
  readonly name: string;
  /** The full id of the person. */
  readonly id: string;
  /** The card, whose signature is right. */
  readonly card: Card;
}

/** Where cards come from: the server in an open room, the roster in a sealed one. */
export interface Cards {
  /**
   * Somebody by a name or a short id, here or away; undefined for nobody, "wrong" where what comes is no card of that
   * id's.
   */
  find(who: string): Promise<Holder | "wrong" | undefined>;
  /** The same by a short id alone, and also one who is no member any more, of whom an earlier message may still come. */
  everFind(person: string): Promise<Holder | "wrong" | undefined>;
}

/** What is asked of a server. */
type Ask = (request: Event<"look">) => void;
/** What a server answers. */
export type CardAnswer = Event<"card" | "nobody">;

/** The cards that a server knows, over one connection. */
export class ServerCards implements Cards {
  #ask: Ask;
  readonly #known = new Map<string, Promise<Holder | "wrong" | undefined>>(); // by short id
  readonly #asked = new Map<number, (answer: CardAnswer | undefined) => void>();
  #last = 0;

  /** None so far. @param ask Asks the server. */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Somebody by a name or a short id. */
  find(who: string): Promise<Holder | "wrong" | undefined> {
    const short = parseShortId(who);
    if (short === undefined) return this.#look(who);
    const known = this.#known.get(short);
    if (known) return known;
    const found = this.#look(short);
    this.#known.set(short, found);
    return found;
  }

  /** The same: the server knows all who ever came. */
  everFind(person: string): Promise<Holder | "wrong" | undefined> {
    return this.find(person);
  }

  /** The server has answered. */
  heard(answer: CardAnswer): void {
    this.#asked.get(answer.id)?.(answer);
    this.#asked.delete(answer.id);
  }

  /** The connection is gone: what was asked has no answer, nor what is asked from here on. */
  close(): void {
    this.#ask = () => this.close();
    for (const answer of this.#asked.values()) answer(undefined);
    this.#asked.clear();
  }

  async #look(who: string): Promise<Holder | "wrong" | undefined> {
    const id = ++this.#last;
    const answer = await new Promise<CardAnswer | undefined>((resolve) => {
      this.#asked.set(id, resolve);
      this.#ask({ kind: "look", id, who });
    });
    if (answer?.kind !== "card") return undefined;
    const holder = await checked(answer);
    const wanted = parseShortId(who);
    const isOther = wanted !== undefined && holder !== undefined &&
      shortId(holder.id) !== wanted;
    return holder === undefined || isOther ? "wrong" : holder;
  }
}

/** Whose card it is; undefined for one that nobody has signed. */
async function checked(
  { name, card: text }: Event<"card">,
): Promise<Holder | undefined> {
  try {
    const bytes = fromBase64url(text);
    await checkCard(bytes);
    const card = readCard(bytes);
    const parsed = parseName(name);
    const shown = typeof parsed === "string" ? "" : parsed.shown;
    return { name: shown, id: fullId(card.id), card };
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return;
    throw error;
  }
}
