/**
 * Tests of `src/server/prometheus.ts` against the text format's own description.
 *
 * @module
 */

import { Exposition } from "../../../src/server/prometheus.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("Exposition writes counters, gauges and histograms as Prometheus reads them", () => {
  const figures = new Exposition("chat_");
  const plain = figures.count("messages_total", "Messages logged");
  const labelled = figures.count("refused_total", "Refused", "reason");
  figures.count("unused_total", "Not yet");
  let members = 2;
  figures.level("members", "Members in the room", () => members);
  figures.total("sent_total", "Sent", () => members * 2);
  const sizes = figures.distribution("batch", "Events", [1, 5]);
  plain.add(3);
  plain.add();
  labelled.add(1, "bad");
  labelled.add(2, 'quo"te\\');
  members = 7;
  for (const size of [1, 2, 5, 6]) sizes.observe(size);
  assertEquals(figures.text().split("\n"), [
    "# HELP chat_messages_total Messages logged",
    "# TYPE chat_messages_total counter",
    "chat_messages_total 4",
    "# HELP chat_refused_total Refused",
    "# TYPE chat_refused_total counter",
    'chat_refused_total{reason="bad"} 1',
    'chat_refused_total{reason="quo\\"te\\\\"} 2',
    "# HELP chat_unused_total Not yet",
    "# TYPE chat_unused_total counter",
    "chat_unused_total 0",
    "# HELP chat_members Members in the room",
    "# TYPE chat_members gauge",
    "chat_members 7",
    "# HELP chat_sent_total Sent",
    "# TYPE chat_sent_total counter",
    "chat_sent_total 14",
    "# HELP chat_batch Events",
    "# TYPE chat_batch histogram",
    'chat_batch_bucket{le="1"} 1',
    'chat_batch_bucket{le="5"} 3',
    'chat_batch_bucket{le="+Inf"} 4',
    "chat_batch_sum 14",
    "chat_batch_count 4",
    "",
  ]);
});
