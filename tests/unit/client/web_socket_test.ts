import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { restOf } from "../../kit/bytes.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { isDisconnect } from "../../../src/base/error_reason.ts";
import { writeAll } from "../../../src/base/write_all.ts";
import {
  dial,
  MAX_UNREAD,
  SEND_WINDOW,
  type Socket,
} from "../../../src/client/web_socket.ts";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A browser's socket that a test moves. */
class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  bufferedAmount = 0;
  readyState: Socket["readyState"] = CONNECTING;
  readonly sent: Uint8Array[] = [];
  onopen: Socket["onopen"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  onmessage: Socket["onmessage"] = null;
  readonly self = this as unknown as WebSocket;

  open(): void {
    this.readyState = OPEN;
    this.onopen?.call(this.self, new Event("open"));
  }

  come(data: unknown): void {
    this.onmessage?.call(this.self, new MessageEvent("message", { data }));
  }

  end(): void {
    this.readyState = CLOSED;
    this.onclose?.call(this.self, new CloseEvent("close"));
  }

  send(data: Parameters<Socket["send"]>[0]): void {
    assert(data instanceof Uint8Array);
    this.sent.push(data);
    this.bufferedAmount += data.length;
  }

  /** As a browser's: the end is told later. */
  close(): void {
    this.readyState = CLOSING;
  }
}

async function opened() {
  const socket = new FakeSocket();
  const dialling = dial("ws://localhost:8080/chat", () => socket);
  socket.open();
  return { socket, stream: await dialling };
}

const bytes = (...values: number[]) => new Uint8Array(values).buffer;

Deno.test("a socket's messages are one stream of bytes, wherever their borders are", async () => {
  const { socket, stream } = await opened();
  assertEquals(socket.binaryType, "arraybuffer");
  const early = new Uint8Array(2);
  const reading = stream.read(early); // before anything has come
  for (const part of [bytes(1, 2, 3), bytes(), bytes(4), bytes(5, 6)]) {
    socket.come(part);
  }
  assertEquals(await reading, 2);
  socket.end();
  assertEquals([...early, ...await restOf(stream, 2)], [1, 2, 3, 4, 5, 6]);
});

Deno.test("what came before a socket ended can be read, and then its end", async () => {
  const { socket, stream } = await opened();
  socket.come(bytes(7, 8));
  socket.end();
  const into = new Uint8Array(4);
  assertEquals(await stream.read(into), 2);
  assertEquals([...into], [7, 8, 0, 0]);
  assertEquals(await stream.read(into), null);
});

Deno.test("a read that waits ends with the socket, whichever side closes it", async () => {
  const { socket, stream } = await opened();
  const reading = stream.read(new Uint8Array(1));
  socket.end();
  assertEquals(await reading, null);
  const other = await opened();
  const waiting = other.stream.read(new Uint8Array(1));
  other.stream.close();
  assertEquals(await waiting, null);
  assertEquals(other.socket.readyState, CLOSING);
});

Deno.test("nothing is read of what comes after a socket's end, or had come when this side closed it", async () => {
  const { socket, stream } = await opened();
  socket.end();
  socket.come(bytes(1));
  assertEquals(await stream.read(new Uint8Array(1)), null);
  const other = await opened();
  other.socket.come(bytes(1, 2));
  await other.stream.read(new Uint8Array(1));
  other.stream.close();
  assertEquals(await other.stream.read(new Uint8Array(1)), null);
});

Deno.test("a socket that ends as soon as it is open is read to its end", async () => {
  const socket = new FakeSocket();
  const dialling = dial("ws://localhost:1/chat", () => socket);
  socket.open();
  socket.come(bytes(1));
  socket.end();
  assertEquals(await restOf(await dialling), new Uint8Array([1]));
});

Deno.test("a server that can't be reached is told as such", async () => {
  const ways: ((socket: FakeSocket) => void)[] = [
    (socket) => socket.end(),
    (socket) => socket.onerror?.call(socket.self, new Event("error")),
  ];
  for (const way of ways) {
    const socket = new FakeSocket();
    const dialling = dial("ws://localhost:1/chat", () => socket);
    way(socket);
    const { message } = await assertRejects(() => dialling, Error);
    assertEquals(message, "the server cannot be reached");
  }
});

Deno.test("text in place of bytes ends a connection, with the reason", async () => {
  const { socket, stream } = await opened();
  const reading = stream.read(new Uint8Array(1));
  socket.come("hello");
  const { message } = await assertRejects(() => reading, Error);
  assertEquals(message, "the server sent text instead of bytes");
  assertEquals(socket.readyState, CLOSING);
});

Deno.test("a server that sends more than a page reads is left, and what it sent dropped", async () => {
  const { socket, stream } = await opened();
  const part = new ArrayBuffer(MAX_UNREAD / 2);
  socket.come(part);
  socket.come(part);
  await stream.read(new Uint8Array(1)); // there is room for one more
  socket.come(bytes(1));
  assertEquals(socket.readyState, OPEN);
  socket.come(bytes(1));
  assertEquals(socket.readyState, CLOSING);
  const { message } = await assertRejects(
    () => stream.read(new Uint8Array(1)),
    Error,
  );
  assertEquals(message, "the server sends more than can be taken");
});

Deno.test("all bytes are written, in order, in messages that are not too long", async () => {
  using _clock = new ManualClock(); // nothing waits for it
  const { socket, stream } = await opened();
  const all = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251);
  const writing = writeAll(stream, all);
  all.fill(9, 0, 1); // what was sent is a copy
  await writing;
  assertEquals(socket.sent.length, 4);
  const sent = socket.sent.flatMap((part) => [...part]);
  assertEquals(sent.length, all.length);
  assert(sent.every((byte, at) => byte === at % 251));
});

Deno.test("a write waits while the browser has a window unsent, and goes on once it hasn't", async () => {
  using clock = new ManualClock();
  const { socket, stream } = await opened();
  socket.bufferedAmount = SEND_WINDOW;
  const writing = stream.write(new Uint8Array(1));
  socket.come(bytes(1)); // an answer, at which it looks
  await stream.read(new Uint8Array(1));
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  socket.bufferedAmount = SEND_WINDOW - 1;
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  assertEquals([socket.sent.length, clock.pending], [0, 1]);
  clock.advance(50); // without an answer, too
  assertEquals(await writing, 1);
  assertEquals([socket.sent.length, clock.pending], [1, 0]);
});

Deno.test("a write that waits fails as one to a lost connection when the socket ends; so does every later one", async () => {
  using _clock = new ManualClock();
  const first = await opened();
  const { socket, stream } = first;
  socket.bufferedAmount = SEND_WINDOW;
  const writing = stream.write(new Uint8Array(1));
  socket.end();
  assert(isDisconnect(await assertRejects(() => writing, Error)));
  const other = await opened();
  other.socket.readyState = CLOSING;
  for (const { stream } of [first, other]) {
    const later = () => stream.write(new Uint8Array(1));
    assert(isDisconnect(await assertRejects(later, Error)));
  }
  assertEquals([...first.socket.sent, ...other.socket.sent], []);
});
