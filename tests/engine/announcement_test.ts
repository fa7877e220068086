import { assertEquals } from "@std/assert";
import { Announcement } from "../../lib/engine/announcement.ts";

Deno.test("Announcement is met by the announced packet and by those shortly behind it", () => {
  const announcement = new Announcement(90_000);
  assertEquals(announcement.isMetBy(0), false);
  announcement.set(65_500, 0);
  const met = [65_499, 65_500, 0, 63, 64, 30_000].map((number) => announcement.isMetBy(number));
  assertEquals(met, [false, true, true, true, false, false]);
  announcement.clear();
  assertEquals(announcement.isMetBy(65_500), false);
});

Deno.test("Announcement knows what was sent before it by number, else by timestamp", () => {
  const announcement = new Announcement(90_000);
  assertEquals(announcement.isBefore(0, 0), false);
  announcement.set(0, 5000);
  const byNumber = [0, 65_535, 65_437, 65_436].map((number) => announcement.isBefore(number, 0));
  assertEquals(byNumber, [false, true, true, false]);
  announcement.set(undefined, 5000);
  const byTime = [5000, 4999, 2 ** 32 - 1, 2 ** 32 - 900_000].map((t) =>
    announcement.isBefore(0, t)
  );
  assertEquals(byTime, [false, true, true, false]);
});
