/**
 * The chat in a page of a browser: what a person does there, and what is to be seen. All that the tests know of the
 * page's elements stands here.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Locator, Page } from "playwright-core";
import type { Profile } from "./profile.ts";

/** More than there are stops for the keyboard. */
const MAX_TABS = 60;

/** A row of the room, as it is shown. */
export interface ShownRow {
  /** The number of a message; null for other rows. */
  readonly seq: number | null;
  /** Its words; those of the whole row where it is no message. */
  readonly text: string;
}

/** A page, and whose profile it is in. */
export class ChatPage {
  constructor(
    /** As the driver has it. */
    readonly page: Page,
    /** Whose it is. */
    readonly profile: Profile,
  ) {}

  /** Where what is said is typed. */
  get box(): Locator {
    return this.page.getByRole("textbox", { name: "Message" });
  }

  /** The list of rows. */
  get log(): Locator {
    return this.page.getByRole("log");
  }

  /** Gives a name, and waits until the room is there. */
  async join(name: string): Promise<void> {
    await this.page.getByLabel("Your name", { exact: true }).fill(name);
    await this.button("Join").click();
    await this.isIn();
  }

  /** Waits until the room is there. */
  async isIn(): Promise<void> {
    await this.box.waitFor();
  }

  /** A button, by the whole of its name. */
  button(name: string, within: Locator | Page = this.page): Locator {
    return within.getByRole("button", { name, exact: true });
  }

  /** Types a line, and Enter. */
  async say(text: string): Promise<void> {
    await this.box.fill(text);
    await this.box.press("Enter");
  }

  /** Waits until words stand in the log, alone or within others. */
  async sees(text: string | RegExp): Promise<void> {
    await this.log.getByText(text).last().waitFor();
  }

  /** Waits until a message of some words has come from the server, also one's own, which stands there before. */
  async hears(text: string): Promise<void> {
    await this.message(text).waitFor();
  }

