/**
 * A short stay of somebody in a room, and what its client says of the log meanwhile.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { type ClientOptions, JsonClient } from "./client.ts";

/** What a client says of the log in a visit. */
export interface Visit {
  /** How often it warns that history differs. */
  readonly differs: number;
  /** What else it says of the log or its history. */
  readonly notes: string[];
}

/** Lets somebody in for a moment, who says "here". */
export async function visit(options: ClientOptions): Promise<Visit> {
  await using client = await JsonClient.join(options);
  await client.type(JSON.stringify({ type: "say", text: "here", id: 1 }));
  await client.shows("said", { id: 1 });
  await client.type(JSON.stringify({ type: "quit" }));
  assertEquals(await client.finished(), 0);
  const notes = client.all("note").map(({ text = "" }) => text)
    .filter((text) => /histor|log/.test(text));
  return { differs: client.all("history-differs").length, notes };
}
