import { assertEquals } from "@std/assert";
import { SourceProbation } from "../../lib/engine/source_probation.ts";

const packet = (ssrc: number, sequenceNumber: number) => ({
  ssrc,
  sequenceNumber,
  datagram: new Uint8Array([sequenceNumber]),
  arrivalMs: 0,
});
const numbers = (parked?: readonly { sequenceNumber: number }[]) =>
  parked?.map((p) => p.sequenceNumber);

Deno.test("SourceProbation returns all packets of a source that a second one confirms", () => {
  const probation = new SourceProbation((distance) => distance === 1);
  assertEquals(probation.offer(packet(1, 10)), undefined);
  assertEquals(probation.offer(packet(2, 11)), undefined);
  assertEquals(probation.offer(packet(1, 12)), undefined);
  assertEquals(numbers(probation.offer(packet(1, 11))), [10, 12, 11]);
  assertEquals([probation.isEmpty, probation.dropped], [true, 1]);
});

Deno.test("SourceProbation believes what is certain at once", () => {
  const probation = new SourceProbation(() => false);
  assertEquals(numbers(probation.offer(packet(1, 10), true)), [10]);
});

Deno.test("SourceProbation copies what it parks", () => {
  const probation = new SourceProbation(() => false);
  const first = packet(1, 10);
  probation.offer(first);
  first.datagram[0] = 99;
  assertEquals(probation.clear()[0].datagram[0], 10);
});

Deno.test("SourceProbation keeps a bounded number of packets and of sources", () => {
  const probation = new SourceProbation(() => false);
  for (let i = 0; i < 1000; i++) probation.offer(packet(1, i));
  assertEquals(probation.dropped, 992);
  for (let ssrc = 2; ssrc < 1000; ssrc++) probation.offer(packet(ssrc, 0));
  assertEquals(probation.clear().length, 4);
  assertEquals(probation.dropped, 1998 - 4);
});
