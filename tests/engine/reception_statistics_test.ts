import { assertAlmostEquals, assertEquals } from "@std/assert";
import { ReceptionStatistics } from "../../lib/engine/reception_statistics.ts";

function statisticsOf(numbers: number[], first = numbers[0]): ReceptionStatistics {
  const statistics = new ReceptionStatistics({ clockRateHz: 90_000 });
  statistics.begin(first);
  for (const number of numbers) statistics.record(statistics.extend(number), 10);
  return statistics;
}

function countsOf(s: ReceptionStatistics) {
  const { expected, packets, lost, duplicates, reordered } = s;
  return { expected, packets, lost, duplicates, reordered };
}

const NO_SR = { ssrc: 9, lastSr: 0, delaySinceLastSr: 0 };

Deno.test("ReceptionStatistics counts loss, duplicates and reordering apart", () => {
  assertEquals(countsOf(statisticsOf([1, 2, 2, 5, 4, 5, 4, 7])), {
    expected: 7,
    packets: 5,
    lost: 2,
    duplicates: 3,
    reordered: 1,
  });
});

Deno.test("ReceptionStatistics counts through two wraps", () => {
  const numbers = Array.from({ length: 2 * 65536 + 10 }, (_, i) => (65530 + i) & 0xffff);
  const statistics = statisticsOf(numbers.filter((_, i) => i % 1000 !== 999));
  const lost = Math.floor(numbers.length / 1000);
  assertEquals(countsOf(statistics), {
    expected: numbers.length,
    packets: numbers.length - lost,
    lost,
    duplicates: 0,
    reordered: 0,
  });
  assertEquals(statistics.report(NO_SR).extendedHighestSequenceNumber, 65530 + numbers.length - 1);
});

Deno.test("ReceptionStatistics counts a packet from before the first as expected", () => {
  assertEquals(countsOf(statisticsOf([5, 6, 4, 4])), {
    expected: 3,
    packets: 3,
    lost: 0,
    duplicates: 1,
    reordered: 1,
  });
  assertEquals(countsOf(statisticsOf([0, 65535, 1])).expected, 3);
});

Deno.test("ReceptionStatistics.lowerStart() counts what was missing before the first", () => {
  const statistics = statisticsOf([10, 9, 12]);
  statistics.lowerStart(7);
  assertEquals(countsOf(statistics), {
    expected: 6,
    packets: 3,
    lost: 3,
    duplicates: 0,
    reordered: 1,
  });
});

Deno.test("ReceptionStatistics.skipTo() counts no loss for what it passes over", () => {
  const statistics = statisticsOf([1, 2]);
  statistics.skipTo(100);
  for (const n of [100, 102, 3]) statistics.record(n, 10);
  assertEquals(countsOf(statistics), {
    expected: 6,
    packets: 5,
    lost: 1,
    duplicates: 0,
    reordered: 1,
  });
  statistics.lowerStart(99);
  assertEquals([statistics.expected, statistics.lost], [7, 2]);
  statistics.lowerStart(1); // never below what was passed over
  assertEquals([statistics.expected, statistics.packets], [103 - 1, 5]);
});

Deno.test("ReceptionStatistics.begin() counts runs together, and the jump not at all", () => {
  const statistics = statisticsOf([1, 3]);
  statistics.begin(50_000);
  for (const n of [50_000, 50_003]) statistics.record(n, 10);
  assertEquals(countsOf(statistics), {
    expected: 7,
    packets: 4,
    lost: 3,
    duplicates: 0,
    reordered: 0,
  });
  assertEquals(statistics.restarts, 1);
});

Deno.test("ReceptionStatistics remembers what it must across a jump of more than its memory", () => {
  const statistics = statisticsOf([0, 30_000, 29_999, 30_000]);
  assertEquals(countsOf(statistics), {
    expected: 30_001,
    packets: 3,
    lost: 29_998,
    duplicates: 1,
    reordered: 1,
  });
});

Deno.test("ReceptionStatistics.report() tells fraction and sum as RFC 3550 A.3 does", () => {
  const statistics = statisticsOf([1, 2, 4]);
  assertEquals(statistics.report(NO_SR).fractionLost, 64);
  assertEquals(statistics.report(NO_SR).fractionLost, 0); // nothing expected since
  for (const n of [5, 5, 5]) statistics.record(n, 10);
  const report = statistics.report(NO_SR);
  assertEquals([report.fractionLost, report.cumulativeLost], [0, -1]); // duplicates make up, and more
  statistics.record(11, 10);
  assertEquals(statistics.report(NO_SR).fractionLost, Math.floor(5 * 256 / 6));
});

Deno.test("ReceptionStatistics.report() counts from the beginning of the source", () => {
  const statistics = statisticsOf([1, 10]);
  statistics.beginSource();
  statistics.begin(5);
  for (const n of [5, 7]) statistics.record(n, 10);
  const report = statistics.report(NO_SR);
  assertEquals([report.cumulativeLost, report.fractionLost], [1, 85]);
  assertEquals(report.extendedHighestSequenceNumber, 7);
  assertEquals(statistics.lost, 9);
});

Deno.test("ReceptionStatistics.report() keeps the sum in signed 24 bits", () => {
  const statistics = statisticsOf([0]);
  for (let n = 1; n < 400; n++) {
    statistics.record(statistics.extend((n * 30_000) & 0xffff), 1);
  }
  assertEquals(statistics.report(NO_SR).cumulativeLost, 0x7f_ffff);
});

Deno.test("ReceptionStatistics measures jitter as A.8 does, across the wrap of the timestamp", () => {
  const statistics = new ReceptionStatistics({ clockRateHz: 90_000 });
  statistics.begin(0);
  // Every 40 ms, each second packet 8 ms late: |D| is always 8 ms once it began.
  for (let i = 0; i < 400; i++) {
    const timestamp = (2 ** 32 - 20 * 3600 + i * 3600) % 2 ** 32;
    statistics.measureJitter(timestamp, i * 40 + (i % 2) * 8);
  }
  assertAlmostEquals(statistics.jitterMs, 8, 0.01);
  assertEquals(statistics.report(NO_SR).interarrivalJitter, 719);
});

Deno.test("ReceptionStatistics measures jitter by arrival where timestamps have no unit", () => {
  const statistics = new ReceptionStatistics("arrival");
  statistics.begin(0);
  for (let i = 0; i < 400; i++) statistics.measureJitter(7, i * 50);
  assertEquals(statistics.jitterMs, 0);
  for (let i = 400; i < 1000; i++) statistics.measureJitter(7, i * 50 + (i % 2) * 10);
  assertAlmostEquals(statistics.jitterMs, 10, 1);
});
