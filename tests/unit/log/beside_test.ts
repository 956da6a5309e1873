import { besideLog } from "../../../src/log/beside.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("besideLog() names a file after the log, and after its older parts alike", () => {
  const names = [
    ["chat.log", "chat.control"],
    ["chat.log.1", "chat.control"],
    ["chat.log-20261128", "chat.control"],
    ["/srv/a.log/room.log", "/srv/a.log/room.control"],
    ["talk", "talk.control"],
  ];
  for (const [log = "", beside] of names) {
    assertEquals(besideLog(log, "control"), beside);
  }
});
