import { assertEquals, assertMatch } from "@std/assert";
import type { ServerEvent } from "../../lib/server/events.ts";
import { rehearse } from "../../lib/server/rehearsal.ts";

const SAMPLE = new URL("../../media/video.mjpeg", import.meta.url);

for (const udp of ["portable", "auto"] as const) {
  Deno.test(`rehearse() plays the sample (${udp}), and tells nobody`, async () => {
    const events: ServerEvent[] = [];
    await rehearse({ sample: SAMPLE, udp, listener: (event) => events.push(event) });
    assertEquals(events, []);
  });
}

Deno.test("rehearse() has nothing to do without a sample", async () => {
  const events: ServerEvent[] = [];
  await rehearse({ listener: (event) => events.push(event) });
  assertEquals(events, []);
});

Deno.test("rehearse() says why there was none, and does not reject", async () => {
  assertMatch(await noticeOf(new URL("no_such.mjpeg", SAMPLE)), /DESCRIBE was answered 404/);
  assertMatch(await noticeOf(new URL("no_such_folder/film.mjpeg", SAMPLE)), /Cannot serve/);
});

Deno.test({
  name: "rehearse() does without where it may not listen",
  permissions: { read: true, net: false },
  fn: async () => {
    assertMatch(await noticeOf(SAMPLE), /milliseconds longer: Cannot listen on 127\.0\.0\.1/);
  },
});

async function noticeOf(sample: URL): Promise<string> {
  const events: ServerEvent[] = [];
  await rehearse({ sample, udp: "portable", listener: (event) => events.push(event) });
  const [event, ...others] = events;
  assertEquals(others, []);
  return event.type === "notice" ? event.message : "";
}
