/**
 * What the program asks a person before it goes on.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Question, RoomModel } from "../../room_model.ts";
import { Dialog } from "../kit/dialog.tsx";
import { TextField } from "../kit/text_field.tsx";
import { Notes } from "./notes.tsx";

/** What ends the words of a question that is answered by yes or no. */
const YES_OR_NO = /\s*\(yes\/no\)\s*$/;
/** What ends the words of any other. */
const PROMPT = /:\s*$/;

/** What a dialog about questions needs of the room. */
export type AskingRoom = Pick<RoomModel, "question" | "rows">;

/** The question that is open, if there is one. */
export function QuestionDialog(
  { room }: { readonly room: AskingRoom },
): JSX.Element | null {
  const question = room.question.value;
  if (!question) return null;
  const isYesOrNo = YES_OR_NO.test(question.text);
  const title = question.text.replace(isYesOrNo ? YES_OR_NO : PROMPT, "");
  return (
    <Dialog
      key={question.text}
      title={title}
      class="question"
      closeLabel="Do not answer, and leave"
      onClose={() => question.answer(null)}
    >
      <Notes room={room} />
      {isYesOrNo
        ? <YesOrNo question={question} />
        : <Words question={question} label={title} />}
    </Dialog>
  );
}

function YesOrNo({ question }: { readonly question: Question }): JSX.Element {
  return (
    <div class="question-answers">
      <button
        type="button"
        class="button-quiet"
        onClick={() => question.answer("/help")}
      >
        Explain
      </button>
      <button
        type="button"
        class="button"
        onClick={() => question.answer("no")}
      >
        No
      </button>
      <button
        type="button"
        class="button"
        onClick={() => question.answer("yes")}
      >
        Yes
      </button>
    </div>
  );
}

function Words(
  { question, label }: { readonly question: Question; readonly label: string },
): JSX.Element {
  const answer = useSignal("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        question.answer(answer.value);
      }}
    >
      <TextField
        label={label}
        value={answer.value}
        onValue={(value) => answer.value = value}
        takesFocus
      />
      <div class="question-answers">
        <button type="submit" class="button button-main">Answer</button>
      </div>
    </form>
  );
}
