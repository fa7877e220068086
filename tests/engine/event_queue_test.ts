import { assertEquals } from "@std/assert";
import { EventQueue } from "../../lib/engine/event_queue.ts";

Deno.test("EventQueue keeps order and counts octets when it is never quite empty", () => {
  const queue = new EventQueue<number>(() => 10);
  queue.push(0);
  for (let i = 1; i <= 10_000; i++) {
    queue.push(i);
    assertEquals(queue.poll(), i - 1);
    assertEquals(queue.bytes, 10);
  }
  assertEquals(queue.poll(), 10_000);
  assertEquals(queue.poll(), undefined);
  assertEquals(queue.bytes, 0);
});
