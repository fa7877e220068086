import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ServerEvent } from "../../lib/server/events.ts";
import { EventLog, isToldAsJson, jsonLine } from "../../lib/server/log.ts";

const LISTENING: ServerEvent = {
  type: "listening",
  address: "127.0.0.1",
  port: 8554,
  url: "rtsp://127.0.0.1:8554/",
};
const REQUEST: ServerEvent = {
  type: "request",
  connection: 1,
  remote: "127.0.0.1:9",
  method: "OPTIONS",
  uri: "*",
  cseq: "1",
  dialect: "rtsp",
};

/** A log that keeps its lines, and a clock that is set by hand. */
function logOf(level: "error" | "warn" | "info" | "debug") {
  const lines: string[] = [];
  const clock = { ms: 0 };
  const log = new EventLog({
    level,
    hasColors: false,
    write: (line) => lines.push(line),
    now: () => new Date(clock.ms),
  });
  return { lines, clock, log };
}

Deno.test("EventLog tells what its level allows", () => {
  const events: ServerEvent[] = [LISTENING, REQUEST, { type: "warning", message: "w" }];
  for (const [level, count] of [["error", 0], ["warn", 1], ["info", 2], ["debug", 3]] as const) {
    const { lines, log } = logOf(level);
    for (const event of events) log.tell(event);
    assertEquals(lines.length, count, level);
  }
});

Deno.test("EventLog writes what peers say without obeying it", () => {
  const { lines, log } = logOf("debug");
  log.tell({ type: "warning", message: "a\x1b[2Jb\nc\u202ed\x9b" });
  assertMatch(lines[0], / warn {2}a\\x1b\[2Jb\\x0ac\\x202ed\\x9b$/);
});

Deno.test("EventLog cuts a flood of warnings and tells how many it left out", () => {
  const { lines, clock, log } = logOf("info");
  for (let count = 0; count < 100; count++) log.tell({ type: "warning", message: `${count}` });
  assertEquals(lines.length, 5);
  clock.ms = 1000;
  log.tell({ type: "warning", message: "next" });
  assertMatch(lines[5], /95 more of this kind/);
  assertMatch(lines[6], /next/);
});

Deno.test("jsonLine() is one line of JSON with the event's name, the time and its fields", () => {
  const line = jsonLine(LISTENING, new Date(0));
  assert(!line.includes("\n"));
  assertEquals(JSON.parse(line), {
    event: "listening",
    time: "1970-01-01T00:00:00.000Z",
    address: "127.0.0.1",
    port: 8554,
    url: "rtsp://127.0.0.1:8554/",
  });
});

Deno.test("isToldAsJson() leaves the dialogue to the debug level", () => {
  assertEquals(isToldAsJson(LISTENING, "error"), true);
  assertEquals(isToldAsJson(REQUEST, "info"), false);
  assertEquals(isToldAsJson(REQUEST, "debug"), true);
});