  /** Waits until words stand anywhere in the page. */
  async shows(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).last().waitFor();
  }

  /** The message of some words: its row. */
  message(text: string): Locator {
    return this.log.locator("[data-seq]").filter({ hasText: text }).last();
  }

  /** Does something about a message, as its buttons and its menu offer it. @param text Words of the message. */
  async act(text: string, deed: "Reply" | "Edit" | "Delete"): Promise<void> {
    const message = this.message(text);
    await message.hover();
    if (deed === "Reply") return await this.button(deed, message).click();
    await this.button("More", message).click();
    const menu = this.page.getByRole("menu", { name: "Message" });
    await menu.getByRole("menuitem", { name: deed }).click();
    if (deed === "Edit") {
      // Who types faster than the page draws would type into an empty box.
      return await this.box.and(this.page.locator(":not(:placeholder-shown)"))
        .waitFor();
    }
    await menu.getByRole("menuitem", { name: "Delete for everybody?" }).click();
  }

  /** Waits until the page says that it is connected, or isn't. */
  async isConnected(isSo = true): Promise<void> {
    await this.page.getByRole("banner").getByRole("status")
      .filter({ hasText: isSo ? /^(Connected|Sending \d+)$/ : "Not connected" })
      .waitFor();
  }

  /** All rows that are in the page now, in order. */
  rows(): Promise<ShownRow[]> {
    return this.log.evaluate((log) =>
      Array.from(log.querySelectorAll<HTMLElement>("[data-key]"), (row) => {
        const words = row.querySelector<HTMLElement>(".message-text") ?? row;
        const seq = Number(row.dataset["seq"] ?? "");
        return { seq: seq === 0 ? null : seq, text: words.innerText };
      })
    );
  }

  /** The words of all messages that are in the page now, in order. */
  async texts(): Promise<string[]> {
    const rows = await this.rows();
    return rows.filter(({ seq }) => seq !== null).map(({ text }) => text);
  }

  /** Waits until a function, which runs in the page, returns true. */
  async until<T>(isSo: (arg: T) => boolean, arg: T): Promise<void> {
    // No expression as a text: the page's policy lets none be evaluated later.
    const anyFunction = isSo as (arg: unknown) => boolean;
    await this.page.waitForFunction(anyFunction, arg as unknown);
  }

  /** Opens a panel that the menu leads to. @returns It. */
  async panel(name: string): Promise<Locator> {
    await this.button("Menu", this.page.getByRole("banner")).click();
    await this.page.getByRole("menuitem", { name }).click();
    return this.page.getByRole("dialog");
  }

  /** The identity as a text, as its panel shows it. */
  async exportIdentity(passphrase: string): Promise<string> {
    const panel = await this.panel("Identity");
    await panel.getByLabel("A passphrase for it").fill(passphrase);
    await panel.getByLabel("The passphrase again").fill(passphrase);
    await this.button("Show it as text and code", panel).click();
    await panel.getByRole("img", { name: /QR code/ }).waitFor();
    return await panel.getByLabel("Your identity as text").inputValue();
  }

  /** Takes an identity over, where a name is asked for. */
  async importIdentity(text: string, passphrase: string, name: string) {
    await this.page.getByText("I have a name on another machine").click();
    await this.page.getByLabel("The text", { exact: true }).fill(text);
    await this.page.getByLabel("Its passphrase").fill(passphrase);
    await this.page.getByLabel("The name you had there").fill(name);
    await this.button("Take it over").click();
    await this.shows("It is here now");
  }

  /** Offers a file, by the button for it. */
  async send(name: string, bytes: Uint8Array): Promise<void> {
    const choosing = this.page.waitForEvent("filechooser");
    await this.button("Attach files").click();
    const chooser = await choosing;
    // The driver takes Node's kind of bytes.
    const buffer = Buffer.from(bytes);
    const mimeType = "application/octet-stream";
    await chooser.setFiles({ name, mimeType, buffer });
    await this.button("Send").click();
  }

  /** Pastes a file into the page, or drops it there. */
  async give(way: "paste" | "drop", name: string, text: string): Promise<void> {
    await this.box.evaluate((box, { way, name, text }) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name, { type: "text/plain" }));
      const common = { bubbles: true, cancelable: true };
      const event = way === "paste"
        ? new ClipboardEvent("paste", { ...common, clipboardData: data })
        : new DragEvent("drop", { ...common, dataTransfer: data });
      if (way === "drop") {
        const over = new DragEvent("dragover", {
          ...common,
          dataTransfer: data,
        });
        box.dispatchEvent(over);
      }
      box.dispatchEvent(event);
    }, { way, name, text });
    await this.button("Send").click();
  }

  /** Presses Tab until the focus is on what a selector finds. */
  async tabTo(selector: string, key: "Tab" | "Shift+Tab" = "Tab") {
    for (let presses = 0; presses < MAX_TABS; presses++) {
      const isThere = await this.page.evaluate(
        (selector) => document.activeElement?.matches(selector) === true,
        selector,
      );
      if (isThere) return;
      await this.page.keyboard.press(key);
    }
    throw new Error(`The keyboard does not lead to ${selector}`);
  }

  /** Keeps in `announced`, from now on, what live regions say. */
  async watchAnnouncements(): Promise<void> {
    await this.page.evaluate(() => {
      const announced: string[] = [];
      Object.assign(globalThis, { announced });
      const live =
        "[aria-live=polite], [aria-live=assertive], [role=status], " +
        "[role=alert], [role=log]:not([aria-live=off])";
      new MutationObserver((changes) => {
        for (const { target, addedNodes } of changes) {
          const node = target instanceof Element
            ? target
            : target.parentElement;
          if (!node?.closest(live)) continue;
          const texts = Array.from(addedNodes, (it) => it.textContent ?? "");
          announced.push(texts.join(" ") || (node.textContent ?? ""));
        }
      }).observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
  }

  /** Waits until live regions have said some words. */
  async isAnnounced(words: string): Promise<void> {
    await this.until((words) => {
      const announced: string[] = Reflect.get(globalThis, "announced");
      return announced.some((it) => it.includes(words));
    }, words);
  }

  /** Looks at the page, or has it hidden, as behind another tab. */
  async look(isLooking: boolean): Promise<void> {
    // A browser without a screen shows all its pages; so the page is told what it would be told.
    await this.page.evaluate((isLooking) => {
      const state = isLooking ? "visible" : "hidden";
      const tell = (name: string, value: unknown) =>
        Object.defineProperty(document, name, { configurable: true, value });
      tell("visibilityState", state);
      tell("hidden", !isLooking);
      tell("hasFocus", () => isLooking);
      document.dispatchEvent(new Event("visibilitychange"));
      globalThis.dispatchEvent(new Event(isLooking ? "focus" : "blur"));
    }, isLooking);
  }
}
