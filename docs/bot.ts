// A bot, which tells the time to those who ask for it. Run it in a folder of its own, with a link for it:
//     deno run --allow-net --allow-read=. --allow-write=. bot.ts 'chat://…'
import { join } from "@chat/encrypted-chat/client";

const [link = ""] = Deno.args;
await using room = await join(link, { name: "timebot", identity: "bot.id" });
for await (const event of room.events()) {
  if (event.type !== "said" || event.own || event.text !== "!time") continue;
  const time = new Date().toISOString().slice(11, 16);
  await room.reply(event.seq, `It is ${time} UTC`);
}
