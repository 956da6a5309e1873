// A bot, which tells the time to those who ask for it. Run it in a folder of its own, with a link for it; from a folder
// beside the copy of the repository, `chat`, that is
//     deno run --allow-net --allow-read=. --allow-write=. ../chat/docs/bot.ts 'chat://…'
// and a copy of this file runs there by `-c ../chat/deno.json bot.ts` in its place.
import { fail, join } from "@chat/encrypted-chat/client";
async function tellTime(link = "") {
  await using room = await join(link, { name: "timebot", identity: "bot.id" });
  for await (const event of room.events()) {
    if (event.type !== "said" || event.own || event.text !== "!time") continue;
    const time = new Date().toISOString().slice(11, 16);
    await room.reply(event.seq, `It is ${time} UTC`);
  }
}
await tellTime(Deno.args[0]).catch(fail);
