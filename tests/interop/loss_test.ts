/** Loss, reordering and duplication between our two programs: the statistics are exact, no torn frame comes out. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { labFileOf, movieOf } from "../support/corpus.ts";
import { picturesOf } from "../support/pictures.ts";
import { jpegsOf, playToEnd } from "../support/played.ts";
import { seededRandom } from "../support/ports.ts";
import { testWith } from "../support/programs.ts";
import { type Fate, type PassedPacket, RtspLink } from "../support/rtsp_link.ts";
import { Served } from "../support/served.ts";

/** A plan that spares the first packets, by which the client learns where the stream begins. */
function planOf(seed: number, rates: { drop: number; duplicate: number; swap: number }) {
  const random = seededRandom(seed);
  let previous: Fate = "pass";
  return (index: number): Fate => {
    const roll = random();
    const { drop, duplicate, swap } = rates;
    let fate: Fate = "pass";
    if (index >= 40) {
      if (roll < drop) fate = "drop";
      else if (roll < drop + duplicate) fate = "duplicate";
      // Only a packet that is followed by one that passes is overtaken.
      else if (roll < drop + duplicate + swap && previous === "pass") fate = "swap";
    }
    if (previous === "swap") fate = "pass";
    previous = fate;
    return fate;
  };
}

/** Numbers of the frames of which every packet was passed on; a timestamp is a frame. */
function wholeFrames(packets: readonly PassedPacket[]): number[] {
  const order = [...new Set(packets.map((packet) => packet.timestamp))];
  const torn = new Set(
    packets.filter((packet) => packet.fate === "drop").map((packet) => packet.timestamp),
  );
  return order.flatMap((timestamp, i) => torn.has(timestamp) ? [] : [i]);
}

/** Packets lost before the last one that came: those behind it no lab client can know of, as no report tells. */
function knownLosses(packets: readonly PassedPacket[]): number {
  const last = packets.findLastIndex((packet) => packet.fate !== "drop");
  return packets.slice(0, last).filter((packet) => packet.fate === "drop").length;
}

const CASES = {
  "loss": { drop: 0.02, duplicate: 0, swap: 0 },
  "duplication": { drop: 0, duplicate: 0.1, swap: 0 },
  "reordering": { drop: 0, duplicate: 0, swap: 0.1 },
  "all at once": { drop: 0.02, duplicate: 0.05, swap: 0.05 },
} as const;

for (const [i, [name, rates]] of Object.entries(CASES).entries()) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `${name} of RTP/JPEG packets: counted exactly, every whole frame delivered, no other`,
    async () => {
      const movie = await movieOf("large");
      const pictures = await picturesOf(movie.path);
      await using served = await Served.start({ "video.mjpeg": movie }, { frameRateHz: 25 });
      await using link = new RtspLink({ port: served.port, plan: planOf(20_000 + i, rates) });
      const played = await playToEnd({
        url: `rtsp://127.0.0.1:${link.port}/video.mjpeg`,
        dialect: "rtsp",
        transport: "udp",
        // Longer than any hiccup of a busy machine: what is late must be late by the plan, and none is.
        latencyMs: 1_000,
      });
      const { packets, lost, duplicates, reordered, late, malformed } = played.statistics;
      const fates = link.packets;
      assertEquals({ packets, lost, duplicates, reordered, late, malformed }, {
        packets: fates.length - link.count("drop"),
        // All of them, the very last too: the report with the BYE says how many packets there were.
        lost: link.count("drop"),
        duplicates: link.count("duplicate"),
        reordered: link.count("swap"),
        late: 0,
        malformed: 0,
      });
      const expected = wholeFrames(fates).map((index) => pictures[index]);
      assertGreater(expected.length, 0);
      if (rates.drop > 0) assert(expected.length < pictures.length, "the plan tore no frame");
      assertEquals(await picturesOf(jpegsOf(played)), expected);
    },
  );

  testWith(
    ["ffmpeg", "cjpeg"],
    `${name} of lab packets: counted exactly, every frame that came is delivered in order`,
    async () => {
      const movie = await movieOf("small");
      await using served = await Served.start({ "movie.Mjpeg": labFileOf(movie) }, {
        frameRateHz: 50,
      });
      const raised = { ...rates, drop: rates.drop * 4 };
      await using link = new RtspLink({ port: served.port, plan: planOf(30_000 + i, raised) });
      const played = await playToEnd({
        url: { host: "127.0.0.1", port: link.port, file: "movie.Mjpeg" },
        dialect: "lab",
        latencyMs: 1_000,
      });
      const { lost, duplicates, reordered, late } = played.statistics;
      assertEquals({ lost, duplicates, reordered, late }, {
        lost: knownLosses(link.packets),
        duplicates: link.count("duplicate"),
        reordered: link.count("swap"),
        late: 0,
      });
      const expected = wholeFrames(link.packets);
      assertEquals(played.frames.map((frame) => frame.number), expected.map((index) => index + 1));
      for (const [k, index] of expected.entries()) {
        assertEquals(played.frames[k].jpeg, movie.frames[index], `frame ${index + 1}`);
      }
    },
  );
}
