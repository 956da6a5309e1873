/**
 * The words that are offered while one types.
 *
 * @module
 */

import type { VNode } from "preact";
import { PAGE_COMMANDS } from "../../commands.ts";
import type { Offers } from "./completion.ts";

/** What the list is shown with. */
export interface OffersListProps {
  /** Its id, for the box that it belongs to. */
  readonly id: string;
  /** What is offered. */
  readonly offers: Offers;
  /** A word was chosen. */
  readonly onChoose: (word: string) => void;
}

/** The list; nothing where nothing is offered. */
export function OffersList({ id, offers, onChoose }: OffersListProps): VNode {
  const { words, chosen } = offers;
  return (
    <>
      <div class="visually-hidden" role="status">
        {words.length > 0 ? `${words.length} suggestions` : ""}
      </div>
      {words.length > 0 && (
        <ul id={id} class="offers" role="listbox" aria-label="Suggestions">
          {words.map((word, index) => (
            <li
              key={word}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              onPointerDown={(event) => {
                event.preventDefault(); // the box keeps the focus
                onChoose(word);
              }}
            >
              <bdi>{word.trim()}</bdi>
              <Explained word={word} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What a command does. */
function Explained({ word }: { word: string }): VNode | null {
  const command = word.startsWith("/")
    ? PAGE_COMMANDS.find(word.trim())
    : undefined;
  return command ? <span class="offer-help">{command.help}</span> : null;
}
