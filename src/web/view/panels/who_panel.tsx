/**
 * Who is in the room.
 *
 * @module
 */

import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { spokenId } from "../../../crypto/person_id.ts";
import { PLAIN_AWAY } from "../../../protocol/reasons.ts";
import { foldedName } from "../../../protocol/names.ts";
import type { Somebody } from "../../../client/person.ts";
import type { Present } from "../../../client/view.ts";
import { Told } from "../kit/told.tsx";
import { TextField } from "../kit/text_field.tsx";
import { dayTime, idleFor } from "../kit/moments.ts";
import type { PanelProps } from "./panel_props.ts";

/** From so many persons on, names can be searched. */
const MANY = 12;

/** A row for each, which opens to what can be done; and which kind of room it is. */
export function WhoPanel(props: PanelProps): JSX.Element {
  const { room, actions } = props;
  const words = useSignal("");
  const version = useSignal(0);
  const wanted = foldedName(words.value.trim());
  const present = room.present.value;
  const shown = present.filter(({ name }) => foldedName(name).includes(wanted))
    .toSorted((a, b) => a.name.localeCompare(b.name));
  const keepers = actions.keepers();
  return (
    <>
      <p class="panel-hint">
        {keepers
          ? "A sealed room: its server cannot read what is said."
          : "An open room: its server reads what is said."}
      </p>
      {present.length === 0 && <p>Not connected: member list unknown</p>}
      {present.length > MANY && (
        <TextField
          label="Find a name"
          value={words.value}
          onValue={(value) => words.value = value}
        />
      )}
      <ul class="panel-people">
        {shown.map((person) => (
          <li key={person.person}>
            <Person
              {...props}
              version={version}
              member={person}
              isKeeper={keepers?.some((it) => it.person === person.person) ===
                true}
            />
          </li>
        ))}
      </ul>
      {keepers && <AbsentKeepers keepers={keepers} present={present} />}
      <IgnoredPeople {...props} version={version} />
    </>
  );
}

/** What shows whom one ignores. */
interface IgnoringProps extends PanelProps {
  /** Another number each time that this changes. */
  readonly version: Signal<number>;
}

/** One who is there. */
interface PersonProps extends IgnoringProps {
  readonly member: Present;
  readonly isKeeper: boolean;
}

function Person(props: PersonProps): JSX.Element {
  const { member, isKeeper, actions, settings } = props;
  const isOpen = useSignal(false);
  const { name, person, since, active, away, connections } = member;
  const isSelf = actions.isSelf(member);
  const idle = idleFor(active);
  return (
    <details
      class="panel-person"
      onToggle={(event) => isOpen.value = event.currentTarget.open}
    >
      <summary>
        <span class={`panel-dot ${away === "" ? "" : "panel-dot-away"}`} />
        <span class="panel-person-name">
          <Told text={name} />
          {isSelf && <span class="panel-tag">you</span>}
          {isKeeper && <span class="panel-tag">keeper</span>}
        </span>
        <span class="panel-person-state">
          {away === ""
            ? idle !== "" && `idle ${idle}`
            : away === PLAIN_AWAY
            ? away
            : (
              <>
                away: <Told text={away} />
              </>
            )}
        </span>
      </summary>
      {isOpen.value && (
        <div class="panel-person-more">
          <p class="panel-hint">
            <span class="panel-id">{spokenId(person)}</span>
            <br />
            since {dayTime(since, settings.hour12)}
            {connections > 1 && `, by ${connections} connections`}
          </p>
          {!isSelf && <Deeds {...props} />}
        </div>
      )}
    </details>
  );
}

/** What can be done about somebody. */
function Deeds(
  { member, actions, panels, compose, version }: PersonProps,
): JSX.Element {
  version.value; // draws this again
  const { name, person } = member;
  const found = actions.verification(person);
  const isVerified = typeof found === "object" && found.isVerified;
  const write = (text: string) => {
    panels.close();
    compose(text);
  };
  return (
    <>
      <p class="panel-hint">
        {isVerified ? "You have verified this person." : "Not verified yet."}
      </p>
      <div class="panel-actions">
        <button type="button" class="button" onClick={() => write(`@${name} `)}>
          Mention
        </button>
        <button
          type="button"
          class="button"
          onClick={() => write(`/msg ${name} `)}
        >
          Write privately
        </button>
        <button
          type="button"
          class="button"
          onClick={() => panels.show("verify", person)}
        >
          Verify
        </button>
        <button
          type="button"
          class="button"
          onClick={() => ignoreOrNot(actions, person, version)}
        >
          {actions.ignored.find(person) ? "Show again" : "Ignore"}
        </button>
      </div>
    </>
  );
}

/** Keepers who aren't here. */
function AbsentKeepers(
  { keepers, present }: {
    readonly keepers: readonly Somebody[];
    readonly present: readonly Present[];
  },
): JSX.Element | null {
  const absent = keepers.filter(({ person }) =>
    !present.some((it) => it.person === person)
  );
  if (absent.length === 0) return null;
  return (
    <p class="panel-hint">
      Keepers who are not here:{" "}
      {absent.map(({ name, person }, at) => (
        <span key={person}>
          {at > 0 && ", "}
          <Told text={name} />
        </span>
      ))}
    </p>
  );
}

async function ignoreOrNot(
  actions: PanelProps["actions"],
  person: string,
  version: Signal<number>,
): Promise<void> {
  await actions.run(`/ignore ${person}`);
  version.value++;
}

/** Whom one ignores, here or not. */
function IgnoredPeople(
  { actions, version, room }: IgnoringProps,
): JSX.Element | null {
  version.value; // draws this again
  const ignored = actions.ignored.members(room.present.value);
  if (ignored.length === 0) return null;
  return (
    <section class="panel-section">
      <h3>Ignored</h3>
      <p class="panel-hint">
        You see nothing of them, under any name, in any room.
      </p>
      <ul class="panel-ignored">
        {ignored.map(({ name, person }) => (
          <li key={person}>
            <span>
              <Told text={name} />
              <br />
              <span class="panel-id panel-hint">{spokenId(person)}</span>
            </span>
            <button
              type="button"
              class="button"
              onClick={() => ignoreOrNot(actions, person, version)}
            >
              Show again
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
