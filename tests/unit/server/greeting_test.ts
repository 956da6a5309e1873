import { FileError } from "../../../src/base/private_file.ts";
import { MAX_TEXT_SIZE } from "../../../src/protocol/reasons.ts";
import { greeting } from "../../../src/server/greeting.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";

Deno.test("greeting() tells the largest file, and the message of the day without the line's end, if there is one", async () => {
  await using folder = await Folder.make();
  const limits = { kind: "limits", fileSize: 7 } as const;
  assertEquals(await greeting(7), [limits]);
  const motd = await folder.write("motd", " Be kind.\n  And brief.\n\n");
  assertEquals(await greeting(7, motd), [
    limits,
    { kind: "motd", text: " Be kind.\n  And brief." },
  ]);
});

Deno.test("greeting() refuses a message of the day that is missing or too long", async () => {
  await using folder = await Folder.make();
  const long = await folder.write("long", "x".repeat(MAX_TEXT_SIZE + 1));
  await assertRejects(() => greeting(7, folder.file("none")), FileError);
  await assertRejects(() => greeting(7, long), FileError, "more than");
  const longest = await folder.write("longest", "x".repeat(MAX_TEXT_SIZE));
  assertEquals((await greeting(7, longest)).length, 2);
});
