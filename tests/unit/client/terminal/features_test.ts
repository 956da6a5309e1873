/**
 * Tests of what terminals are taken to be able to do.
 *
 * @module
 */

import {
  featuresOf,
  rebreaks,
} from "../../../../src/client/terminal/features.ts";
import { assertEquals } from "../../../kit/assert.ts";

Deno.test("featuresOf() knows terminals by their variables, and expects nothing of the others", () => {
  const none = { sequences: false, links: false };
  const some = { sequences: true, links: false };
  const links = { sequences: true, links: true };
  const osc9 = { ...links, notifies: "osc9" as const };
  const osc777 = { ...links, notifies: "osc777" as const };
  const program = (name: string, version = "") => ({
    TERM: "xterm-256color",
    TERM_PROGRAM: name,
    TERM_PROGRAM_VERSION: version,
  });
  const cases: [Record<string, string>, ReturnType<typeof featuresOf>][] = [
    [{}, none],
    [{ TERM: "dumb" }, none],
    [{ TERM: "linux" }, none],
    [{ TERM: "vt100" }, none],
    [{ TERM: "dumb", TERM_PROGRAM: "iTerm.app" }, none],
    [{ TERM: "xterm" }, some],
    [{ TERM: "xterm-256color" }, some],
    [{ TERM: "xterm-kitty" }, osc9],
    [{ TERM: "foot-extra" }, osc777],
    [{ TERM: "rxvt-unicode-256color" }, { ...some, notifies: "osc777" }],
    [{ TERM: "alacritty" }, links],
    [program("iTerm.app", "3.5.2"), osc9],
    [program("iTerm.app", "3.0.15"), { ...osc9, links: false }],
    [program("WezTerm", "20240203-110809-5046fc22"), osc777],
    [program("vscode", "1.100.2"), links],
    [program("vscode", "1.71.0"), some],
    [program("ghostty", "1.2.0"), osc777],
    [program("Apple_Terminal", "455"), some],
    [program("toString", "1"), some],
    [{ TERM: "xterm-256color", VTE_VERSION: "6800" }, links],
    [{ TERM: "xterm-256color", VTE_VERSION: "5000" }, some],
    [{ WT_SESSION: "0b1d" }, links],
    [{ TERM: "xterm-256color", WT_SESSION: "0b1d" }, links],
    // Within tmux and screen: what stands outside isn't asked through them.
    [{ TERM: "screen.xterm-256color", TERM_PROGRAM: "iTerm.app" }, some],
    [{ TERM: "tmux-256color", VTE_VERSION: "6800" }, some],
    [{ ...program("tmux", "3.4"), TERM: "tmux-256color" }, links],
    [{ ...program("tmux", "3.3a"), TERM: "screen" }, some],
    [{ ...program("tmux", "next-3.6"), TERM: "screen" }, links],
  ];
  for (const [env, expected] of cases) {
    const features = featuresOf((variable) => env[variable]);
    assertEquals(features, expected, JSON.stringify(env));
  }
});

Deno.test("rebreaks() knows terminals that leave their rows as they are", () => {
  const cases: [Record<string, string>, boolean][] = [
    [{}, true],
    [{ TERM: "xterm-256color" }, true],
    [{ TERM: "xterm", XTERM_VERSION: "XTerm(379)" }, false],
    [{ TERM: "screen", TMUX: "/tmp/tmux", XTERM_VERSION: "XTerm(379)" }, true],
    [{ TERM: "screen.xterm-256color", STY: "1.pts" }, false],
    [{ TERM: "screen-256color" }, false],
    [{ TERM: "st-256color" }, false],
    [{ TERM: "linux", TMUX: "" }, false],
  ];
  for (const [env, is] of cases) {
    assertEquals(rebreaks((name) => env[name]), is, JSON.stringify(env));
  }
});
