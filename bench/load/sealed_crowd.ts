/**
 * What the members of a load need in a sealed room: the first founds it and makes an invite, by which the others become
 * members. Each follows the control lines, as a client does, but doesn't check them.
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import {
  generateSigningKeyPair,
  type SigningKeyPair,
} from "../../src/crypto/ed25519.ts";
import {
  type Identity,
  identityOf,
  readCard,
} from "../../src/crypto/identity.ts";
import { fullId } from "../../src/crypto/person_id.ts";
import { admissionKey } from "../../src/keys/invite.ts";
import type { Event } from "../../src/protocol/events.ts";
import {
  commitment,
  freshContentKey,
  sealBlob,
  sealWrap,
} from "../../src/sealed/content_key.ts";
import { roomId, signControl } from "../../src/sealed/control_line.ts";
import { SEALED_INVITE } from "../../src/sealed/membership.ts";
import { lineCipher, sealLine } from "../../src/sealed/sealed_line.ts";
import { textOf } from "./opener.ts";

/** The number of the invite by which all but the first come. */
const INVITE = SEALED_INVITE + 1;
/** How many that lets in: as many as an invite may. */
const USES = 10_000;

/** A member that says what the room needs before it joins. */
export interface SealedKeys {
  /** In base64url. */
  readonly card: string;
  /** What it signs with. */
  readonly signing: SigningKeyPair;
}

/** A sealed room for a load. */
export class SealedCrowd {
  /** By which invite the others come. */
  readonly inviteId: number = INVITE;
  /** What that proves, 32 bytes. */
  readonly inviteKey: Bytes;
  readonly #secret: Bytes;
  readonly #invite: Identity;
  readonly #key: Bytes = freshContentKey();
  #room: Bytes = new Uint8Array(KEY_SIZE);
  #text = "";

  private constructor(secret: Bytes, invite: Identity) {
    this.#secret = secret;
    this.#invite = invite;
    this.inviteKey = admissionKey(secret);
  }

  /** A room that isn't founded yet. */
  static async create(): Promise<SealedCrowd> {
    const secret = randomBytes(KEY_SIZE);
    return new SealedCrowd(secret, await identityOf(secret));
  }

  /** What a member says before it joins under a name; the first one founds the room. */
  async entering(
    { card, signing }: SealedKeys,
    name: string,
    isFirst: boolean,
  ): Promise<Event[]> {
    const { id, sealKey } = readCard(fromBase64url(card));
    const random = toBase64url(randomBytes(KEY_SIZE));
    if (isFirst) this.#room = roomId(random, id);
    const place = { room: this.#room, e: 0 };
    const data = await sealWrap(
      { ...place, by: id, to: id },
      this.#key,
      sealKey,
    );
    const commit = commitment(place, this.#key);
    const text = await (isFirst
      ? signControl(
        { verb: "found", count: 1, random, card, name, commit },
        this.#room,
        signing,
      )
      : signControl(
        { verb: "join", count: 1, invite: INVITE, card, name },
        this.#room,
        signing,
        this.#invite.signing,
      ));
    return [
      { kind: "follow", after: 0 },
      { kind: "wrap", to: fullId(id), e: 0, next: false, data },
      { kind: "enter", text },
    ];
  }

  /** What the first says once it is in, so that the others can come. */
  async inviting({ card, signing }: SealedKeys): Promise<Event[]> {
    const { id } = readCard(fromBase64url(card));
    const { id: to, card: inviteCard } = this.#invite;
    const { sealKey } = readCard(inviteCard);
    const wrapping = { room: this.#room, e: 0, by: id, to };
    const digest = new Uint8Array(KEY_SIZE); // nobody looks at it here
    const anchor = { room: this.#room, seq: 1, digest };
    const said = { verb: "invite", count: 2, invite: INVITE } as const;
    const text = await signControl(
      { ...said, card: toBase64url(inviteCard), uses: USES, until: null },
      this.#room,
      signing,
    );
    return [
      {
        kind: "admit",
        invite: INVITE,
        key: toBase64url(this.inviteKey),
        blob: await sealBlob(anchor, this.#secret),
      },
      {
        kind: "wrap",
        to: fullId(to),
        e: 0,
        next: false,
        data: await sealWrap(wrapping, this.#key, sealKey),
      },
      { kind: "rule", id: 1, text },
    ];
  }

  /**
   * A message as it is sealed. All are the same: the server can't tell, and who opens records here doesn't open what is in
   * them. Sealing each would be the load's work, not the server's.
   */
  async text(): Promise<string> {
    if (this.#text !== "") return this.#text;
    const sender = randomBytes(KEY_SIZE);
    const place = {
      room: this.#room,
      e: 0,
      sender,
      stay: randomBytes(8),
      n: 1,
    };
    const cipher = await lineCipher(this.#key, place);
    const words = { what: "said", to: null, text: textOf(1) } as const;
    const seen = { seq: 0, value: new Uint8Array(KEY_SIZE) };
    const signing = await generateSigningKeyPair();
    this.#text = await sealLine(words, place, seen, cipher, signing);
    return this.#text;
  }
}
