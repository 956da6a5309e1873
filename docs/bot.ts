// A bot, which tells the time to those who ask for it. Run it in a folder of its own, with a link for it; from a folder
// beside the copy of the repository, `chat`, that is
//     deno run --allow-net --allow-read=. --allow-write=. ../chat/docs/bot.ts 'chat://…'
// and a copy of this file runs there by `-c ../chat/deno.json bot.ts` in its place.
import { join } from "@chat/encrypted-chat/client";
const [link] = Deno.args;
// deno-lint-ignore no-console
if (!link) console.error("Usage: bot.ts LINK");
if (!link) Deno.exit(2);
await using room = await join(link, { name: "timebot", identity: "bot.id" });
for await (const event of room.events()) {
  if (event.type !== "said" || event.own || event.text !== "!time") continue;
  const time = new Date().toISOString().slice(11, 16);
  await room.reply(event.seq, `It is ${time} UTC`);
}
