/**
 * The server: listens, serves every connection in a task of its own, and writes what is said to `chat.log`
 * before anybody is told.
 *
 *     deno task server [--port PORT] …
 *
 *     clients ──▶ accept loop ──▶ a task for each: handshake, requests ──▶ the room, one batch at a time ─┐
 *                                      ▲                                    chat.log, then one seal       │
 *                                      └───────────── the ring, the same bytes for everybody ◀────────────┘
 *
 * Exit codes: 0 stopped by a signal, 1 could not start or go on, 2 wrong usage.
 *
 * @module
 */

import "./src/base/deno_version.ts"; // first of all
import { parseFlags } from "./src/base/flags.ts";
import { helpText } from "./src/base/help.ts";
import { targetOf } from "./src/base/file_target.ts";
import { print } from "./src/base/output.ts";
import { serverCommand, VERSION } from "./src/base/program.ts";
import {
  formatAddress,
  formatPlace,
  parseAddress,
  ROOM_INVITE_ID,
  withZone,
} from "./src/keys/invite.ts";
import { KeyFile } from "./src/keys/key_file.ts";
import { ChatLog } from "./src/log/chat_log.ts";
import { Retention } from "./src/log/retention.ts";
import { PIECE_OVERHEAD } from "./src/protocol/offer.ts";
import { FOUNDING_ID } from "./src/sealed/membership.ts";
import { linkAddress, roomPlace } from "./src/server/addresses.ts";
import { AcceptFailures } from "./src/server/accept_failures.ts";
import { Broadcaster } from "./src/server/broadcaster.ts";
import { check } from "./src/server/check.ts";
import {
  diagnostics,
  startDiagnostics,
  stopDiagnostics,
} from "./src/server/diagnostics.ts";
import { DIRECT, type Entrance, type Peer } from "./src/server/entrance.ts";
import { FileRelay } from "./src/server/file_relay.ts";
import {
  controlFile,
  FLAGS,
  GONE,
  httpAddress,
  metricsAddress,
  ownAddress,
  tokenFile,
  type Values,
} from "./src/server/flags.ts";
import { Gate } from "./src/server/gate.ts";
import { holdFiles } from "./src/server/held_files.ts";
import { History } from "./src/server/history.ts";
import type { HttpPort, HttpPortOptions } from "./src/server/http/http_port.ts";
import { IdleCollection } from "./src/server/idle_collection.ts";
import { joinInstructions, printLink } from "./src/server/join_instructions.ts";
import { type Order, OwnOrder } from "./src/server/order.ts";
import type {
  SharedRoom,
  SharedRoomOptions,
} from "./src/server/cluster/shared_room.ts";
import {
  type NatsOptions,
  natsOptions,
} from "./src/server/nats/nats_options.ts";
import { KeyWatch } from "./src/server/key_watch.ts";
import { admissionPause, limitsOf } from "./src/server/limits.ts";
import { Mailbox, waitingFile } from "./src/server/mailbox.ts";
import { MadeFiles } from "./src/server/made_files.ts";
import { UNMEASURED, UNMEASURED_CLUSTER } from "./src/server/measures.ts";
import { Operations } from "./src/server/operations.ts";
import { People } from "./src/server/people/people.ts";
import { makeOperator, prepare } from "./src/server/prepare.ts";
import { Purses } from "./src/server/rate_limits.ts";
import { Room } from "./src/server/room.ts";
import { RoomLink } from "./src/server/room_link.ts";
import {
  agreePeople,
  openSealed,
  requireOpen,
} from "./src/server/sealed/open_sealed.ts";
import { otherPort } from "./src/server/own_commands.ts";
import { noteAddress, noteServers } from "./src/server/server_keys.ts";
import {
  aborted,
  answerCtrlZ,
  reopenAtHangup,
  stopSignal,
} from "./src/server/signals.ts";
import { explain, explainLock, portError } from "./src/server/start_error.ts";
import { meter } from "./src/server/telemetry.ts";

const ABOUT =
  "An encrypted group chat: the server. Needs no flags; prints what others need to join.";

const logger = diagnostics("server");

