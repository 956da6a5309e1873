/**
 * The page came by plain HTTP, where browsers have no encryption.
 *
 * @module
 */

import type { JSX } from "preact";
import { Told } from "../kit/told.tsx";
import { Heading } from "../kit/heading.tsx";
import { placeName } from "../kit/place_name.ts";
import { SavePage } from "./save_page.tsx";
import type { StageAt } from "./start_props.ts";

/** Says why the page can't work here, and the three ways. */
export function InsecureStage(
  { stage }: { readonly stage: StageAt<"insecure"> },
): JSX.Element {
  const { isOld, link } = stage;
  if (isOld) return <OldBrowser link={link} />;
  return (
    <>
      <Heading takesFocus>This page needs HTTPS, or a file</Heading>
      <p>
        It came from <Told text={placeName(stage.origin)} />{" "}
        over plain HTTP. There browsers refuse encryption to a page, so it
        cannot join the room. Nothing was sent. There are three ways:
      </p>
      <ol class="start-ways">
        <li>
          <strong>A file, at once.</strong>{" "}
          Save this page, open the saved file in your browser and paste the
          link. Who sits between you and the server could alter the file on its
          way: compare it before you open it.
          <SavePage from="/chat.html" />
          <RoomLink link={link} />
        </li>
        <li>
          <strong>A certificate.</strong>{" "}
          Ask the server's owner to start it with{" "}
          <code>--web-cert FILE --web-key FILE</code>, and come by the new link.
        </li>
        <li>
          <strong>A proxy in front</strong>{" "}
          that has a certificate, such as Caddy: the server's guide,
          docs/server.md, shows how.
        </li>
      </ol>
    </>
  );
}

/** The link, to be selected: what copies by itself needs HTTPS, too. */
function RoomLink({ link }: { readonly link: string }): JSX.Element | null {
  if (link === "") return null;
  return (
    <>
      <p>The room's link, with its key:</p>
      <pre class="start-command" tabIndex={0}>{link}</pre>
    </>
  );
}

/** What the browser lacks, and which ones have it. */
function OldBrowser({ link }: { readonly link: string }): JSX.Element {
  return (
    <>
      <Heading takesFocus>This browser is too old</Heading>
      <p>
        It lacks what the page needs for encryption, so it cannot join the room.
        Nothing was sent.
      </p>
      <p>
        Use Chrome or Edge from version 140, Firefox from 133, or Safari from
        18.2 on.
      </p>
      <RoomLink link={link} />
    </>
  );
}
