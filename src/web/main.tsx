/**
 * The web page: starts its program, and shows where that is.
 *
 * @module
 */

import { effect } from "@preact/signals";
import { render, type VNode } from "preact";
import { App } from "./app.ts";
import { PageSettings, wearTheme } from "./settings.ts";
import { PageNotifier } from "./view/notify.ts";
import { pageSurface } from "./view/page_surface.ts";
import { Room } from "./view/room/room.tsx";
import { Start } from "./view/start/start.tsx";

/** The page, wherever its program is. */
function Page({ app, settings }: { app: App; settings: PageSettings }): VNode {
  const stage = app.stage.value;
  if (stage.at !== "room") return <Start app={app} />;
  const { room, actions } = stage;
  return <Room room={room} actions={actions} app={app} settings={settings} />;
}

function start(place: HTMLElement): void {
  const settings = new PageSettings();
  wearTheme(settings, document);
  const notifier = new PageNotifier(settings, pageSurface(document));
  const app = new App({
    model: {
      words: () => settings.words,
      joins: () => settings.get("joins"),
      told: (news, isMention) => notifier.tell(news, isMention),
    },
  });
  effect(() => {
    const stage = app.stage.value;
    notifier.follow(stage.at === "room" ? stage.room : undefined);
  });
  render(<Page app={app} settings={settings} />, place);
  void app.start();
}

const place = document.getElementById("page");
if (place) start(place);
