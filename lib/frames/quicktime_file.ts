/**
 * QuickTime and MP4 files with Motion-JPEG: frames by the sample tables of the first track that has it.
 *
 * Floor 1: reads sizes, places and times; decodes nothing, reads no file. ISO/IEC 14496-12 s8 (MP4), Apple's QuickTime
 * File Format. Taken are `jpeg` and what MP4 calls JPEG (`mp4v` with object type 6C). `mjpa` and `mjpb` are not: their
 * fields are cut and marked in Apple's own way. Fragmented files are not either. Edit lists are passed over.
 *
 * Of the libraries for these files mp4box keeps an object for each frame, mediabunny knows no JPEG codec, and neither reads
 * AVI; the tables that matter here are five, and in this form an hour of film takes less than a megabyte.
 *
 * @see https://developer.apple.com/documentation/quicktime-file-format
 * @module
 */
import { bigEndian32, bigEndian64, containerFault, fourCharacters } from "./container_fault.ts";
import { DamageLog } from "./frame_damage.ts";
import { FrameTable } from "./frame_index.ts";
import { type IndexSteps, SteppedIndexer, type Steps } from "./stepped_indexer.ts";
import { timelineOf } from "./timeline.ts";

/**
 * Finds the frames of a QuickTime or MP4 file.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { QuickTimeFileIndexer } from "./quicktime_file.ts";
 *
 * const file = new TextEncoder().encode("\0\0\0\x10ftypqt  \0\0\0\0");
 * const indexer = new QuickTimeFileIndexer({ totalBytes: file.length });
 * assertThrows(
 *   () => {
 *     while (indexer.position < file.length) indexer.push(file.subarray(indexer.position));
 *     indexer.finish();
 *   },
 *   Error,
 *   "no moov atom",
 * );
 * ```
 */
export class QuickTimeFileIndexer extends SteppedIndexer {
  /** `totalBytes` is the size of the file. */
  constructor(options: { readonly totalBytes: number }) {
    super(readQuickTime(options.totalBytes), options);
  }
}

interface Atom {
  readonly type: string;
  /** Octets from the start of the file to its content. */
  readonly start: number;
  readonly end: number;
}

interface Track {
  timescale: number;
  isVideo: boolean;
  codecs: string[];
  isMotionJpeg: boolean;
  readonly tables: Map<string, Atom>;
}

function* readQuickTime(totalBytes: number): IndexSteps {
  const moov = yield* findMoov(totalBytes);
  let startUnixMs: number | undefined;
  const tracks: Track[] = [];
  let count = 0;
  for (let at = moov.start; at + 8 <= moov.end;) {
    const atom = yield* readAtom(at, moov.end);
    if (atom === undefined || ++count > MAX_ATOMS) break;
    at = CONTAINERS.has(atom.type) ? atom.start : atom.end;
    if (atom.type === "trak") {
      tracks.push({
        ...{ timescale: 0, isVideo: false, codecs: [], isMotionJpeg: false, tables: new Map() },
      });
    } else if (atom.type === "mvhd") startUnixMs = yield* readCreationTime(atom);
    else if (tracks.length > 0) yield* readTrackAtom(atom, tracks[tracks.length - 1]);
  }
  const track = tracks.find(({ isVideo, isMotionJpeg }) => isVideo && isMotionJpeg);
  if (track === undefined) throw wrongCodec(tracks, moov.start);
  return yield* readSamples(track, { totalBytes, startUnixMs, moov });
}

/** The atom `moov`, wherever it stands: recorders write it last. */
function* findMoov(totalBytes: number): Steps<Atom> {
  for (let at = 0, count = 0; at + 8 <= totalBytes && count < MAX_ATOMS; count++) {
    const atom = yield* readAtom(at, totalBytes);
    if (atom === undefined) break;
    if (atom.type === "moov") return atom;
    if (atom.type === "moof") {
      throw fault("it is fragmented: ffmpeg -i IN -c copy OUT.mov makes it one piece", {
        ...{ code: "damaged-container", offset: at },
      });
    }
    at = atom.end;
  }
  throw fault("it has no moov atom, so the recording was not finished", {
    ...{ code: "damaged-container", offset: totalBytes },
  });
}

function* readAtom(at: number, limit: number): Steps<Atom | undefined> {
  const octets = yield { at, size: 16 };
  if (octets.length < 8) return undefined;
  const type = fourCharacters(octets, 4);
  let size = bigEndian32(octets, 0), head = 8;
  if (size === 1) {
    size = bigEndian64(octets, 8);
    head = 16;
  } else if (size === 0) size = limit - at;
  if (size < head) return undefined;
  return { type, start: at + head, end: Math.min(limit, at + size) };
}

