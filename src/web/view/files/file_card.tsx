/**
 * A file that was offered: what it is, how it comes, the picture that it is.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { FileNews } from "../../../client/view.ts";
import { escapeText } from "../../../base/safe_text.ts";
import { formatSize, type Offer } from "../../../protocol/offer.ts";
import type { PageActions, Picture } from "../../stage.ts";
import { Dialog } from "../kit/dialog.tsx";
import { Told } from "../kit/told.tsx";
import { fileState, isPictureName } from "./file_state.ts";

/** What a card needs of the room. */
export type FileActions = Pick<
  PageActions,
  "get" | "drop" | "save" | "picture" | "largePicture"
>;

/** What a card shows. */
export interface FileCardProps {
  /** What was offered. */
  readonly offer: Offer;
  /** The number of its line. */
  readonly seq: number;
  /** Whether this person offers it. */
  readonly own: boolean;
  /** How it comes, if it is being taken, or was. */
  readonly news: FileNews | undefined;
  /** What can be done about it. */
  readonly actions: FileActions;
}

/** A file, with what can be done about it. */
export function FileCard(props: FileCardProps): JSX.Element {
  const { offer, seq, news, own } = props;
  const name = escapeText(offer.name);
  return (
    <div class="file-card" role="group" aria-label={name}>
      {(own || news?.state === "taken") && isPictureName(offer.name) && (
        <SmallPicture {...props} />
      )}
      <div class="file-row">
        <FileIcon />
        <span class="file-words">
          <span class="file-name">
            <Told text={offer.name} />
          </span>
          <span class="file-state" id={`file-state-${seq}`}>
            {fileState(offer, news, own)}
          </span>
        </span>
        <FileButtons {...props} />
      </div>
      {news && news.state !== "taken" && news.state !== "failed" && (
        <progress
          class="file-progress"
          max={news.size}
          value={news.got}
          aria-label={`${name}: ${formatSize(news.got)} of ${
            formatSize(news.size)
          }`}
        />
      )}
    </div>
  );
}

function FileButtons(
  { offer, seq, own, news, actions }: FileCardProps,
): JSX.Element {
  const drop = (label: string) => (
    <button
      type="button"
      class="button"
      onClick={() => actions.drop(seq)}
    >
      {label}
    </button>
  );
  const save = (label: string) => (
    <button
      type="button"
      class="button"
      onClick={() => actions.save(seq)}
    >
      {label}
    </button>
  );
  if (own) return <span class="file-buttons">{drop("Stop offering")}</span>;
  switch (news?.state) {
    case "begun":
    case "taking":
    case "waiting":
      return <span class="file-buttons">{drop("Stop")}</span>;
    case "taken":
      return <span class="file-buttons">{save("Save")}</span>;
    case "failed":
      if (news.again === false) return <span />;
      return <span class="file-buttons">{save("Try again")}</span>;
    case undefined:
      return (
        <span class="file-buttons">
          {isPictureName(offer.name) && (
            <button
              type="button"
              class="button"
              onClick={() => actions.get(seq)}
            >
              Show
            </button>
          )}
          {save("Save")}
        </span>
      );
  }
}

/** The picture itself, once it is here; a click shows it large. */
function SmallPicture({ offer, seq, news, actions }: FileCardProps) {
  const picture = useSignal<Picture | undefined>(undefined);
  const large = useSignal<Picture | undefined>(undefined);
  useEffect(() => {
    let isShown = true;
    actions.picture(seq).then((found) => {
      if (isShown) picture.value = found;
    });
    return () => isShown = false;
  }, [seq, news?.state]);
  if (!picture.value) return null;
  const name = escapeText(offer.name);
  return (
    // Keys in the dialog are no keys of the list in which the card is.
    <div onKeyDown={(event) => large.value && event.stopPropagation()}>
      <button
        type="button"
        class="file-enlarge"
        title="Show it large"
        onClick={async () => large.value = await actions.largePicture(seq)}
      >
        <Img picture={picture.value} name={name} />
      </button>
      {large.value && (
        <Dialog
          title={name}
          class="picture"
          onClose={() => {
            URL.revokeObjectURL(large.value?.url ?? "");
            large.value = undefined;
          }}
        >
          <Img picture={large.value} name={name} />
        </Dialog>
      )}
    </div>
  );
}

function Img({ picture, name }: { picture: Picture; name: string }) {
  const { url, width, height } = picture;
  return (
    <img
      class="file-picture"
      src={url}
      width={width}
      height={height}
      alt={name}
      decoding="async"
    />
  );
}

function FileIcon(): JSX.Element {
  return (
    <svg class="icon file-icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M5 2.5h6.5l3.5 3.5v11.5h-10zM11.5 2.5v3.5h3.5" />
    </svg>
  );
}
