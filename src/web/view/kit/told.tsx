/**
 * What somebody else wrote, within a sentence of this program.
 *
 * @module
 */

import type { JSX } from "preact";
import { escapeLines } from "../../../base/safe_text.ts";

/** A text of others: escaped, and its direction can't reach what stands around it. */
export function Told({ text }: { readonly text: string }): JSX.Element {
  return <bdi>{escapeLines(text)}</bdi>;
}
