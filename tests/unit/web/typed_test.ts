import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { Ignored } from "../../../src/client/ignored.ts";
import { PAGE_COMMANDS } from "../../../src/web/commands.ts";
import { Typed, type TypedContext } from "../../../src/web/typed.ts";

/** What is asked for, as words. */
function setUp(say: (text: string) => Promise<void> = () => Promise.resolve()) {
  const asked: string[] = [];
  const note = (text: string) => void asked.push(`note ${text}`);
  const context: Partial<TypedContext> = {
    ignored: new Ignored(),
    note,
    say: (text) => {
      asked.push(`say ${text}`);
      return say(text);
    },
    who: () => [],
    keepers: () => undefined,
    get: (seq) => void asked.push(`get ${seq}`),
    write: (to, text) => {
      asked.push(`write ${to} ${text}`);
      return Promise.resolve();
    },
  };
  return { asked, typed: new Typed(context as TypedContext) };
}

Deno.test("a text that is typed is said, and a command carried out", async () => {
  const { asked, typed } = setUp();
  const lines = ["hello", "//etc is a folder", "/msg ben hi", "/get 7"];
  for (const line of lines) await typed.run(line);
  assertEquals(asked, [
    "say hello",
    "say /etc is a folder",
    "write ben hi",
    "get 7",
  ]);
});

Deno.test("what a command tells is told at once, in its rows", async () => {
  const { asked, typed } = setUp();
  await typed.run("/help re");
  assertEquals(asked.length, 1);
  const [help = ""] = asked;
  assertEquals(help.split("\n").slice(0, 1), ["note /re N TEXT"]);
  await typed.run("/help");
  const rows = asked[1]?.split("\n") ?? [];
  assertEquals(
    rows.filter((row) => row.startsWith("/re N")),
    ["/re N TEXT · Answer message N; here: Reply"],
  );
});

Deno.test("a mistyped command is told, and never said", async () => {
  const { asked, typed } = setUp();
  await typed.run("/hlep");
  assertEquals(asked, [
    'note Unknown command "/hlep". Did you mean /help? To send that line, begin it with two slashes',
  ]);
});

Deno.test("lines are taken in turn, and one that fails holds up none behind it", async () => {
  const first = Promise.withResolvers<void>();
  const { asked, typed } = setUp((text) =>
    text === "first" ? first.promise : Promise.resolve()
  );
  const failing = typed.run("first");
  const second = typed.run("second");
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assertEquals(asked, ["say first"]);
  first.reject(new Error("gone"));
  await assertRejects(() => failing, Error, "gone");
  await second;
  assertEquals(asked, ["say first", "say second"]);
});

Deno.test("a command of the terminal's says what does the same in the page, and is in no list", async () => {
  const { asked, typed } = setUp();
  for (const line of ["/set clock 12", "/SEND hut.jpg", "/help set"]) {
    await typed.run(line);
  }
  assertEquals(asked, [
    "note /set is for the terminal. Here, use Settings, in the menu",
    "note /send is for the terminal. Here, use Attach files, beside the box; or drop them on the page",
    "note /set\n/set is for the terminal. Here, use Settings, in the menu. The page has its own way for it",
  ]);
  assertEquals(PAGE_COMMANDS.all.some(({ name }) => name === "/set"), false);
});

Deno.test("the help in the page names no key of the terminal's", () => {
  const helps = PAGE_COMMANDS.all.map(({ help }) => help);
  assertEquals(helps.filter((help) => /Ctrl-/.test(help)), []);
});
