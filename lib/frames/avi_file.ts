/**
 * AVI files with Motion-JPEG: frames by the OpenDML index, the old index, or the chunks themselves.
 *
 * Floor 1: finds frames, decodes nothing, reads no file. Microsoft's AVI RIFF File Reference; OpenDML AVI File Format
 * Extensions 1.02 (files above 1 GB: several RIFF chunks, `indx` and `ix##`). A recording that was cut short has no index
 * and no true sizes; its chunks are still there. Frames without Huffman tables come as they are. A frame of two fields
 * (two JPEGs in one chunk) becomes two frames of half the height at twice the rate: every line stays, and nothing is
 * woven that moved in between. Sound and subtitles are passed over.
 *
 * @see https://learn.microsoft.com/windows/win32/directshow/avi-riff-file-reference
 * @module
 */
import { JpegBoundaryScanner } from "../jpeg/boundary.ts";
import {
  containerFault,
  fourCharacters,
  littleEndian16,
  littleEndian32,
  littleEndian64,
} from "./container_fault.ts";
import { DamageLog } from "./frame_damage.ts";
import { type FrameIndex, FrameTable } from "./frame_index.ts";
import { type IndexSteps, SteppedIndexer, type Steps } from "./stepped_indexer.ts";
import { type Timeline, timelineOf } from "./timeline.ts";

/**
 * Finds the frames of an AVI file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { AviFileIndexer } from "./avi_file.ts";
 * import { encodeAviHead } from "./avi_writer.ts";
 *
 * const head = encodeAviHead({ width: 16, height: 8, frameRateHz: 25, largestFrameBytes: 4 });
 * const chunk = [0x30, 0x30, 0x64, 0x63, 4, 0, 0, 0, 0xff, 0xd8, 0xff, 0xd9];
 * const file = new Uint8Array([...head, ...chunk]);
 * const indexer = new AviFileIndexer({ totalBytes: file.length });
 * while (indexer.position < file.length) indexer.push(file.subarray(indexer.position));
 * const index = indexer.finish();
 * assertEquals([index.frameCount, index.offsetOf(0), index.defaultFrameRateHz], [1, head.length + 8, 25]);
 * ```
 */
export class AviFileIndexer extends SteppedIndexer {
  /** `totalBytes` is the size of the file. */
  constructor(options: { readonly totalBytes: number }) {
    super(readAvi(options.totalBytes), options);
  }
}

interface VideoStream {
  /** The number in its chunks' names. */
  number: number;
  /** Seconds of one frame. */
  frameSeconds: number;
  /** Of the whole picture, both fields. */
  height: number;
  /** Offsets and sizes of the parts of its OpenDML index. */
  parts: { readonly at: number; readonly size: number }[];
}

interface Head {
  readonly stream: VideoStream;
  /** Where the first chunk of the first `movi` list begins. */
  readonly moviStart: number;
  /** Its end as it is announced; 0 when the recording was cut short. */
  readonly moviEnd: number;
}

/** Frames as the container counts them: empty ones repeat the frame before. */
interface Slot {
  readonly at: number;
  readonly size: number;
}

class SlotList {
  readonly table = new FrameTable();
  readonly damage = new DamageLog();
  /** The octet behind the last frame. */
  endOfFrames = 0;
  #slots = 0;
  readonly #totalBytes: number;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** Frames and repetitions so far. */
  get count(): number {
    return this.#slots;
  }

