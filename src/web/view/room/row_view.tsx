/**
 * A row of the list, of whatever kind.
 *
 * @module
 */

import { Component, type VNode } from "preact";
import type { Aside, DayMark, Note, Row } from "../../rows.ts";
import { Icon, type IconName } from "./icons.tsx";
import { LetterRow } from "./letter_row.tsx";
import { MessageRow } from "./message_row.tsx";
import { Moment } from "./moment.tsx";
import { dayName } from "../kit/moments.ts";
import type { RoomUi } from "./room_ui.ts";
import { isSame } from "./same.ts";
import { textBlocks } from "./text_pieces.ts";

/** What a row is shown with. */
export interface RowProps {
  /** What the parts of the room have in common. */
  readonly ui: RoomUi;
  /** It. */
  readonly row: Row;
  /** Whether it begins what its person says. */
  readonly isFirst: boolean;
  /** Whether the pointer or the focus is on it, or was last. */
  readonly isActive: boolean;
}

/** A row; drawn again only if it is another, or stands otherwise. */
export class RowView extends Component<RowProps> {
  /** Whether it is to be drawn again. */
  override shouldComponentUpdate(next: Readonly<RowProps>): boolean {
    return !isSame({ ...this.props }, { ...next });
  }

  /** The row. */
  override render(): VNode {
    return <AnyRow {...this.props} />;
  }
}

function AnyRow({ ui, row, isFirst, isActive }: RowProps): VNode {
  switch (row.kind) {
    case "message":
      return (
        <MessageRow
          ui={ui}
          message={row}
          isFirst={isFirst}
          isActive={isActive}
        />
      );
    case "private":
      return <LetterRow ui={ui} letter={row} />;
    case "aside":
      return <AsideRow ui={ui} aside={row} />;
    case "note":
      return <NoteRow ui={ui} note={row} />;
    case "day":
      return <DayRow day={row} />;
    case "new":
      return (
        <li class="rule rule-new" data-key={row.key}>
          <span>New</span>
        </li>
      );
  }
}

function DayRow({ day: { key, at } }: { day: DayMark }): VNode {
  return (
    <li class="rule" data-key={key}>
      <span>{dayName(at, Date.now())}</span>
    </li>
  );
}

function AsideRow({ ui, aside }: { ui: RoomUi; aside: Aside }): VNode {
  const { key, at, text } = aside;
  return (
    <li class="aside" data-key={key} tabIndex={-1}>
      <bdi>{text}</bdi> <Moment ui={ui} at={at} />
    </li>
  );
}

const SIGNS: Readonly<Record<Note["tone"], IconName | undefined>> = {
  plain: undefined,
  good: "check",
  warning: "warning",
};

function NoteRow({ ui, note }: { ui: RoomUi; note: Note }): VNode {
  const { key, at, tone, text } = note;
  const sign = SIGNS[tone];
  return (
    <li class={`note note-${tone}`} data-key={key} tabIndex={-1}>
      {sign && <Icon name={sign} />}
      <p dir="auto">{linked(text)}</p>
      <Moment ui={ui} at={at} />
    </li>
  );
}

/** A text of this program, with its links. */
function linked(text: string): (VNode | string)[] {
  const pieces = textBlocks(text).flatMap((block) => block.pieces);
  return pieces.map(({ text, link }, index) =>
    link === undefined
      ? text
      : (
        <a key={index} href={link} target="_blank" rel="noreferrer noopener">
          {text}
        </a>
      )
  );
}
