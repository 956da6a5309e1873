/**
 * What is being typed, and what becomes of it: a message to all, an answer, other words, a private message, a command.
 *
 * @module
 */

import { batch, computed, signal } from "@preact/signals";
import type { PageActions } from "../../stage.ts";
import type { RoomModel } from "../../room_model.ts";
import type { Watched } from "../../watched.ts";
import type { Message, Pending } from "../../rows.ts";
import type { Somebody } from "../../../client/person.ts";
import { MAX_TEXT_SIZE, textRefusal } from "../../../protocol/reasons.ts";

/** What is typed for. */
export type Purpose =
  | { readonly kind: "say" }
  | { readonly kind: "reply"; readonly to: Message }
  | { readonly kind: "edit"; readonly message: Message }
  | { readonly kind: "private"; readonly to: Somebody };

/** Where a draft is kept while the page is reloaded. */
export interface DraftPlace {
  /** The text. */
  draft: string;
}

/** What the box asks of the session. */
export type BoxActions = Pick<
  PageActions,
  "say" | "reply" | "edit" | "write" | "run" | "lastOwn" | "sendFile"
>;

const SAY: Purpose = { kind: "say" };
/** From this length on it is told how much there is, bytes. */
const NEARLY_FULL = MAX_TEXT_SIZE * 0.8;

const encoder = new TextEncoder();

/** The box in which messages are typed. */
export class MessageBox {
  /** What is in it. */
  readonly text: Watched<string>;
  /** What it is for. */
  readonly purpose: Watched<Purpose> = signal(SAY);
  /** Files that are offered with the next message. */
  readonly files: Watched<readonly File[]> = signal([]);
  /** Counts up whenever the box is to be focused, with the caret at the end. */
  readonly summons: Watched<number> = signal(0);
  /** How long the text is, bytes of UTF-8, once that matters; else 0. */
  readonly size: Watched<number> = computed(() => sizeOf(this.text.value));

  readonly #room: RoomModel;
  readonly #actions: BoxActions;
  readonly #place: DraftPlace;
  #kept = ""; // what was typed before an edit began

  /** Begins with the draft of before. */
  constructor(room: RoomModel, actions: BoxActions, place: DraftPlace) {
    this.#room = room;
    this.#actions = actions;
    this.#place = place;
    this.text = signal(place.draft);
  }

  /** Something was typed. */
  type(text: string): void {
    this.text.value = text;
    if (this.purpose.value.kind !== "edit") this.#place.draft = text;
  }

  /** Has files stand there, to be offered when the message is sent. */
  attach(files: Iterable<File>): void {
    this.files.value = [...this.files.value, ...files];
    this.focus();
  }

  /** Takes a file away again. */
  detach(file: File): void {
    this.files.value = this.files.value.filter((it) => it !== file);
    this.focus();
  }

  /** Whether there is anything that can be sent. */
  get isReady(): boolean {
    const { kind } = this.purpose.value;
    const hasFiles = kind !== "private" && kind !== "edit" &&
      this.files.value.length > 0;
    const refusal = textRefusal(this.text.value);
    return refusal === undefined || hasFiles && refusal === "text-empty";
  }

  /** Has the caret go to its end. */
  focus(): void {
    this.summons.value++;
  }

  /** Has a text stand in it, to go on with. */
  compose(text: string): void {
    this.cancel();
    this.type(text);
    this.focus();
  }

  /** Answers a message. */
  reply(to: Message): void {
    this.#begin({ kind: "reply", to });
  }

  /** Writes to somebody alone. */
  write(to: Somebody): void {
    this.#begin({ kind: "private", to });
  }

  /** Gives a message other words. */
  edit(message: Message): void {
    if (this.purpose.value.kind !== "edit") this.#kept = this.text.value;
    batch(() => {
      this.purpose.value = { kind: "edit", message };
      this.text.value = message.text;
    });
    this.focus();
  }

  /** Edits what this person said last. @returns Whether there is such a message here. */
  editLast(): boolean {
    const last = this.#actions.lastOwn();
    const message = typeof last === "number"
      ? this.#room.message(last)
      : undefined;
    if (!message || message.offer) return false;
    this.edit(message);
    return true;
  }

  /** Types for all again. @returns Whether that is something else than before. */
  cancel(): boolean {
    const { kind } = this.purpose.value;
    if (kind === "say") return false;
    batch(() => {
      if (kind === "edit") this.text.value = this.#kept;
      this.purpose.value = SAY;
    });
    return true;
  }

  /** Takes back a line that was refused, to be typed again. */
  retry({ text, to, whom }: Pending): void {
    this.compose(text);
    const message = to === null ? undefined : this.#room.message(to);
    if (whom) this.write(whom);
    else if (message) this.reply(message);
  }

  /** Sends what is typed. @returns Whether there was anything that could be sent. */
  submit(): boolean {
    if (!this.isReady) return false;
    const text = this.text.value;
    const { kind } = this.purpose.value;
    if (!textRefusal(text)) this.#send(text);
    const wasEdit = kind === "edit";
    if (!wasEdit && kind !== "private") this.#offerFiles();
    batch(() => {
      this.purpose.value = SAY;
      this.text.value = wasEdit ? this.#kept : "";
    });
    this.#place.draft = this.text.value;
    return true;
  }

  #send(text: string): void {
    const purpose = this.purpose.value;
    switch (purpose.kind) {
      case "edit":
        if (text === purpose.message.text) return;
        return void this.#actions.edit(purpose.message.seq, text);
      case "private": {
        const { to } = purpose;
        const id = this.#room.sending(text, null, to);
        return void this.#actions.write(to.person, text, id);
      }
      case "reply": {
        const { seq } = purpose.to;
        const id = this.#room.sending(text, seq);
        return void this.#actions.reply(seq, text, id);
      }
      case "say":
        return this.#say(text);
    }
  }

  #offerFiles(): void {
    const files = this.files.value;
    this.files.value = [];
    for (const file of files) void this.#actions.sendFile(file);
  }

  /** A line that begins with a slash may be a command. */
  #say(text: string): void {
    if (text.startsWith("/")) return void this.#actions.run(text);
    void this.#actions.say(text, this.#room.sending(text));
  }

  #begin(purpose: Purpose): void {
    this.cancel();
    this.purpose.value = purpose;
    this.focus();
  }
}

/** The length of a text, bytes of UTF-8; 0 while it is far from too long. */
function sizeOf(text: string): number {
  if (text.length * 3 < NEARLY_FULL) return 0; // three bytes a unit are the most
  const size = encoder.encode(text).length;
  return size < NEARLY_FULL ? 0 : size;
}
