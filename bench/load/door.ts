/**
 * One of a room's servers, as those members see it who came by it: each server seals under keys of its own, so what is
 * the same for all of its members is another sequence of bytes than at the other servers.
 *
 * @module
 */

import { Sequence } from "./sequence.ts";

/** A server's port, and what all who came by it must get. */
export class Door {
  /** What its members are held to. */
  readonly sequence = new Sequence();
  /** How many came by it, the extra sender included. */
  everybody = 0;

  /** Nobody has come. @param port On this machine. */
  constructor(readonly port: number) {}
}