/** Runs a server until a signal stops it. @throws for what keeps it from starting, or from going on. */
async function serve(values: Values): Promise<void> {
  await startDiagnostics(values["log-level"], values["log-format"]);
  const limits = limitsOf(values);
  const metricsAt = metricsAddress(values);
  const address = ownAddress(values);
  const httpAt = httpAddress(values);
  // Loaded only if wanted: most servers don't need them.
  using metrics = metricsAt || meter()
    ? new (await import("./src/server/metrics.ts")).Metrics()
    : undefined;
  const measures = metrics ?? UNMEASURED;
  const greeting = await prepare(values);
  const nats = await natsOptions(values);
  // Loaded only if wanted, too.
  using web = values.web === undefined
    ? undefined
    : await (await import("./src/server/web/web_port.ts")).WebPort
      .prepare(values, values.web);
  const list = values["proxy-protocol"];
  const proxies = list === undefined
    ? undefined
    : (await import("./src/server/proxies.ts")).Proxies.of(values, list);

  using made = new MadeFiles();
  using listener = await listen(values);
  web?.listen();
  using http = httpAt && await openHttp({
    address: httpAt,
    tokens: values.sealed ? undefined : tokenFile(values),
    requestTime: limits.handshakeTime,
    onMade: made.add,
  });
  const { port } = listener.addr;
  const host = withZone(listener.addr.hostname, values.host);
  const ending = new AbortController();
  const figures = metricsAt &&
    metrics?.serve(metricsAt, ending.signal);
  const fsync = values.fsync || values.sealed;
  const note = (notice: string) => logger.warn("{notice}", { notice });
  await using log = await ChatLog.open(values.log, {
    address: formatAddress(host, port),
    fsync,
    maxSize: limits.logSize,
    isRetained: limits.keep !== undefined,
    onNotice: note,
    onMade: made.add,
  }).catch((error) => explainLock(values, error));
  log.notices.forEach(note);
  await using _held = await holdFiles(
    values,
    formatAddress(host, port),
    made.add,
    note,
  ).catch((error) => explainLock(values, error));
  using mailbox = Mailbox.open(waitingFile(values.log), {
    fsync,
    onMade: made.add,
  });
  if (mailbox.notice !== undefined) note(mailbox.notice);

  const { keyFile, created } = await KeyFile.loadOrCreate(values["key-file"]);
  if (created) made.add(targetOf(values["key-file"]));
  const { keyPair, roomKey } = keyFile.keys;
  let order: Order = new OwnOrder();
  const now = () => order.now(); // by which invites and bans end
  using people = People.open(values.people, {
    fsync,
    onMade: made.add,
    now,
    isShared: nats !== undefined,
  });
  if (people.journal.notice !== undefined) note(people.journal.notice);
  if (!nats) people.limitFrom(log.head);
  using sealed = values.sealed
    ? await openSealed(
      controlFile(values),
      roomKey,
      log,
      values.port === keyFile.keys.listening?.port
        ? otherPort(values.port) // of the room that was here
        : values.port,
      made.add,
      nats && now,
    )
    : undefined;
  sealed?.notices.forEach(note);
  if (!sealed) requireOpen(log, controlFile(values));
  people.access.sealed = sealed;
  const hasLink = !values["invite-only"] && !sealed;
  await using link = new RoomLink({
    keyFile,
    standing: hasLink ? people.access.link : undefined,
    sealed,
    isShared: nats !== undefined,
  });
  await noteAddress(keyFile, {
    listening: { host, port },
    address,
    inviteId: sealed ? FOUNDING_ID : ROOM_INVITE_ID,
    web: web?.origin,
  });
  if (created) made.add(targetOf(values["key-file"])); // it has another size now
  if (values.operator !== undefined) {
    logger.info("{what}", { what: makeOperator(people, values.operator) });
  }

  let servers = ""; // where they are, `HOST:PORT,…`
  await using shared = nats && await connectShared(nats, {
    keyFile,
    log,
    logPath: values.log,
    fsync,
    people,
    mailbox,
    sealed,
    link,
    address: formatPlace(address ?? linkAddress({ host, port })),
    onMade: made.add,
    measures: metrics?.measureCluster() ?? UNMEASURED_CLUSTER,
    changed: (addresses, gone) => {
      noteServers(keyFile, addresses.map(parseAddress));
      servers = addresses.join(",");
      room.tellServers(servers);
      if (gone !== undefined) relay.forget(gone);
    },
  });
  if (shared) {
    order = shared.order;
    metrics?.showCluster(shared.cluster);
  }

  const broadcaster = await Broadcaster.create(
    keyPair.publicKey,
    limits.ringSize,
  );
  const room = new Room({
    log,
    broadcaster,
    people,
    mailbox,
    maxMembers: limits.maxMembers,
    sealed,
    link,
    order,
    admissionPause,
    expecting: (): boolean => gate.handshakes > 0,
    greeting: () =>
      shared ? [...greeting, { kind: "servers", list: servers }] : greeting,
    measures,
  });
  const history = new History(log, limits.history);
  const operations = new Operations({
    people,
    room,
    sealed,
    address: () =>
      formatPlace(roomPlace(keyFile.keys) ?? address ?? { host, port }),
    replaceLink: () => link.replace(),
  });
  const { ring } = broadcaster;
  const relay = new FileRelay({
    ...limits,
    pieceOverhead: sealed ? PIECE_OVERHEAD : 0,
    siblings: shared?.siblings,
  });
  let asked = 0; // how often anybody has
  const place = {
    privateKey: () => keyFile.privateKey(),
    room,
    people,
    operations,
    sealed,
    purses: new Purses(),
    history,
    ring,
    relay,
    mailbox,
    asked: () => void asked++,
    rates: limits.rates,
    proxies,
    measures,
  };
  const gate: Gate = new Gate({ ...place, limits });
  using _collection = new IdleCollection({
    activity: () => asked + ring.appends,
    expecting: () => gate.handshakes + relay.transfers > 0,
  });
  using watch = new KeyWatch(values["key-file"], roomKey, (secret) => {
    link.changed(secret);
  });
  people.access.link.watch(() => watch.look());
  const sequencing = room.run();
  await Promise.race([shared?.enter(), sequencing]);
  if (sealed) agreePeople(people, sealed, limits.history);
  if (shared) {
    people.journal.share((happenings) => room.happen(happenings));
    link.share((secret) => room.link(secret));
  }
  metrics?.show({
    members: () => room.size,
    connections: () => gate.connections,
    handshakes: () => gate.handshakes,
    ringLag: () => ring.lag,
    sentBytes: () => gate.sentBytes,
    lastEvent: () => history.head,
    httpReaders: () => http?.readers ?? 0,
    healthy: () => room.healthy,
  });
  const instructions = joinInstructions(values, keyFile, created, {
    sealed,
    web: web?.listening,
    http,
  });

  const signal = stopSignal();
  reopenAtHangup(values.log, () => log.reopen());
  const certificate = values["web-cert"];
  if (web && certificate) reopenAtHangup(certificate, () => web.renew());
  answerCtrlZ();
  print(`${instructions}\n`);
  made.keep();
  const { keep } = limits;
  await using retention = keep &&
    new Retention(log, { keep, archive: values.archive, onNotice: note });
  retention?.watch();
  const accepting = Promise.all([
    acceptAll(listener, DIRECT, gate, signal),
    web && acceptAll(web, web.entrance, gate, signal),
    http?.serve(place),
  ]);
  await Promise.race([
    aborted(signal),
    sequencing,
    accepting,
    figures ?? aborted(signal),
    shared?.failed ?? aborted(signal),
  ]);

  // Stop accepting, tell the members, log what they said, close the log.
  listener.close();
  web?.close();
  await http?.close();
  ending.abort();
  shared?.leave();
  await gate.close();
  await accepting;
  room.stop();
  await sequencing;
}