/** Seconds since 1904, where a recorder has set its clock. */
function* readCreationTime(atom: Atom): Steps<number | undefined> {
  const octets = yield { at: atom.start, size: 16 };
  const seconds = octets[0] === 1 ? bigEndian64(octets, 4) : bigEndian32(octets, 4);
  const unixSeconds = seconds - SECONDS_1904_TO_1970;
  return unixSeconds > 0 ? unixSeconds * 1000 : undefined;
}

function* readTrackAtom(atom: Atom, track: Track): Steps<void> {
  switch (atom.type) {
    case "mdhd": {
      const octets = yield { at: atom.start, size: 24 };
      track.timescale = bigEndian32(octets, octets[0] === 1 ? 20 : 12);
      break;
    }
    case "hdlr": {
      // QuickTime has a second one, for its data.
      const octets = yield { at: atom.start, size: 12 };
      if (fourCharacters(octets, 8) === "vide") track.isVideo = true;
      break;
    }
    case "stsd": {
      const size = Math.min(4096, atom.end - atom.start);
      const octets = (yield { at: atom.start, size }).slice();
      const codec = fourCharacters(octets, 12);
      track.codecs.push(codec);
      track.isMotionJpeg ||= codec === "jpeg" || (codec === "mp4v" && isJpegObject(octets));
      break;
    }
    case "stts":
    case "stsc":
    case "stsz":
    case "stco":
    case "co64":
      track.tables.set(atom.type, atom);
  }
}

/** Whether the elementary stream descriptor says JPEG (ISO/IEC 14496-1: object type 6C). */
function isJpegObject(octets: Uint8Array): boolean {
  for (let at = 16; at + 24 < octets.length; at++) {
    if (fourCharacters(octets, at) !== "esds") continue;
    for (let i = at + 8; i + 8 < octets.length; i++) {
      if (octets[i] !== 0x04) continue;
      let next = i + 1;
      while (next < i + 4 && octets[next] >= 0x80) next++;
      if (octets[next + 2] >>> 2 === 0x04) return octets[next + 1] === JPEG_OBJECT_TYPE;
    }
  }
  return false;
}

function* readSamples(
  track: Track,
  file: {
    readonly totalBytes: number;
    readonly startUnixMs: number | undefined;
    readonly moov: Atom;
  },
): IndexSteps {
  const { totalBytes, startUnixMs, moov } = file;
  const table = (...types: string[]) => {
    const atom = types.map((type) => track.tables.get(type)).find((found) => found !== undefined);
    if (atom !== undefined) return atom;
    const reason = `its track has no ${types[0]} table`;
    throw fault(reason, { code: "damaged-container", offset: moov.start });
  };
  const offsets = yield* readChunkOffsets(table("stco", "co64"));
  const chunks = new Runs(yield* readEntries(table("stsc"), { head: 8, entry: 12 }), 3);
  const times = new Runs(yield* readEntries(table("stts"), { head: 8, entry: 8 }), 2);
  const frames = new FrameTable(), damage = new DamageLog();
  const sizes = table("stsz");
  const sizesHead = (yield { at: sizes.start, size: 12 }).slice();
  const fixedSize = bigEndian32(sizesHead, 4);
  const room = fixedSize > 0 ? totalBytes / fixedSize : (sizes.end - sizes.start - 12) / 4;
  const count = Math.min(bigEndian32(sizesHead, 8), Math.floor(room));
  const place = { chunk: 0, leftInChunk: 0, at: 0 };
  let ticks = 0, leftInRun = 0, run = -1;
  let entries = sizesHead;
  for (let i = 0; i < count; i++) {
    if (fixedSize === 0 && i % ENTRIES_AT_ONCE === 0) {
      const size = 4 * Math.min(ENTRIES_AT_ONCE, count - i);
      entries = (yield { at: sizes.start + 12 + 4 * i, size }).slice();
    }
    const size = fixedSize > 0 ? fixedSize : bigEndian32(entries, 4 * (i % ENTRIES_AT_ONCE));
    if (!nextPlace(place, offsets, chunks)) {
      damage.add(sizes.start, `${count - i} frames have no place`, frames.count);
      break;
    }
    if (size < 4 || place.at + size > totalBytes) {
      damage.add(place.at, `a frame of ${size} octets reaches beyond the file`, frames.count);
    } else frames.add(place.at, size, ticks / (track.timescale || 600));
    place.at += size;
    while (leftInRun === 0 && run + 1 < times.count) leftInRun = times.value(++run, 0);
    leftInRun = Math.max(0, leftInRun - 1);
    ticks += times.count === 0 ? 24 : times.value(Math.max(0, run), 1);
  }
  if (frames.count === 0) throw fault("it has no frames", { code: "no-frame", offset: moov.start });
  const tick = 1 / (track.timescale || 600);
  const timeline = timelineOf(frames.starts!, {
    endSeconds: ticks * tick,
    roundedToSeconds: tick,
  });
  return frames.toIndex("quicktime", damage, { timeline, startUnixMs });
}

