/**
 * The worker's own module: shakes hands with strangers in a thread of its own. It may do nothing but compute, and
 * says nothing but what `messages.ts` has.
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { WireError } from "../../protocol/records.ts";
import {
  forgotten,
  type Halfway,
  type Responder,
} from "../../protocol/responder.ts";
import { type Bytes, HandshakeError } from "../../../crypto_utils.ts";
import { type Fault, Posting, type Reply, type Request } from "./messages.ts";
import { nodeResponder } from "./node_key_pair.ts";

const posting = new Posting<Reply>((replies, transfer) =>
  self.postMessage(replies, { transfer })
);
/** Those that are answered and neither finished nor forgotten. */
const halfway = new Map<number, Halfway>();
/** Those that wait for the words of a spoken code. */
const waiting = new Map<number, PromiseWithResolvers<Bytes>>();

function faultOf(error: unknown): Fault {
  if (error instanceof HandshakeError) return "handshake";
  return error instanceof WireError ? "wire" : "other";
}

async function answer(
  responder: Responder,
  id: number,
  first: Bytes,
): Promise<void> {
  let password: Bytes | undefined;
  const passwordOf = async (number: number) => {
    const coming = Promise.withResolvers<Bytes>();
    waiting.set(id, coming);
    posting.add({ kind: "code", id, number });
    return password = await coming.promise.finally(() => waiting.delete(id));
  };
  const answer = await responder.answer(first, passwordOf)
    .finally(() => password?.fill(0));
  const { reply } = answer;
  const { inviteId } = answer.halfway;
  halfway.set(id, answer.halfway);
  posting.add({ kind: "answered", id, reply, inviteId }, reply);
}

async function finish(
  id: number,
  third: Bytes,
  key: Bytes | undefined,
): Promise<void> {
  const begun = halfway.get(id);
  halfway.delete(id);
  if (!begun) throw forgotten();
  const secured = await begun.finish(third, key).finally(() => key?.fill(0));
  posting.add({ kind: "finished", id, secured }, secured.send); // and the other key with it
}

async function carryOut(responder: Responder, request: Request): Promise<void> {
  const { id } = request;
  try {
    switch (request.kind) {
      case "answer":
        return await answer(responder, id, request.first);
      case "finish":
        return await finish(id, request.third, request.key);
      case "password":
        return waiting.get(id)?.resolve(request.password);
      case "forget":
        waiting.get(id)?.reject(new WireError("Cannot shake hands: no words"));
        halfway.get(id)?.[Symbol.dispose]();
        return void halfway.delete(id);
    }
  } catch (error) {
    const fault = faultOf(error);
    posting.add({ kind: "failed", id, fault, why: messageOf(error) });
  }
}

function begin({ data: privateKey }: MessageEvent<Bytes>): void {
  const responder = nodeResponder(privateKey);
  addEventListener("message", ({ data }: MessageEvent<readonly Request[]>) => {
    for (const request of data) carryOut(responder, request); // which never rejects
  });
  self.postMessage("ready");
}

addEventListener("message", begin, { once: true });