  add({ at, size }: Slot): void {
    if (size === 0 && this.#slots * 8 <= this.#totalBytes) this.#slots++;
    else if (this.#slots * 8 > this.#totalBytes) {
      throw fault("its index has more entries than the file has room for", {
        code: "damaged-container",
        offset: at,
      });
    } else if (size < 4 || at + size > this.#totalBytes) {
      this.damage.add(at, `a frame of ${size} octets reaches beyond the file`, this.table.count);
    } else {
      this.table.add(at, size, this.#slots);
      this.endOfFrames = Math.max(this.endOfFrames, at + size);
      this.#slots++;
    }
  }
}

function* readAvi(totalBytes: number): IndexSteps {
  const head = yield* readHead(totalBytes);
  let slots = yield* readOpenDmlIndex(head, totalBytes);
  slots ??= yield* readOldIndex(head, totalBytes);
  slots ??= new SlotList(totalBytes);
  // What was written behind the last index before the recording was cut short; usually nothing.
  yield* readChunks(head, slots, totalBytes);
  if (slots.table.count === 0) {
    throw fault("it has no frames", { code: "no-frame", offset: head.moviStart });
  }
  const { frameSeconds } = head.stream;
  const starts = slots.table.starts!;
  if (yield* hasTwoFields(slots.table, totalBytes)) {
    return yield* splitFields(slots, frameSeconds);
  }
  const timeline = timelineInSlots(starts, slots.count, frameSeconds);
  return slots.table.toIndex("avi", slots.damage, { timeline });
}

/** Reads lists and stream headers up to the first `movi`. */
function* readHead(totalBytes: number): Steps<Head> {
  let stream: VideoStream | undefined;
  const found: string[] = [];
  let streams = -1, type = "", frameSeconds = 0;
  for (let at = 12, steps = 0; at + 8 <= totalBytes; steps++) {
    if (steps > MAX_HEAD_CHUNKS) break;
    const octets = (yield { at, size: 12 }).slice();
    const name = fourCharacters(octets, 0), size = littleEndian32(octets, 4);
    const list = name === "LIST" || name === "RIFF" ? fourCharacters(octets, 8) : "";
    if (list === "movi") {
      if (stream !== undefined) {
        return { stream, moviStart: at + 12, moviEnd: size > 4 ? at + 8 + size : 0 };
      }
      const what = found.length === 0 ? "no video" : `${found.join(", ")} video`;
      throw fault(`it has ${what}, wanted MJPG`, { code: "wrong-codec", offset: at });
    }
    if (list === "hdrl" || list === "strl" || list === "odml") {
      at += 12;
      continue;
    }
    const body = yield { at: at + 8, size: Math.min(size, 64) };
    if (name === "strh") {
      streams++;
      type = fourCharacters(body, 0);
      const rate = littleEndian32(body, 24);
      frameSeconds = rate === 0 ? 0 : littleEndian32(body, 20) / rate;
    } else if (name === "strf" && type === "vids") {
      const codec = fourCharacters(body, 16);
      if (stream === undefined && MOTION_JPEG.test(codec)) {
        const height = Math.abs(littleEndian32(body, 8) | 0);
        stream = { number: streams, frameSeconds, height, parts: [] };
      } else found.push(codec.trim());
    } else if (name === "indx" && stream?.number === streams) {
      stream.parts = yield* readIndexParts(at + 8, size);
    }
    at = evenEnd(at, size);
  }
  throw fault("it has no movi list", { code: "damaged-container", offset: 0 });
}

/** The entries of a super index (OpenDML s3.1.2): where the standard indexes stand. */
function* readIndexParts(at: number, size: number): Steps<VideoStream["parts"]> {
  const octets = yield { at, size: Math.min(size, MAX_SUPER_INDEX_BYTES) };
  const isSuperIndex = octets[3] === 0 && littleEndian16(octets, 0) === 4;
  if (!isSuperIndex) return [];
  const count = Math.min(littleEndian32(octets, 4), Math.floor((octets.length - 24) / 16));
  return Array.from({ length: Math.max(0, count) }, (_, i) => ({
    at: littleEndian64(octets, 24 + 16 * i),
    size: littleEndian32(octets, 32 + 16 * i),
  })).filter((part) => part.at > 0);
}

/** Frames by `ix##` chunks; `undefined` where there are none, or they are not what they should be. */
function* readOpenDmlIndex({ stream }: Head, totalBytes: number): Steps<SlotList | undefined> {
  if (stream.parts.length === 0) return undefined;
  const slots = new SlotList(totalBytes);
  for (const part of stream.parts) {
    const head = (yield { at: part.at, size: 32 }).slice();
    const count = littleEndian32(head, 12), base = littleEndian64(head, 20);
    const isIndex = head.length === 32 && littleEndian16(head, 8) === 2 && head[11] === 1 &&
      part.at + 32 + 8 * count <= totalBytes;
    if (!isIndex) return undefined;
    for (let done = 0; done < count; done += ENTRIES_AT_ONCE) {
      const entries = Math.min(ENTRIES_AT_ONCE, count - done);
      const octets = yield { at: part.at + 32 + 8 * done, size: 8 * entries };
      for (let at = 0; at + 8 <= octets.length; at += 8) {
        // The highest bit says that it is no key frame, which no JPEG is.
        const size = littleEndian32(octets, at + 4) & 0x7fff_ffff;
        slots.add({ at: base + littleEndian32(octets, at), size });
      }
    }
  }
  return slots.table.count > 0 ? slots : undefined;
}

/** Frames by `idx1`, whose offsets count from the `movi` list or from the start of the file. */
function* readOldIndex(head: Head, totalBytes: number): Steps<SlotList | undefined> {
  if (head.moviEnd === 0) return undefined;
  const at = head.moviEnd + head.moviEnd % 2;
  const chunk = yield { at, size: 8 };
  if (chunk.length < 8 || fourCharacters(chunk, 0) !== "idx1") return undefined;
  const end = Math.min(totalBytes, at + 8 + littleEndian32(chunk, 4));
  const slots = new SlotList(totalBytes);
  let base: number | undefined;
  for (let from = at + 8; from + 16 <= end; from += 16 * ENTRIES_AT_ONCE) {
    const size = Math.min(16 * ENTRIES_AT_ONCE, Math.floor((end - from) / 16) * 16);
    const octets = (yield { at: from, size }).slice();
    for (let i = 0; i + 16 <= octets.length; i += 16) {
      if (!isFrameOf(fourCharacters(octets, i), head.stream.number)) continue;
      const offset = littleEndian32(octets, i + 8), length = littleEndian32(octets, i + 12);
      if (base === undefined && length > 0) {
        base = yield* baseOfOldIndex(head, offset, length);
        if (base === undefined) return undefined;
      }
      slots.add({ at: (base ?? 0) + offset + 8, size: length });
    }
  }
  return slots.table.count > 0 ? slots : undefined;
}

/** What the offsets of `idx1` count from: looks where a chunk of that length stands. */
function* baseOfOldIndex(head: Head, offset: number, length: number): Steps<number | undefined> {
  for (const base of [head.moviStart - 4, 0]) {
    const chunk = yield { at: base + offset, size: 8 };
    const isChunk = isFrameOf(fourCharacters(chunk, 0), head.stream.number) &&
      littleEndian32(chunk, 4) === length;
    if (isChunk) return base;
  }
  return undefined;
}

/** Frames by their chunks, from behind the known ones to the end of the file, whatever the sizes of lists say. */
function* readChunks(
  { stream, moviStart }: Head,
  slots: SlotList,
  totalBytes: number,
): Steps<void> {
  let at = slots.endOfFrames === 0 ? moviStart : slots.endOfFrames + slots.endOfFrames % 2;
  while (at + 8 <= totalBytes) {
    const octets = yield { at, size: 12 };
    const name = fourCharacters(octets, 0), size = littleEndian32(octets, 4);
    if (name === "LIST" || name === "RIFF") {
      const list = fourCharacters(octets, 8);
      // Sizes of lists are of no use here: a recording that was cut short has none.
      at = list === "movi" || list === "rec " || list === "AVIX"
        ? at + 12
        : evenEnd(at, Math.max(4, size));
    } else if (CHUNK_NAME.test(name)) {
      if (isFrameOf(name, stream.number)) {
        if (at + 8 + size > totalBytes) {
          const reason = `the file ends within a frame, after ${
            totalBytes - at - 8
          } of ${size} octets`;
          slots.damage.add(at, reason, slots.table.count);
        } else slots.add({ at: at + 8, size });
      }
      at = evenEnd(at, size);
    } else {
      const next = yield* findChunk(at + 1, stream.number, totalBytes);
      slots.damage.add(at, `${next - at} octets that are no chunk`, slots.table.count);
      at = next;
    }
  }
}

/** The next chunk of the stream that holds a JPEG, or the end of the file. */
function* findChunk(from: number, stream: number, totalBytes: number): Steps<number> {
  for (let at = from; at < totalBytes; at += SEARCH_BYTES - 12) {
    const octets = yield { at, size: SEARCH_BYTES };
    for (let i = octets.indexOf(0xff); i >= 0; i = octets.indexOf(0xff, i + 1)) {
      if (octets[i + 1] !== 0xd8 || i < 8) continue;
      if (isFrameOf(fourCharacters(octets, i - 8), stream)) return at + i - 8;
    }
  }
  return totalBytes;
}

/** Whether the first frame is two JPEGs, one behind the other. */
function* hasTwoFields(frames: FrameTable, totalBytes: number): Steps<boolean> {
  const { offsetOf, sizeOf } = frames.toIndex("avi", NO_DAMAGE);
  const end = yield* endOfPicture(offsetOf(0), offsetOf(0) + sizeOf(0));
  const second = yield* nextPicture(end, Math.min(totalBytes, offsetOf(0) + sizeOf(0)));
  return second !== undefined;
}

function* splitFields(slots: SlotList, frameSeconds: number): Steps<FrameIndex> {
  const whole = slots.table.toIndex("avi", NO_DAMAGE);
  const starts = slots.table.starts!;
  const fields = new FrameTable();
  for (let i = 0; i < whole.frameCount; i++) {
    const at = whole.offsetOf(i), end = at + whole.sizeOf(i);
    const middle = yield* endOfPicture(at, end);
    const second = yield* nextPicture(middle, end);
    fields.add(at, middle - at, 2 * starts[i]);
    if (second !== undefined) fields.add(second, end - second, 2 * starts[i] + 1);
  }
  const timeline = timelineInSlots(fields.starts!, 2 * slots.count, frameSeconds / 2);
  return fields.toIndex("avi", slots.damage, { timeline });
}

/** The octet behind the EOI of the picture at `at`, or `end`. */
function* endOfPicture(at: number, end: number): Steps<number> {
  const scanner = new JpegBoundaryScanner();
  for (let from = at; from < end;) {
    const octets = yield { at: from, size: Math.min(SEARCH_BYTES, end - from) };
    if (octets.length === 0) return end;
    const behind = scanner.push(octets, 0);
    if (scanner.state === "complete") return from + behind;
    if (scanner.state === "broken") return end;
    from += octets.length;
  }
  return end;
}

/** Where the second field begins: fields may be padded. */
function* nextPicture(from: number, end: number): Steps<number | undefined> {
  if (end - from < 4) return undefined;
  const octets = yield { at: from, size: Math.min(FIELD_PADDING_BYTES, end - from) };
  for (let i = octets.indexOf(0xff); i >= 0; i = octets.indexOf(0xff, i + 1)) {
    if (octets[i + 1] === 0xd8 && octets[i + 2] === 0xff) return from + i;
  }
  return undefined;
}

/** Slots, counted from 0, as seconds. */
function timelineInSlots(starts: Float64Array, count: number, slotSeconds: number): Timeline {
  const seconds = slotSeconds > 0 && slotSeconds < 3600 ? slotSeconds : 0.04;
  for (let i = 0; i < starts.length; i++) starts[i] *= seconds;
  return timelineOf(starts, { endSeconds: count * seconds, roundedToSeconds: 1e-9 });
}

/** `00dc` (compressed) and `00db` (said to be uncompressed, by some cameras). */
function isFrameOf(name: string, stream: number): boolean {
  return (name[2] === "d" && (name[3] === "c" || name[3] === "b")) &&
    name.slice(0, 2) === String(stream).padStart(2, "0");
}

function evenEnd(at: number, size: number): number {
  return at + 8 + size + size % 2;
}

function fault(
  reason: string,
  place: { code: "no-frame" | "wrong-codec" | "damaged-container"; offset: number },
) {
  return containerFault("AVI", reason, place);
}

/** The names under which Motion-JPEG goes in AVI. */
const MOTION_JPEG = /^(?:mjpg|jpeg|ijpg|avrn|avdj|dmb1|jpgl|mjls|acdv|qivg|slmj|cjpg)$/i;
const CHUNK_NAME = /^(?:\d\d(?:d[bc]|wb|tx|pc)|ix\d\d|idx1|JUNK|junk|strn|INFO|vprp)$/;
const MAX_HEAD_CHUNKS = 1000;
const MAX_SUPER_INDEX_BYTES = 1 << 20;
const ENTRIES_AT_ONCE = 4096;
const SEARCH_BYTES = 65_536;
const FIELD_PADDING_BYTES = 4096;
const NO_DAMAGE = { list: [], count: 0 } as const;
