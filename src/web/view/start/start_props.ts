/**
 * What the views before the room are given.
 *
 * @module
 */

import type { App } from "../../app.ts";
import type { Stage } from "../../stage.ts";

/** A stage by its name. */
export type StageAt<A extends Stage["at"]> = Extract<
  Stage,
  { readonly at: A }
>;

/** The page's program, as it is needed before there is a room. */
export type StartApp = Pick<
  App,
  | "stage"
  | "notes"
  | "goTo"
  | "join"
  | "again"
  | "leave"
  | "importIdentity"
  | "isKept"
>;
