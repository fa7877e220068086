import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { JpegFormatError } from "../lib/errors.ts";
import { decodeRtp, type RtpPacket } from "../lib/rtp.ts";
import { LAB_MAX_JPEG, LabDepacketizer, packetizeLab } from "../lib/rtp_lab.ts";
import { thumbnailSegment } from "./support/jpegs.ts";
import { seeded } from "./support/property.ts";

/** A real picture, for its Huffman codes are read; with a thumbnail in front, and none of the sizes a multiple of another. */
const JPEG = withThumbnail(
  Deno.readFileSync(new URL("../media/video.mjpeg", import.meta.url)).subarray(5, 5 + 10_958),
);

function withThumbnail(jpeg: Uint8Array): Uint8Array {
  return concat([jpeg.subarray(0, 2), thumbnailSegment(), jpeg.subarray(2)]);
}

function packet(payload: Uint8Array, fields: Partial<RtpPacket> = {}): RtpPacket {
  const header = { payloadType: 26, marker: false, sequenceNumber: 1, timestamp: 0, ssrc: 0 };
  return { ...header, csrcs: [], paddingSize: 0, payload, ...fields };
}

function pieces(jpeg: Uint8Array, size: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(jpeg.length / size) },
    (_, i) => jpeg.subarray(i * size, (i + 1) * size),
  );
}

const uint16 = (...numbers: number[]) => Uint8Array.from(numbers.flatMap((n) => [n >> 8, n & 255]));

/** The packets of one picture as the fragmenting servers of the lab send them, and the size of their pieces. */
const FRAGMENTERS: Record<
  string,
  (jpeg: Uint8Array, number: number, size?: number) => RtpPacket[]
> = {
  "one number for all pieces, marker on the last": (jpeg, number, size = 1400) =>
    pieces(jpeg, size).map((piece, i, all) =>
      packet(piece, { sequenceNumber: number, marker: i === all.length - 1 })
    ),
  "a number for each piece, marker on the last": (jpeg, number, size = 1000) =>
    pieces(jpeg, size).map((piece, i, all) =>
      packet(piece, { sequenceNumber: number * 100 + i & 0xffff, marker: i === all.length - 1 })
    ),
  "a number for each piece, no marker": (jpeg, number, size = 1460) =>
    pieces(jpeg, size).map((piece, i) =>
      packet(piece, { sequenceNumber: number * 100 + i & 0xffff })
    ),
  "index and count before each piece": (jpeg, number, size = 1200) =>
    pieces(jpeg, size).map((piece, i, all) =>
      packet(concat([uint16(i, all.length), piece]), {
        sequenceNumber: number,
        marker: i === all.length - 1,
      })
    ),
  "index, count and size before each piece": (jpeg, number, size = 2000) =>
    pieces(jpeg, size).map((piece, i, all) =>
      packet(concat([uint16(i, all.length, jpeg.length & 0xffff), piece]), {
        sequenceNumber: number,
        marker: i === all.length - 1,
      })
    ),
};

Deno.test("packetizeLab() makes one packet of the picture as it is", () => {
  const batch = packetizeLab(JPEG), sent = decodeRtp(batch.bytes);
  assertEquals([batch.packetCount, batch.packetSize, batch.payloadSize], [
    1,
    JPEG.length + 12,
    JPEG.length,
  ]);
  assertEquals([sent.marker, sent.payloadType], [true, 26]);
  assertEquals(sent.payload, JPEG);
});

Deno.test("packetizeLab() takes what one datagram carries, and no octet more", () => {
  const largest = new Uint8Array(LAB_MAX_JPEG);
  largest.set([0xff, 0xd8]);
  assertEquals(packetizeLab(largest).bytes.length, 65_507);
  const larger = concat([largest, new Uint8Array(1)]);
  const error = assertThrows(() => packetizeLab(larger), JpegFormatError, "65496 octets");
  assertEquals(error.code, "too-large-for-lab");
  assertThrows(() => packetizeLab(new Uint8Array(4)), JpegFormatError, "FF D8");
});

