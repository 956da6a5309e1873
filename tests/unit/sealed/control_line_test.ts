/**
 * Control lines: a known answer made by other means, every field that is wrong, and signatures by others.
 *
 * @module
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  concat,
  deriveKey,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  type Control,
  keysDigest,
  MAX_NAMED,
  parseControl,
  roomId,
  signControl,
  type Verb,
  verifyControl,
} from "../../../src/sealed/control_line.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import { parsed, somebody } from "../../kit/sealed_room.ts";

const ana = await somebody("ana");
const ben = await somebody("ben");
const invite = await somebody("invite");
const room = randomBytes(32);
const digest = () => toBase64url(randomBytes(32));
const ID = digest();
const MAX = Number.MAX_SAFE_INTEGER;

const CONTROLS: { readonly [V in Verb]: Control<V> } = {
  found: {
    verb: "found",
    count: 1,
    random: digest(),
    card: ana.cardText,
    name: "ana",
    commit: digest(),
  },
  invite: {
    verb: "invite",
    count: 2,
    invite: 0x8000_0001,
    card: invite.cardText,
    uses: 1,
    until: 1_800_000_000_000,
  },
  join: {
    verb: "join",
    count: 1,
    invite: 0x8000_0001,
    card: ben.cardText,
    name: "ben",
  },
  rename: { verb: "rename", count: 3, name: "Ana" },
  keys: {
    verb: "keys",
    count: 4,
    e: 1,
    prev: digest(),
    seen: 7,
    digest: digest(),
    commit: digest(),
    back: toBase64url(randomBytes(48)),
    backTo: 0,
    made: [ID],
    removed: [],
    barred: [digest(), digest()],
    freed: [],
  },
  close: { verb: "close", count: MAX, invite: 0x8000_0001 },
};
const controls: readonly Control[] = Object.values(CONTROLS);

async function signed(control: Control): Promise<string> {
  const by = control.verb === "join" ? invite.signing : undefined;
  return await signControl(control, room, ana.signing, by);
}

/** A line of these words with signatures that have the right form. */
function unsigned(said: string, signatures = said.startsWith("join") ? 2 : 1) {
  return [said, ...Array(signatures).fill("A".repeat(86))].join(" ");
}

// ── There and back ─────────────────────────────────────────────────────────────────────────────────────

Deno.test("parseControl() reads back what signControl() makes, of each verb", async () => {
  for (const control of controls) {
    const text = await signed(control);
    const line = parsed(text);
    assertEquals(line.control, control);
    assertEquals(line.text, text);
    assert(text.startsWith(`${line.said} `));
    assertEquals(
      line.inviteSignature?.length,
      control.verb === "join" ? 64 : undefined,
    );
  }
  const endless: Control = { ...CONTROLS.invite, until: null };
  assertEquals(parsed(await signed(endless)).control, endless);
});

Deno.test("a control line is what its documentation says, signed by Ed25519", async () => {
  const { invite: number, card } = CONTROLS.join;
  const said =
    `join {"count":1,"invite":${number},"card":"${card}","name":"ben"}`;
  const sign = (label: string, name: string) => {
    const bytes = concat(
      utf8(`encrypted-chat/2\0${label}\0`),
      room,
      utf8(said),
    );
    const seed = deriveKey(sha256(utf8(name)) as Bytes, "sign");
    return toBase64url(ed25519.sign(bytes, seed));
  };
  assertEquals(
    await signed(CONTROLS.join),
    `${said} ${sign("rule", "ana")} ${sign("admission", "invite")}`,
  );
  const keys = (await signed(CONTROLS.keys)).split(" ", 2).join(" ");
  assertStringIncludes(
    keys,
    `keys {"count":4,"e":1,"prev":"${CONTROLS.keys.prev}","seen":7,"digest":"${CONTROLS.keys.digest}","commit":"`,
  );
  assertStringIncludes(
    keys,
    `,"backTo":0,"made":["${ID}"],"removed":[],"barred":["`,
  );
});

Deno.test("roomId() and keysDigest() are digests of their own", () => {
  const label = (name: string) => utf8(`encrypted-chat/2\0${name}\0`);
  const random = randomBytes(32);
  assertEquals(
    roomId(toBase64url(random), ana.id).toHex(),
    sha256(concat(label("room"), random, ana.id)).toHex(),
  );
  assertEquals(
    keysDigest("keys {} x"),
    toBase64url(sha256(concat(label("keys"), utf8("keys {} x")))),
  );
});

// ── What is no control line ────────────────────────────────────────────────────────────────────────────

