/**
 * Persons for tests: real identities, and made-up ones where nobody looks at their keys.
 *
 * @module
 */

import {
  type Bytes,
  KEY_SIZE,
  randomBytes,
  sha256,
  toBase64url,
} from "../../crypto_utils.ts";
import { type Identity, identityOf } from "../../src/crypto/identity.ts";
import { fullId, shortId } from "../../src/crypto/person_id.ts";
import { ROOM_INVITE_ID } from "../../src/keys/invite.ts";
import type { Event } from "../../src/protocol/events.ts";
import { People } from "../../src/server/people/people.ts";
import type { Candidate } from "../../src/server/people/person.ts";
import { Folder } from "./folder.ts";

/** A new identity. */
export function newIdentity(): Promise<Identity> {
  return identityOf(randomBytes(KEY_SIZE));
}

/** A new stay. */
export function newStay(): string {
  return toBase64url(randomBytes(8));
}

/** The full id of somebody made up, by a word. */
export function madeUpId(word: string): string {
  return fullId(sha256(new TextEncoder().encode(word)));
}

/** The short id of somebody made up, by a word. */
export function madeUpPerson(word: string): string {
  return shortId(madeUpId(word));
}

/** The stay of somebody made up, by a word. */
export function madeUpStay(word: string): string {
  return toBase64url(sha256(new TextEncoder().encode(word)).subarray(0, 8));
}

/** Somebody made up who comes by the standing link. */
export function madeUp(word: string): Candidate {
  const id = madeUpId(word);
  return { id, key: id, card: "", invite: ROOM_INVITE_ID };
}

/** The people in a file, of a room with a standing link. @param secret The link's, 32 bytes. */
export function openPeople(
  path: string,
  secret: Bytes = randomBytes(KEY_SIZE),
): People {
  const people = People.open(path);
  people.access.link.set(secret);
  return people;
}

/** How an identity asks to be let in. */
export function joinEvent(
  identity: Identity,
  name: string,
  { n = 0, after = null, stay = newStay() }: Partial<Event<"join">> = {},
): Event<"join"> {
  const card = toBase64url(identity.card);
  return { kind: "join", name, stay, n, after, card };
}

/** Another machine of a person: a folder for its own files, with the same identity. */
export async function anotherMachine(first: Folder): Promise<Folder> {
  const folder = await Folder.make();
  const identities = ".config/encrypted-chat/identities";
  await Deno.mkdir(folder.file(identities), { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(first.file(identities))) {
    const path = `${identities}/${name}`;
    await Deno.copyFile(first.file(path), folder.file(path));
    await Deno.chmod(folder.file(path), 0o600);
  }
  return folder;
}
