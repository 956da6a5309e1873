/**
 * What must hold in a simulation when nothing happens any more: all servers have the same, each line is there once and in
 * order, and nobody was told anything else.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { pastOf } from "../log_kit.ts";
import type { SimulatedClient } from "./client.ts";
import type { SimulatedServer } from "./server.ts";
import type { Simulation } from "./simulation.ts";

/** What a server has, as text by what it is. */
async function stateOf(
  server: SimulatedServer,
): Promise<Map<string, string[]>> {
  const { log, people, mailbox, ordered, position, link } = server;
  const value = await log.chainAt(log.head);
  const seats = [...ordered.members].flatMap((member) =>
    member.seats.map(({ id, server, stay, n }) => ({
      id,
      server,
      person: member.person.id,
      name: member.name.shown,
      stay,
      n,
      since: member.since,
      active: member.active,
      away: member.away,
    }))
  ).sort((a, b) => a.id - b.id);
  const { roster } = position.position ?? {};
  const lines = (all: readonly unknown[]) =>
    all.map((it) => JSON.stringify(it));
  return new Map([
    ["the log", (await pastOf(log)).map((it) => formatEntry(it))],
    ["the chain's value", [value ? toBase64url(value) : "none"]],
    ["who is in", lines(seats)],
    ["who is in, by chat.cluster", lines(roster?.seats ?? [])],
    ["the next id", [`${ordered.nextId}`, `${roster?.nextId}`]],
    ["the people", lines(people.state()).sort()],
    ["private messages", lines(mailbox.state())],
    ["the link", [toBase64url(link.secret)]],
    [
      "the operators and banned",
      lines(
        [...people.persons.banned].map((
          { id, bannedUntil },
        ) => [id, bannedUntil]),
      ).sort(),
    ],
  ]);
}

function difference(a: readonly string[], b: readonly string[]): string {
  const at = a.findIndex((it, index) => it !== b[index]);
  const index = at < 0 ? a.length : at;
  return `at ${index} of ${a.length} and ${b.length}:\n    ${a[index]}\n    ${
    b[index]
  }`;
}

/** What isn't as it must be, in words. */
export async function agreement(simulation: Simulation): Promise<string[]> {
  const wrong: string[] = [];
  const { open: servers, clients } = simulation;
  const [first, ...others] = servers;
  if (!first) return ["No server runs"];
  const state = await stateOf(first);
  for (const other of others) {
    for (const [what, lines] of await stateOf(other)) {
      const own = state.get(what) ?? [];
      if (own.join("\n") === lines.join("\n")) continue;
      wrong.push(`${what} isn't the same ${difference(own, lines)}`);
    }
  }
  const inMemory = state.get("who is in") ?? [];
  const inFile = state.get("who is in, by chat.cluster") ?? [];
  if (inMemory.join() !== inFile.join()) {
    wrong.push(
      `chat.cluster says other members ${difference(inMemory, inFile)}`,
    );
  }
  const log = await pastOf(first.log);
  for (const client of clients) {
    wrong.push(...linesOf(client, log, simulation.hasLost));
    if (!simulation.hasLost) wrong.push(...toldTo(client, log));
  }
  const letters = first.mailbox.state().map((it) =>
    it.kind === "letter" ? `${it.from} ${it.stay} ${it.n} ${it.to}` : ""
  );
  for (const { person, stay, letters: written, label } of clients) {
    for (const { n, to, state } of written) {
      if (state !== "delivered" && state !== "waiting") continue;
      const count = letters.filter((it) =>
        it === `${person} ${stay} ${n} ${to}`
      );
      if (count.length === 1 || simulation.hasLost && count.length === 0) {
        continue;
      }
      wrong.push(
        `${label}'s private message ${n} is there ${count.length} times`,
      );
    }
  }
  for (const invite of simulation.used) {
    const came = first.people.state().filter((it) =>
      it.kind === "used" && it.invite === invite
    );
    if (came.length > 1) wrong.push(`Invite ${invite} let in ${came.length}`);
  }
  return wrong;
}

/** Each line that somebody said is there once, in order, but for those that were refused. */
function linesOf(
  { label, stay, lines }: SimulatedClient,
  log: readonly LogEntry[],
  hasLost: boolean,
): string[] {
  const wrong: string[] = [];
  const own = log.filter((it) => it.what === "said" && it.stay === stay);
  for (const { n, text, fate } of lines) {
    const count = own.filter((it) => it.text === text).length;
    const isRight = fate === "logged"
      ? count === 1
      : count === 0 || fate === "open" && count === 1; // it is out, and knows not
    if (isRight) continue;
    if (hasLost && count === 0) continue;
    wrong.push(`${label}'s line ${n}, ${fate}, is in the log ${count} times`);
  }
  const numbers = own.map(({ n }) => n);
  if (numbers.some((n, at) => at > 0 && n <= (numbers[at - 1] ?? 0))) {
    wrong.push(`${label}'s lines aren't in order: ${numbers}`);
  }
  return wrong;
}

/** Nobody was told a line that isn't in the log. */
function toldTo(
  { label, told }: SimulatedClient,
  log: readonly LogEntry[],
): string[] {
  const bySeq = new Map(log.map((it) => [it.seq, it]));
  return told.flatMap(({ seq, what, n, text }) => {
    const line = bySeq.get(seq);
    const isSame = line?.what === what && line.n === n && line.text === text;
    return isSame ? [] : [
      `${label} was told ${seq} ${what} ${n} ${text}, and the log has ${line?.what} ${line?.n} ${line?.text}`,
    ];
  });
}
