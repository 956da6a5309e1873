/**
 * What the server keeps, searched.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { RoomNews } from "../../../client/view.ts";
import { wordFinder } from "../../../client/text/message_lines.ts";
import { lineText } from "../kit/line_text.ts";
import { warningSentence } from "../../../sealed/warnings.ts";
import type { Found } from "../../room_model.ts";
import { LastNote } from "../kit/last_note.tsx";
import { TextField } from "../kit/text_field.tsx";
import { Told } from "../kit/told.tsx";
import { MessageText } from "../room/message_text.tsx";
import { dayTime } from "../kit/moments.ts";
import type { PanelProps } from "./panel_props.ts";
import { olderBefore, withNewer } from "./search_results.ts";

/** A search that goes on. */
interface Asked {
  /** When it was asked for, ms since 1970. */
  readonly at: number;
  /** What was found before. */
  readonly before: Found | null;
}

/** Asks for words, and shows what has them. */
export function SearchPanel(props: PanelProps): JSX.Element {
  const { room, actions } = props;
  const found = room.found.value;
  const words = useSignal(found?.words ?? "");
  const asked = useSignal<Asked | null>(null);
  const newer = useSignal<Found | null>(null);
  const isSearching = asked.value !== null && found === asked.value.before;
  const shown = isSearching
    ? newer.value
    : found && withNewer(found, newer.value);
  const search = (wanted: string, before?: number) => {
    asked.value = { at: Date.now(), before: room.found.peek() };
    actions.search(wanted, undefined, before);
  };
  const older = shown && !isSearching ? olderBefore(shown) : undefined;
  return (
    <>
      <form
        role="search"
        class="panel-form"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = words.value.trim();
          if (wanted === "") return;
          newer.value = null;
          search(wanted);
        }}
      >
        <TextField
          label="Words"
          value={words.value}
          onValue={(value) => words.value = value}
          takesFocus
          hint="The latest messages that have all of them, in the text or in the name, in capitals or not."
        />
        <button type="submit" class="button button-main">Search</button>
      </form>
      <p role="status" class="panel-hint">
        {isSearching ? "Searching…" : shown && summary(shown)}
      </p>
      {isSearching && <LastNote room={room} since={asked.value?.at ?? 0} />}
      {shown && <Lines {...props} found={shown} />}
      {shown && older !== undefined && (
        <button
          type="button"
          class="button"
          onClick={() => {
            newer.value = shown;
            search(shown.words, older);
          }}
        >
          Show older
        </button>
      )}
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
  const { found } = props;
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
              <Line {...props} line={line} finder={finder} />
            </li>
          )
      )}
    </ol>
  );
}

/** A line that was found; a click leads to where it was said. */
function Line(
  { line, finder, panels, goTo, settings }: PanelProps & {
    readonly line: RoomNews;
    readonly finder: RegExp | undefined;
  },
): JSX.Element {
  const isAway = useSignal(false);
  const go = () => {
    if (goTo(line.seq)) panels.close();
    else isAway.value = true;
  };
  return (
    <div
      class="panel-result"
      onClick={({ target }) => {
        const isOther = target instanceof Element && target.closest("a,button");
        if (!isOther && getSelection()?.isCollapsed !== false) go();
      }}
    >
      <button type="button" class="panel-result-place" onClick={go}>
        <Told text={line.name} />, {dayTime(line.at, settings.hour12)}
      </button>
      <div class="panel-result-text">
        <MessageText text={lineText(line)} found={finder} />
      </div>
      <div role="status" class="panel-hint">
        {isAway.value &&
          "This is further back than what is shown: scroll up there."}
      </div>
    </div>
  );
}
