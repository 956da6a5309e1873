/**
 * The page's program before there is a room, in a browser of the test's own.
 *
 * @module
 */

import { randomBytes } from "../../../crypto_utils.ts";
import { formatInvite, ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import { formatWebLink } from "../../../src/keys/web_link.ts";
import { App } from "../../../src/web/app.ts";
import type { Browser } from "../../../src/web/platform/browser.ts";
import { Tab } from "../../../src/web/platform/tab.ts";
import { assertEquals } from "../../kit/assert.ts";
import { servedFrom } from "../../kit/page_app.ts";
import { replaced } from "../../kit/replaced.ts";

const ORIGIN = "http://chat.example:5000";

/** A page that a link has led to, and where it dialled: nobody answers there. */
async function opened(): Promise<{ app: App; dialled: string[] }> {
  const dialled: string[] = [];
  const invite = formatInvite({
    host: "chat.example",
    port: 5000,
    id: ROOM_INVITE_ID,
    serverKey: randomBytes(32),
    secret: randomBytes(32),
  });
  const browser: Browser = {
    here: servedFrom(ORIGIN),
    fragment: () => new URL(formatWebLink(invite, ORIGIN)).hash.slice(1),
    isSecure: true,
    isCurrent: true,
    tab: new Tab(undefined),
    openDatabase: () => Promise.reject(new Error("storage is off")),
    dial: (url) => {
      dialled.push(url);
      return new Promise(() => {});
    },
    hideFragment: () => {},
    visit: () => {},
    save: () => {},
    persist: () => {},
    watch: () => {},
  };
  const app = new App({ browser });
  await app.start();
  return { app, dialled };
}

Deno.test("who asks twice to be let in goes in once", async () => {
  const { app, dialled } = await opened();
  await Promise.all([app.join("ana"), app.join("ana")]);
  assertEquals(dialled.length, 1);
  app.leave();
});

Deno.test("who goes elsewhere while an identity can't be made isn't asked for a name there", async () => {
  const { app, dialled } = await opened();
  const fail = () => Promise.reject(new Error("no keys today"));
  using _ = replaced(crypto.subtle, "importKey", fail);
  const joining = app.join("ana");
  app.again();
  await joining;
  assertEquals([app.stage.value.at, dialled], ["place", []]);
});

Deno.test("who goes elsewhere while who they are is looked up doesn't go in", async () => {
  const { app, dialled } = await opened();
  const joining = app.join("ana");
  app.again();
  await joining;
  assertEquals([app.stage.value.at, dialled], ["place", []]);
});