const NUMBERS = ["-1", "0.5", "1e3", "1.0", "01", "-0", "9007199254740992"];
const NO_NUMBER = [...NUMBERS, '"1"', "true", "[]", "{}", "[1]", "NaN", ""];
const NO_TEXT = ["null", "1", "true", "[]", "{}", '""', "", '["x"]'];
const quoted = (text: string) => JSON.stringify(text);
const spare = digest().slice(0, -1) + "B"; // ends in bits that are no byte
const NO_DIGEST = [
  ...NO_TEXT,
  quoted(digest().slice(1)),
  quoted(`${digest()}A`),
  quoted(`${digest().slice(1)}=`),
  quoted(`+${digest().slice(1)}`),
  quoted(`${digest()} `),
  quoted(spare),
];
const NO_NAME = [
  ...NO_TEXT,
  quoted("x".repeat(257)),
  '"\\u0061na"', // written otherwise than it needs to be
  '"an\\u2028"',
  '"an\ta"',
];
const NO_CARD = [
  ...NO_TEXT,
  quoted(ana.cardText.slice(1)),
  quoted(`${ana.cardText}A`),
  quoted(`+${ana.cardText.slice(1)}`),
];
const NO_IDS = [
  ...NO_TEXT.filter((it) => it !== "[]"),
  quoted(ID),
  `[${quoted(ID)},${quoted(ID)}]`,
  `[${quoted(spare)}]`,
  '[""]',
  "[null]",
  "[1]",
  `[[${quoted(ID)}]]`,
  `[${quoted(ID)},]`,
  `[ ${quoted(ID)}]`,
];
const WRONG: Readonly<Record<string, readonly string[]>> = {
  count: [...NO_NUMBER, "null"],
  random: NO_DIGEST,
  card: NO_CARD,
  name: NO_NAME,
  commit: NO_DIGEST,
  invite: [...NO_NUMBER, "null"],
  uses: [...NO_NUMBER, "null"],
  until: NO_NUMBER,
  e: [...NO_NUMBER, "null"],
  prev: NO_DIGEST,
  back: [...NO_TEXT, quoted("A".repeat(63)), quoted("A".repeat(65))],
  made: NO_IDS,
  removed: NO_IDS,
  barred: NO_IDS,
  freed: NO_IDS,
};

/** The fields of a verb as pairs of name and JSON. */
function fieldsOf({ verb: _verb, ...fields }: Control): [string, string][] {
  return Object.entries(fields).map(([name, value]) => [
    name,
    JSON.stringify(value),
  ]);
}

function saidOf(verb: string, fields: readonly [string, string][]): string {
  const pairs = fields.map(([name, json]) => `${quoted(name)}:${json}`);
  return `${verb} {${pairs.join(",")}}`;
}

for (const control of controls) {
  const { verb } = control;

  Deno.test(`parseControl() refuses a "${verb}" with a field that is wrong, missing, twice or out of order`, () => {
    const right = fieldsOf(control);
    const take = (fields: readonly [string, string][]) =>
      parseControl(unsigned(saidOf(verb, fields)));
    assertEquals(take(right)?.control, control);
    for (const [at, [name]] of right.entries()) {
      for (const json of WRONG[name] ?? [""]) {
        const fields = right.with(at, [name, json]);
        assertEquals(take(fields), undefined, `${name}: ${json.slice(0, 60)}`);
      }
      assertEquals(take(right.toSpliced(at, 1)), undefined, `no ${name}`);
      const [field] = right.slice(at);
      assert(field);
      assertEquals(take(right.toSpliced(at, 0, field)), undefined, "twice");
      assertEquals(take([...right, field]), undefined, "again at the end");
      const others: [string, string][] = ["__proto__", "verb", "x", ""].map(
        (other) => [other, quoted(verb)],
      );
      for (const other of others) {
        assertEquals(take(right.toSpliced(at, 0, other)), undefined, other[0]);
      }
      const moved = right.toSpliced(at, 1);
      if (at > 0) assertEquals(take([field, ...moved]), undefined, "moved");
    }
  });

  Deno.test(`parseControl() refuses a "${verb}" written otherwise`, async () => {
    const text = await signed(control);
    const { said } = parsed(text);
    const [, ...signatures] = text.slice(said.length).split(" ");
    const json = said.slice(verb.length + 1);
    const one = signatures[0] ?? "";
    const tail = signatures.join(" ");
    const wrong = [
      said,
      `${said} `,
      ` ${text}`,
      `${text} `,
      `${text}\n`,
      `${text} ${one}`,
      `${said}  ${tail}`,
      `${verb}  ${json} ${tail}`,
      `${verb.toUpperCase()} ${json} ${tail}`,
      `${json} ${tail}`,
      `constructor ${json} ${tail}`,
      `${verb} ${json.replace(",", ", ")} ${tail}`,
      `${verb} ${json.replace(":", ": ")} ${tail}`,
      `${verb} ${json.replace("{", "{ ")} ${tail}`,
      `${verb} [${json}] ${tail}`,
      `${verb} ${json}${json} ${tail}`,
      `${verb} {} ${tail}`,
      `${verb} null ${tail}`,
      `${said} ${tail.slice(1)}`,
      `${said} ${tail}A`,
      `${said} ${tail.slice(0, -1)}=`,
      `${said} ${tail.slice(0, -1)}B`, // bits that are no byte
      ...(verb === "join" ? [`${said} ${one}`] : []),
    ];
    for (const it of wrong) assertEquals(parseControl(it), undefined, it);
  });
}