/** Connects to the other servers. What it needs is loaded only if it is. @throws {AdvisedError} | {FileError} */
async function connectShared(
  nats: NatsOptions,
  options: SharedRoomOptions,
): Promise<SharedRoom> {
  const { SharedRoom } = await import("./src/server/cluster/shared_room.ts");
  return await SharedRoom.connect(nats, options);
}

/** The port for programs; it is loaded only if it is wanted. @throws as `HttpPort.open`. */
async function openHttp(options: HttpPortOptions): Promise<HttpPort> {
  const { HttpPort } = await import("./src/server/http/http_port.ts");
  const http = await HttpPort.open(options);
  const { warning } = http;
  if (warning !== undefined) logger.warn("{warning}", { warning });
  return http;
}

/** Accepts connections until the signal; each is served by a task of its own. */
async function acceptAll(
  port: { accept(): Promise<Peer> },
  entrance: Entrance,
  gate: Gate,
  signal: AbortSignal,
): Promise<void> {
  using failures = new AcceptFailures();
  for (;;) {
    await gate.place();
    if (signal.aborted) return;
    try {
      gate.serve(await port.accept(), entrance); // a task of its own, which never rejects
    } catch (error) {
      if (signal.aborted) return;
      await failures.add(error);
    }
  }
}

/** The port for clients. @throws {AdvisedError} if it can't be had. */
async function listen(values: Values): Promise<Deno.TcpListener> {
  const { host, port } = values;
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    throw await portError(values, error);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [command = "", word = ""] = args;
  let isLooking = command === "log" || ["list", "--help"].includes(word);
  try {
    if (command === "invite") {
      const { invite } = await import("./src/server/invite_command.ts");
      await invite(args.slice(1));
      return 0;
    }
    if (command === "log") {
      const { log } = await import("./src/server/log_command.ts");
      return await log(args.slice(1));
    }
    const { values } = parseFlags(args, FLAGS, {
      positionals: 0,
      gone: GONE,
    });
    isLooking = values.help || values.version;
    if (values.help) {
      print(helpText(`${serverCommand()} [FLAGS]`, ABOUT, FLAGS));
    } else if (values.version) print(`encrypted-chat ${VERSION}\n`);
    else if (values.check) await check(values);
    else if (values["rotate-key"] || values.link) await printLink(values);
    else await serve(values);
    return 0;
  } catch (error) {
    return explain(error, isLooking);
  } finally {
    await stopDiagnostics();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