Deno.test("LabDepacketizer takes a whole picture whatever marker, payload type, SSRC and number say", () => {
  const depacketizer = new LabDepacketizer();
  for (const [i, marker] of [true, false, true].entries()) {
    const frame = depacketizer.push(
      packet(JPEG, { marker, payloadType: 96, ssrc: 1337, sequenceNumber: i && 7 }),
    );
    assertEquals(frame?.jpeg, JPEG);
    assertEquals([frame?.width, frame?.height, frame?.packetCount], [320, 240, 1]);
  }
  assertEquals(depacketizer.stats().frames, 3);
});

Deno.test("LabDepacketizer hands out octets of its own", () => {
  const payload = JPEG.slice();
  const frame = new LabDepacketizer().push(packet(payload));
  payload.fill(0);
  assertEquals(frame?.jpeg, JPEG);
});

Deno.test("LabDepacketizer leaves padding behind EOI as it came, and adds a missing EOI", () => {
  const padded = concat([JPEG, new Uint8Array(3)]);
  assertEquals(new LabDepacketizer().push(packet(padded))?.jpeg, padded);
  const endless = JPEG.subarray(0, JPEG.length - 2);
  assertEquals(new LabDepacketizer().push(packet(endless, { marker: true }))?.jpeg, JPEG);
});

Deno.test("LabDepacketizer takes a payload with both ends for a picture, odd as it may be", () => {
  const odd = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 1, 9, 0xff, 0xd9]);
  const frame = new LabDepacketizer().push(packet(odd));
  assertEquals([frame?.jpeg, frame?.width], [odd, 0]);
});

for (const [name, fragment] of Object.entries(FRAGMENTERS)) {
  Deno.test(`LabDepacketizer joins pieces: ${name}`, () => {
    const depacketizer = new LabDepacketizer();
    for (let number = 1; number <= 3; number++) {
      const packets = fragment(JPEG, number);
      const frames = packets.map((one) => depacketizer.push(one));
      assertEquals(frames.slice(0, -1).every((frame) => frame === undefined), true);
      assertEquals(frames.at(-1)?.jpeg, JPEG);
      assertEquals([frames.at(-1)?.packetCount, frames.at(-1)?.width], [packets.length, 320]);
    }
    assertEquals(depacketizer.stats(), {
      frames: 3,
      dropped: 0,
      malformed: 0,
      lastFault: undefined,
    });
  });

  Deno.test(`LabDepacketizer drops a picture whose end is missing: ${name}`, () => {
    const depacketizer = new LabDepacketizer();
    for (const one of fragment(JPEG, 1).slice(0, -1)) {
      assertEquals(depacketizer.push(one), undefined);
    }
    assertEquals(fragment(JPEG, 2).map((one) => depacketizer.push(one)).at(-1)?.jpeg, JPEG);
    assertEquals([depacketizer.stats().frames, depacketizer.stats().dropped], [1, 1]);
  });
}

for (const [name, fragment] of Object.entries(FRAGMENTERS)) {
  Deno.test(`LabDepacketizer drops a picture with a hole: ${name}`, () => {
    const depacketizer = new LabDepacketizer();
    const packets = fragment(JPEG, 1);
    packets.splice(2, 1);
    for (const one of packets) assertEquals(depacketizer.push(one), undefined);
    const { frames, dropped } = depacketizer.stats();
    assertEquals([frames, dropped], [0, 1]);
  });
}

Deno.test("LabDepacketizer believes the receiver that says a packet is missing", () => {
  const depacketizer = new LabDepacketizer();
  const [first, second, ...rest] = FRAGMENTERS["one number for all pieces, marker on the last"](
    JPEG,
    1,
  );
  depacketizer.push(first);
  assertEquals(depacketizer.push(second, 1), undefined);
  for (const one of rest) assertEquals(depacketizer.push(one), undefined);
  assertEquals([depacketizer.stats().frames, depacketizer.stats().dropped], [0, 1]);
});

Deno.test("LabDepacketizer goes on over the wrap of numbers inside a picture", () => {
  const depacketizer = new LabDepacketizer();
  const packets = pieces(JPEG, 1000).map((piece, i) =>
    packet(piece, { sequenceNumber: 65_534 + i & 0xffff })
  );
  assertEquals(packets.map((one) => depacketizer.push(one)).at(-1)?.jpeg, JPEG);
});

