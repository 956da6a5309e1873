/**
 * Reactions: which texts are one emoji, and the short names by which people type some of them.
 *
 * @module
 */

/** The longest emoji, UTF-16 units: families and flags of regions are up to 14 or so. */
const MAX_UNITS = 32;

let clusters: Intl.Segmenter | undefined; // made for the first emoji: it takes 2 ms
const emoji =
  /^(?:(?!\p{Regional_Indicator})[\p{Extended_Pictographic}\p{Emoji_Presentation}]|\p{Regional_Indicator}{2}$|[0-9#*]\ufe0f?\u20e3$)/u;

/** Emoji by what is typed for them. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  "+1": "👍",
  "-1": "👎",
  heart: "❤️",
  smile: "😄",
  laugh: "😂",
  wow: "😮",
  sad: "😢",
  party: "🎉",
  eyes: "👀",
  thanks: "🙏",
  yes: "✅",
  no: "❌",
};

/** Whether a text is one emoji, which people see as one character. */
export function isEmoji(text: string): boolean {
  if (text.length > MAX_UNITS || !emoji.test(text)) return false;
  clusters ??= new Intl.Segmenter("en");
  return [...clusters.segment(text)].length === 1;
}