/** Goes on to the next chunk where the present one is used up; false where there is none. */
function nextPlace(
  place: { chunk: number; leftInChunk: number; at: number },
  offsets: Float64Array,
  chunks: Runs,
): boolean {
  while (place.leftInChunk === 0) {
    if (place.chunk >= offsets.length) return false;
    place.at = offsets[place.chunk++];
    place.leftInChunk = chunks.valueFrom(place.chunk);
  }
  place.leftInChunk--;
  return true;
}

/** The entries of a table of 32-bit numbers. */
class Runs {
  readonly #numbers: Uint32Array;
  readonly #width: number;
  #current = 0;

  constructor(numbers: Uint32Array, width: number) {
    this.#numbers = numbers;
    this.#width = width;
  }

  get count(): number {
    return Math.floor(this.#numbers.length / this.#width);
  }

  value(entry: number, field: number): number {
    return this.#numbers[entry * this.#width + field] ?? 0;
  }

  /** The second field of the last entry whose first is at most `key`; keys must not fall from call to call. */
  valueFrom(key: number): number {
    while (this.#current + 1 < this.count && this.value(this.#current + 1, 0) <= key) {
      this.#current++;
    }
    return this.value(this.#current, 1);
  }
}

function* readChunkOffsets(atom: Atom): Steps<Float64Array> {
  const width = atom.type === "co64" ? 8 : 4;
  const head = yield { at: atom.start, size: 8 };
  const count = Math.min(bigEndian32(head, 4), Math.floor((atom.end - atom.start - 8) / width));
  const offsets = new Float64Array(Math.max(0, count));
  for (let done = 0; done < count; done += ENTRIES_AT_ONCE) {
    const size = width * Math.min(ENTRIES_AT_ONCE, count - done);
    const octets = yield { at: atom.start + 8 + width * done, size };
    for (let i = 0; i * width < octets.length; i++) {
      offsets[done + i] = width === 8 ? bigEndian64(octets, 8 * i) : bigEndian32(octets, 4 * i);
    }
  }
  return offsets;
}

function* readEntries(
  atom: Atom,
  shape: { readonly head: number; readonly entry: number },
): Steps<Uint32Array> {
  const head = yield { at: atom.start, size: shape.head };
  const room = Math.floor((atom.end - atom.start - shape.head) / shape.entry);
  const count = Math.max(0, Math.min(bigEndian32(head, 4), room)) * (shape.entry / 4);
  const numbers = new Uint32Array(count);
  for (let done = 0; done < count; done += ENTRIES_AT_ONCE) {
    const size = 4 * Math.min(ENTRIES_AT_ONCE, count - done);
    const octets = yield { at: atom.start + shape.head + 4 * done, size };
    for (let i = 0; 4 * i < octets.length; i++) numbers[done + i] = bigEndian32(octets, 4 * i);
  }
  return numbers;
}

function wrongCodec(tracks: readonly Track[], offset: number) {
  const codecs = tracks.filter(({ isVideo }) => isVideo).flatMap(({ codecs }) => codecs);
  if (codecs.some((codec) => codec === "mjpa" || codec === "mjpb")) {
    const reason =
      `its video is ${codecs.join(", ")} (Apple's Motion-JPEG with its own marks), wanted jpeg: ` +
      "ffmpeg -i IN -c:v mjpeg -q:v 2 OUT.mov converts it";
    return fault(reason, { code: "wrong-codec", offset });
  }
  const what = codecs.length === 0 ? "no video" : `${codecs.join(", ")} video`;
  return fault(`it has ${what}, wanted jpeg`, { code: "wrong-codec", offset });
}

function fault(
  reason: string,
  place: { code: "no-frame" | "wrong-codec" | "damaged-container"; offset: number },
) {
  return containerFault("QuickTime", reason, place);
}

const CONTAINERS = new Set(["trak", "mdia", "minf", "stbl"]);
const MAX_ATOMS = 10_000;
const ENTRIES_AT_ONCE = 4096;
const JPEG_OBJECT_TYPE = 0x6c;
const SECONDS_1904_TO_1970 = 2_082_844_800;
