/**
 * Debian's Chromium, driven by playwright-core: one for all that a process does with it.
 *
 * @module
 */

import fs from "node:fs";
import type { Browser } from "playwright-core";

/** A name by which a page finds this machine, and to which browsers grant no more than to any other. */
export const ELSEWHERE = "chat.example";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

/** Where a program is that `PATH` leads to; undefined if nowhere. */
export function findProgram(names: readonly string[]): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return names.flatMap((name) => folders.map((it) => `${it}/${name}`))
    .find((path) => fs.existsSync(path));
}

const program = findProgram(PROGRAMS);

/** Whether there is one here. */
export const hasChromium: boolean = program !== undefined;

/** What this module needs of playwright-core. */
async function loadDriver() {
  const { existsSync } = fs;
  // When it is loaded, it looks below /proc for Windows, for which Deno would want every permission there is.
  fs.existsSync = (path) =>
    !/^\/(proc|run)\//.test(String(path)) && existsSync(path);
  try {
    return (await import("playwright-core")).chromium;
  } finally {
    fs.existsSync = existsSync;
  }
}

/** Starts the browser. Its profiles are in memory, and new each. */
async function launch(): Promise<Browser> {
  const driver = await loadDriver();
  return await driver.launch({
    ...(program === undefined ? {} : { executablePath: program }),
    args: [
      "--disable-gpu",
      "--disable-sync",
      `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`,
    ],
  });
}

let running: Promise<Browser> | undefined;

/** The browser, which is started when it is first asked for. */
export function chromium(): Promise<Browser> {
  return running ??= launch().then((browser) => {
    // One that has crashed fails the test it was in, and not all that follow.
    browser.once("disconnected", () => running = undefined);
    return browser;
  });
}

/** Ends it, if it was started. */
export async function closeChromium(): Promise<void> {
  await (await running)?.close();
  running = undefined;
}
