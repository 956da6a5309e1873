/**
 * What the server keeps, searched.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { RoomNews } from "../../../client/view.ts";
import { wordFinder } from "../../../client/terminal/message_text.ts";
import { escapeText } from "../../../base/safe_text.ts";
import { formatSize, parseOffer } from "../../../protocol/offer.ts";
import { warningSentence } from "../../../sealed/warnings.ts";
import type { Found } from "../../room_model.ts";
import { Hits } from "../kit/hits.tsx";
import { TextField } from "../kit/text_field.tsx";
import { Told } from "../kit/told.tsx";
import { clockTime } from "./moments.ts";
import type { PanelProps } from "./panels.tsx";

/** Asks for words, and shows what has them. */
export function SearchPanel(props: PanelProps): JSX.Element {
  const { room, actions } = props;
  const found = room.found.value;
  const words = useSignal(found?.words ?? "");
  const asked = useSignal("");
  const isSearching = asked.value !== "" && found?.words !== asked.value;
  return (
    <>
      <form
        role="search"
        class="panel-form"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = words.value.trim();
          if (wanted === "") return;
          asked.value = wanted;
          actions.search(wanted);
        }}
      >
        <TextField
          label="Words"
          type="search"
          value={words.value}
          onValue={(value) => words.value = value}
          takesFocus
          hint="The latest messages that have all of them, in the text or in the name, in capitals or not."
        />
        <button type="submit" class="button button-main">Search</button>
      </form>
      <p role="status" class="panel-hint">
        {isSearching ? "Searching…" : found && summary(found)}
      </p>
      {found && !isSearching && <Lines {...props} found={found} />}
    </>
  );
}

function summary({ lines, more, backTo }: Found): string {
  if (lines.length === 0) {
    return backTo === undefined
      ? "Nothing found"
      : `Nothing found; searched back to line ${backTo}`;
  }
  const count = lines.length === 1 ? "1 message" : `${lines.length} messages`;
  return more ? `${count}; there may be older ones` : count;
}

function Lines(
  props: PanelProps & { readonly found: Found },
): JSX.Element {
  const { found, panels, goTo, settings } = props;
  const away = useSignal(0); // the number of one that isn't loaded
  const finder = wordFinder(found.words);
  return (
    <ol class="panel-results">
      {found.lines.toReversed().map((line) =>
        line.type === "warning"
          ? (
            <li key={`w${line.line}`} class="start-warning">
              {warningSentence(line)}
            </li>
          )
          : (
            <li key={line.seq}>
              <button
                type="button"
                class="panel-result"
                onClick={() => {
                  if (goTo(line.seq)) panels.close();
                  else away.value = line.seq;
                }}
              >
                <span class="panel-hint">
                  <Told text={line.name} />,{" "}
                  {clockTime(line.at, settings.hour12)}
                </span>
                <span class="panel-result-text">
                  <Hits text={wordsOf(line)} finder={finder} />
                </span>
                {away.value === line.seq && (
                  <span role="status" class="panel-hint">
                    This is further back than what is shown: scroll up there.
                  </span>
                )}
              </button>
            </li>
          )
      )}
    </ol>
  );
}

/** What was said, escaped; a file as its name and size. */
function wordsOf({ type, text }: RoomNews): string {
  const offer = type === "offered" ? parseOffer(text) : null;
  return escapeText(
    offer ? `${offer.name} (${formatSize(offer.size)})` : text,
  );
}