Deno.test("parseControl() refuses what is longer than a line of the log can be", () => {
  const fields = fieldsOf(CONTROLS.rename);
  const name = "\\u0000".repeat(256);
  const long = fields.with(1, ["name", quoted("\0".repeat(256))]);
  assertEquals(
    parseControl(unsigned(saidOf("rename", long)))?.said.includes(name),
    true,
  );
  assertEquals(
    parseControl(`rename {${"x".repeat(6_144)}} ${"A".repeat(86)}`),
    undefined,
  );
  assertEquals(parseControl("x".repeat(1_000_000)), undefined);
});

Deno.test("a line names 100 ids in all its lists, and no more", async () => {
  const ids = (count: number) => Array.from({ length: count }, digest);
  const naming = (
    made: number,
    removed: number,
    barred: number,
    freed: number,
  ) =>
    signed({
      ...CONTROLS.keys,
      count: MAX,
      e: MAX,
      made: ids(made),
      removed: ids(removed),
      barred: ids(barred),
      freed: ids(freed),
    });
  assertEquals(MAX_NAMED, 100);
  assert((await naming(0, 100, 0, 0)).length <= 6_144);
  assert(parseControl(await naming(25, 25, 25, 25)));
  for (const [made, removed] of [[0, 101], [50, 51], [101, 0]] as const) {
    const error = `Cannot sign a control line "keys": a field is wrong`;
    await assertRejects(() => naming(made, removed, 0, 0), RangeError, error);
  }
});

Deno.test("signControl() signs nothing that nobody would take", async () => {
  const wrong: Control[] = [
    { ...CONTROLS.rename, name: "" },
    { ...CONTROLS.rename, count: -1 },
    { ...CONTROLS.invite, uses: 0.5 },
    { ...CONTROLS.found, commit: spare },
    { ...CONTROLS.close, invite: NaN },
  ];
  for (const control of wrong) {
    await assertRejects(() => signed(control), RangeError, "a field is wrong");
  }
  const bySelf = () => signControl(CONTROLS.join, room, ben.signing);
  await assertRejects(bySelf, RangeError, `"join"`);
  const byTwo = () =>
    signControl(CONTROLS.close, room, ana.signing, invite.signing);
  await assertRejects(byTwo, RangeError, `"close"`);
});

// ── Signatures ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("verifyControl() takes the signer's signature alone, for that room and these words", async () => {
  for (const control of controls) {
    const isJoin = control.verb === "join";
    const inviteKey = isJoin ? invite.signing.verifyKey : undefined;
    const { verifyKey } = ana.signing;
    const line = parsed(await signed(control));
    const check = (
      { of = line, where = room, key = verifyKey, other = inviteKey },
    ) => verifyControl(of, where, key, other);
    assertEquals(await check({}), true);
    assertEquals(await check({ where: randomBytes(32) }), false);
    assertEquals(await check({ key: ben.signing.verifyKey }), false);
    assertEquals(await check({ key: invite.signing.verifyKey }), false);
    for (let at = 0; at < 64; at++) {
      const signature = flipped(line.signature, at);
      assertEquals(await check({ of: { ...line, signature } }), false);
    }
    const said = line.said.replace(/"count":(\d+)/, '"count":9');
    assertEquals(await check({ of: { ...line, said } }), false);
    if (!isJoin) {
      const withInvite = { other: invite.signing.verifyKey };
      assertEquals(await check(withInvite), false);
      continue;
    }
    assertEquals(await check({ other: ben.signing.verifyKey }), false);
    assertEquals(await verifyControl(line, room, verifyKey), false);
    const swapped = {
      ...line,
      signature: line.inviteSignature ?? line.signature,
      inviteSignature: line.signature,
    };
    assertEquals(await check({ of: swapped }), false);
    const { verifyKey: key } = invite.signing;
    assertEquals(
      await check({ of: swapped, key, other: verifyKey }),
      false,
      "each signature has a label of its own",
    );
  }
});

Deno.test("verifyControl() takes nothing by a key of small order", async () => {
  const line = parsed(await signed(CONTROLS.rename));
  const identity = new Uint8Array(32);
  identity[0] = 1;
  // R = the identity, S = 0: right for every text under such a key.
  const signature = new Uint8Array(64);
  signature[0] = 1;
  const forged = { ...line, signature };
  assertEquals(await verifyControl(forged, room, identity), false);
  const join = parsed(await signed(CONTROLS.join));
  const { verifyKey } = ana.signing;
  const admitted = { ...join, inviteSignature: signature };
  assertEquals(await verifyControl(admitted, room, verifyKey, identity), false);
});

Deno.test("verifyControl() takes no other form of a right signature", async () => {
  const line = parsed(await signed(CONTROLS.rename));
  // S + L: the same number to whoever doesn't look whether it is less than L.
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${line.signature.slice(32).toReversed().toHex()}`);
  const digits = (s + order).toString(16).padStart(64, "0");
  const signature = concat(
    line.signature.slice(0, 32),
    Uint8Array.fromHex(digits).toReversed(),
  );
  const other = { ...line, signature };
  assertEquals(await verifyControl(other, room, ana.signing.verifyKey), false);
  assertEquals(fromBase64url(toBase64url(signature)).length, 64);
});