Deno.test("LabDepacketizer.pushRaw() takes the datagrams that carry on without a header", () => {
  const depacketizer = new LabDepacketizer();
  const wire = concat([new Uint8Array(12), JPEG]);
  assert(wire.length > 4096);
  assertEquals(depacketizer.expectsRaw, false);
  assertEquals(depacketizer.push(packet(wire.subarray(12, 4096))), undefined);
  assertEquals(depacketizer.expectsRaw, true);
  assertEquals(depacketizer.pushRaw(wire.subarray(4096))?.jpeg, JPEG);
  assertEquals(depacketizer.expectsRaw, false);
  assertEquals(depacketizer.pushRaw(wire.subarray(4096)), undefined);
  assertEquals(depacketizer.stats().malformed, 1);
});

Deno.test("LabDepacketizer bounds a picture, counts strangers once, forgets on reset()", () => {
  const depacketizer = new LabDepacketizer({ maxFrameBytes: 2000 });
  for (const one of FRAGMENTERS["a number for each piece, no marker"](JPEG, 1)) {
    depacketizer.push(one);
  }
  assertEquals([depacketizer.stats().frames, depacketizer.stats().dropped], [0, 1]);
  depacketizer.push(packet(JPEG.subarray(0, 100)));
  depacketizer.reset();
  assertEquals(depacketizer.push(packet(new Uint8Array(5))), undefined);
  assertEquals([depacketizer.stats().dropped, depacketizer.stats().malformed], [2, 7]);
});

const SHARED_NUMBER = "one number for all pieces, marker on the last";
const mishaps = fc.record({
  size: fc.integer({ min: 100, max: 6000 }),
  lost: fc.array(fc.nat(), { maxLength: 3 }),
});

/** What arrives of three pictures in pieces when some packets are lost. */
function framesAfterLoss(
  fragment: typeof FRAGMENTERS[string],
  { size, lost }: { readonly size: number; readonly lost: readonly number[] },
): Uint8Array[] {
  const stream = [1, 2, 3].flatMap((number) => fragment(JPEG, number, size));
  for (const at of lost) stream.splice(at % stream.length, 1);
  const depacketizer = new LabDepacketizer();
  return stream.flatMap((one) => depacketizer.push(one)?.jpeg ?? []);
}

Deno.test("property: LabDepacketizer never shows a picture with a hole where pieces are numbered", () => {
  const ways = Object.entries(FRAGMENTERS).filter(([name]) => name !== SHARED_NUMBER);
  fc.assert(
    fc.property(fc.constantFrom(...ways), mishaps, ([, fragment], plan) => {
      const frames = framesAfterLoss(fragment, plan);
      for (const frame of frames) assertEquals(frame, JPEG);
      assert(frames.length >= 3 - plan.lost.length, `${frames.length} frames`);
    }),
    seeded(100),
  );
});

Deno.test("LabDepacketizer shows next to no picture with a hole where pieces share one number", () => {
  const plans = fc.sample(mishaps, { numRuns: 300, seed: 7 });
  const frames = plans.flatMap((plan) => framesAfterLoss(FRAGMENTERS[SHARED_NUMBER], plan));
  const torn = frames.filter((frame) => frame.length !== JPEG.length).length;
  assert(torn <= frames.length / 100, `${torn} of ${frames.length}`);
});

Deno.test("property: LabDepacketizer takes any payloads and throws nothing", () => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 60 }).map((tail) =>
      concat([new Uint8Array([0xff, 0xd8, 0xff]), tail])
    ),
    fc.uint8Array({ maxLength: 60 }).map((tail) =>
      concat([uint16(0, 3), new Uint8Array([0xff, 0xd8]), tail])
    ),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(payload, fc.boolean(), fc.nat(3), fc.boolean()), { maxLength: 20 }),
      (inputs) => {
        const depacketizer = new LabDepacketizer({ maxFrameBytes: 500 });
        for (const [octets, marker, sequenceNumber, isRaw] of inputs) {
          if (isRaw) depacketizer.pushRaw(octets);
          else depacketizer.push(packet(octets, { marker, sequenceNumber }));
        }
        const { frames, dropped, malformed } = depacketizer.stats();
        assert(frames + dropped + malformed <= 2 * inputs.length);
      },
    ),
    seeded(500),
  );
});
