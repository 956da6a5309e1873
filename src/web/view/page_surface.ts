/**
 * The page as the browser shows it outside of itself: its title, its icon, notifications.
 *
 * @module
 */

import type { PageSurface } from "./notify.ts";

/** A bubble with a keyhole; with a dot where something is unread. Drawn here, so that nothing is asked of a server. */
function icon(isMarked: boolean): string {
  const dot = isMarked
    ? '<circle cx="25" cy="7" r="7" fill="#d92d20" stroke="#fff" stroke-width="2"/>'
    : "";
  const drawing =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M6 3h20a5 5 0 0 1 5 5v11a5 5 0 0 1-5 5H15l-7 6v-6H6a5 5 0 0 1-5-5V8a5 5 0 0 1 5-5z" fill="#2f6f5e"/><circle cx="16" cy="11.5" r="3" fill="#fff"/><path d="M14.7 13h2.600l1 6h-4.600z" fill="#fff"/>${dot}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}

/** Whether the browser has notifications, and whether the person allows them. */
export type NotificationState = NotificationPermission | "missing";

/** Whether notifications can be shown. */
export function notificationState(): NotificationState {
  return "Notification" in globalThis ? Notification.permission : "missing";
}

/** Asks the person, by the browser, whether notifications may be shown; only on a click, or browsers refuse it. */
export async function askForNotifications(): Promise<NotificationState> {
  if (notificationState() === "missing") return "missing";
  return await Notification.requestPermission();
}

/** What a notifier shows in this page's browser. @param page The document, which has a link to an icon. */
export function pageSurface(page: Document): PageSurface {
  const link = page.querySelector<HTMLLinkElement>("link[rel=icon]");
  return {
    isHidden: () => page.visibilityState === "hidden" || !page.hasFocus(),
    entitle: (title, isMarked) => {
      page.title = title;
      if (link) link.href = icon(isMarked);
    },
    notify: show,
  };
}

function show(title: string, body: string, tag: string): void {
  if (notificationState() !== "granted") return;
  try {
    const notification = new Notification(title, { body, tag });
    notification.onclick = () => {
      globalThis.focus();
      notification.close();
    };
  } catch {
    // Browsers of telephones show notifications of a service worker alone, which a page from disk can't have.
  }
}
