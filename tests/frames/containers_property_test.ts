import { assert } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { FrameFileError } from "../../lib/errors.ts";
import { AviWriter } from "../../lib/frames/avi_writer.ts";
import { indexerFor } from "../../lib/frames/frame_format.ts";
import { indexOf } from "../support/frame_files.ts";
import { buildJpeg } from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";

const FRAMES = [1, 2, 3].map((value) => buildJpeg({ scan: new Uint8Array(60).fill(value) }));

/** Small whole files of each container. */
const FILES: Record<string, Uint8Array> = {
  avi: avi(),
  "avi without indexes": avi(false),
  quicktime: quickTime(),
  matroska: matroska(),
  multipart: concat(FRAMES.flatMap((frame) => [
    text(
      `--x\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\nX-Timestamp: 1\r\n\r\n`,
    ),
    frame,
    text("\r\n"),
  ])),
};

for (const [name, file] of Object.entries(FILES)) {
  Deno.test(`${name}: the file of the property tests is whole`, () => {
    const index = indexOf(file, indexerFor(file, file.length), 50);
    assert(index.frameCount === 3, `${index.frameCount} frames`);
  });

  Deno.test(`property: a damaged ${name} gives frames inside the file, or a FrameFileError, soon`, () => {
    const octet = fc.tuple(fc.nat(file.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 255)));
    fc.assert(
      fc.property(
        fc.array(octet, { maxLength: 12 }),
        fc.integer({ min: 0, max: file.length }),
        fc.integer({ min: 1, max: 5000 }),
        fc.uint8Array({ maxLength: 40 }),
        (changes, length, pieceSize, tail) => {
          const damaged = concat([file.subarray(0, Math.max(16, length)), tail]);
          for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
          try {
            const index = indexOf(damaged, indexerFor(damaged, damaged.length), pieceSize);
            assert(index.frameCount > 0 && index.frameCount <= damaged.length);
            for (let i = 0; i < index.frameCount; i++) {
              assert(index.offsetOf(i) >= 0);
              assert(index.offsetOf(i) + index.sizeOf(i) <= damaged.length);
            }
            const { timeline } = index;
            assert(timeline.durationSeconds > 0 && timeline.frameRateHz > 0);
            assert(timeline.frameAt(timeline.durationSeconds) === index.frameCount - 1);
          } catch (error) {
            if (!(error instanceof FrameFileError)) throw error;
            assert(error.message.startsWith("Cannot read file"), error.message);
          }
        },
      ),
      seeded(400),
    );
  });
}

function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

function avi(hasIndexes = true): Uint8Array {
  const writer = new AviWriter({
    width: 64,
    height: 64,
    riffLimitBytes: hasIndexes ? 5500 : undefined,
  });
  const pieces = FRAMES.flatMap((frame) => [writer.beforeFrame(frame.length).octets, frame]);
  const [tail] = writer.finish();
  return concat([
    writer.head({ frameRateHz: 25 }),
    ...pieces,
    ...(hasIndexes ? [tail.octets] : []),
  ]);
}

function number(value: number, size = 4): Uint8Array {
  const octets = new Uint8Array(size);
  for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    octets[i] = rest % 256;
  }
  return octets;
}

function atom(type: string, ...content: Uint8Array[]): Uint8Array {
  const body = concat(content);
  return concat([number(8 + body.length), text(type), body]);
}

function quickTime(): Uint8Array {
  const table = (type: string, ...values: number[]) =>
    atom(type, number(0), ...values.map((value) => number(value)));
  const start = 16;
  const stbl = atom(
    "stbl",
    atom("stsd", number(0), number(1), number(16), text("jpeg"), number(0, 8)),
    table("stts", 1, 3, 40),
    table("stsc", 1, 1, 3, 1),
    table("stsz", 0, 3, ...FRAMES.map(({ length }) => length)),
    table("stco", 1, start),
  );
  const mdhd = table("mdhd", 0, 0, 1000, 120, 0);
  const hdlr = atom("hdlr", number(0, 8), text("vide"), number(0, 13));
  const mvhd = table("mvhd", 3_800_000_000, 0, 1000, 120);
  const trak = atom("trak", atom("mdia", mdhd, hdlr, atom("minf", stbl)));
  return concat([atom("wide"), atom("mdat", ...FRAMES), atom("moov", mvhd, trak)]);
}

function matroska(): Uint8Array {
  const element = (id: number, ...content: Uint8Array[]) => {
    const body = concat(content);
    const idSize = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
    return concat([number(id, idSize), number(0x1000_0000 + body.length), body]);
  };
  const track = element(
    0xae,
    element(0xd7, number(1, 1)),
    element(0x83, number(1, 1)),
    element(0x86, text("V_MJPEG")),
    element(0x23e383, number(40_000_000)),
  );
  const blocks = FRAMES.map((frame, i) =>
    element(0xa3, number(0x81, 1), number(40 * i, 2), number(0x80, 1), frame)
  );
  return concat([
    element(0x1a45dfa3, element(0x4282, text("matroska"))),
    element(
      0x18538067,
      element(0x1549a966, element(0x2ad7b1, number(1_000_000)), element(0x4461, number(1, 8))),
      element(0x1654ae6b, track),
      element(0x1f43b675, element(0xe7, number(0, 1)), ...blocks),
    ),
  ]);
}
