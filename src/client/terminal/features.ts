/**
 * What the terminal is known to be able to do, by the variables that terminals set. One that isn't known is asked for
 * nothing: it might show what it doesn't understand.
 *
 * The table is what programs that mark links or notify use as well: terminals can't be asked for these.
 *
 * @module
 */

/** How a terminal tells the desktop something: `OSC 9` with a text, `OSC 777` with a title and a text. */
export type Notification = "osc9" | "osc777";

/** What a terminal can do. */
export interface Features {
  /** Whether it reads sequences for its title, its focus and its background; others ignore these. */
  readonly sequences: boolean;
  /** Whether it knows links (`OSC 8`). */
  readonly links: boolean;
  /** How it notifies; undefined if it isn't known to. */
  readonly notifies?: Notification;
}

/** Nothing, as for a terminal that isn't known. */
export const NO_FEATURES: Features = { sequences: false, links: false };

/** The variables of the environment that say which terminal it is. */
export type VariableName =
  | "TERM"
  | "TERM_PROGRAM"
  | "TERM_PROGRAM_VERSION"
  | "VTE_VERSION"
  | "WT_SESSION"
  | "TMUX"
  | "STY"
  | "XTERM_VERSION";

/** By `TERM_PROGRAM`: from which version (major, minor) on it knows links, and how it notifies. */
const PROGRAMS: ReadonlyMap<
  string,
  { links: readonly [number, number]; notifies?: Notification }
> = new Map([
  ["iTerm.app", { links: [3, 1], notifies: "osc9" }],
  ["WezTerm", { links: [20_200_620, 0], notifies: "osc777" }],
  ["ghostty", { links: [0, 0], notifies: "osc777" }],
  ["vscode", { links: [1, 72] }],
  ["tmux", { links: [3, 4] }],
  ["zed", { links: [0, 0] }],
]);

/** By the start of `TERM`, which is also there over SSH. */
const TERMS: readonly (readonly [string, Omit<Features, "sequences">])[] = [
  ["xterm-kitty", { links: true, notifies: "osc9" }],
  ["xterm-ghostty", { links: true, notifies: "osc777" }],
  ["wezterm", { links: true, notifies: "osc777" }],
  ["foot", { links: true, notifies: "osc777" }],
  ["contour", { links: true, notifies: "osc777" }],
  ["alacritty", { links: true }],
  ["rxvt-unicode", { links: false, notifies: "osc777" }],
];

/** From this version on VTE (GNOME Terminal and others) knows links; it writes 0.50.1 as 5001, and 0.50.0 crashed. */
const VTE_WITH_LINKS = 5001;

/** These show what they don't understand, or can't be asked. */
const SIMPLE = /^(|dumb|unknown|linux|ansi|cons25|vt\d+)$/;

/** Reads a variable of the environment. */
export type TerminalVariable = (name: VariableName) => string | undefined;

/**
 * Whether the terminal breaks its rows anew when it gets narrower: xterm, screen, PuTTY, st and the console of Linux
 * leave them as they are.
 */
export function rebreaks(get: TerminalVariable): boolean {
  const has = (name: VariableName) => (get(name) ?? "") !== "";
  if (has("TMUX")) return true; // whichever terminal it runs in
  if (has("STY") || has("XTERM_VERSION")) return false;
  return !/^(linux|putty|screen|st)([-.]|$)/.test(get("TERM") ?? "");
}

/** What the terminal can do. @param get Reads a variable of the environment. */
export function featuresOf(get: TerminalVariable): Features {
  const term = get("TERM") ?? "";
  const isWindows = get("WT_SESSION") !== undefined;
  if (!isWindows && SIMPLE.test(term)) return NO_FEATURES;
  const program = get("TERM_PROGRAM") ?? "";
  // Within tmux or screen, what the outer terminal has said of itself isn't true of it.
  if (/^(tmux|screen)/.test(term) && program !== "tmux") {
    return { sequences: true, links: false };
  }
  const byProgram = PROGRAMS.get(program);
  if (byProgram) {
    const { links, ...rest } = byProgram;
    const version = get("TERM_PROGRAM_VERSION") ?? "";
    return { sequences: true, links: isFrom(version, links), ...rest };
  }
  const [, byTerm] = TERMS.find(([start]) => term.startsWith(start)) ?? [];
  if (byTerm) return { sequences: true, ...byTerm };
  const vte = Number(get("VTE_VERSION") ?? 0);
  return { sequences: true, links: isWindows || vte >= VTE_WITH_LINKS };
}

/** Whether a version is at least that one; one that can't be read is taken for new. */
function isFrom(
  version: string,
  [major, minor]: readonly [number, number],
): boolean {
  const [, first, second] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  if (first === undefined || Number(first) > major) return true;
  return Number(first) === major && Number(second ?? 0) >= minor;
}
