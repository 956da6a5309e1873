/**
 * Messages between the servers of a room that have no place in its order: who lives, pieces of files, what a newcomer
 * lacks.
 *
 * @module
 */

/** What a message says: JSON. */
export type Message = Readonly<Record<string, unknown>>;

/** The other servers of a room. Every message is sealed under keys that only they have. */
export interface Siblings {
  /** This server's own id. */
  readonly own: string;
  /** Tells another server something, or all others; it may get lost. @param to A server's id. Default: all. */
  tell(topic: string, message: Message, to?: string): void;
  /**
   * Asks another server, or all others. @param to A server's id. Default: all.
   * @returns The first answer, undefined where none comes in `time` ms.
   */
  ask(
    topic: string,
    message: Message,
    options: { readonly time: number; readonly to?: string },
  ): Promise<{ readonly from: string; readonly message: Message } | undefined>;
  /** Hears messages of a topic. @param heard Gives the answer, where one is wanted; undefined: another may know it. */
  hear(
    topic: string,
    heard: (
      message: Message,
      from: string,
    ) => Promise<Message | undefined> | Message | undefined,
  ): void;
}
