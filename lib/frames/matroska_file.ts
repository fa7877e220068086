/**
 * Matroska files with Motion-JPEG: frames by the blocks of the first track that has it.
 *
 * Floor 1: walks through clusters and looks at the heads of blocks; decodes nothing, reads no file. RFC 8794 (EBML),
 * RFC 9559 (Matroska). Taken are `V_MJPEG` and `V_MS/VFW/FOURCC` with `MJPG`. Tracks whose blocks are compressed or laced
 * are not. Cues are not needed: a recording that was cut short is read to its last whole block.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9559
 * @module
 */
import { bigEndian32, containerFault, fourCharacters } from "./container_fault.ts";
import { DamageLog } from "./frame_damage.ts";
import { FrameTable } from "./frame_index.ts";
import { type IndexSteps, SteppedIndexer, type Steps } from "./stepped_indexer.ts";
import { timelineOf } from "./timeline.ts";

/**
 * Finds the frames of a Matroska file.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { MatroskaFileIndexer } from "./matroska_file.ts";
 *
 * const file = new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, 0x80]);
 * const indexer = new MatroskaFileIndexer({ totalBytes: file.length });
 * assertThrows(
 *   () => {
 *     while (indexer.position < file.length) indexer.push(file.subarray(indexer.position));
 *     indexer.finish();
 *   },
 *   Error,
 *   "no video",
 * );
 * ```
 */
export class MatroskaFileIndexer extends SteppedIndexer {
  /** `totalBytes` is the size of the file. */
  constructor(options: { readonly totalBytes: number }) {
    super(readMatroska(options.totalBytes), options);
  }
}

interface Element {
  readonly id: number;
  /** Octets from the start of the file to its content. */
  readonly start: number;
  /** Octets of its content; `undefined` where the writer did not know. */
  readonly size: number | undefined;
}

interface Track {
  number: number;
  isVideo: boolean;
  codec: string;
  fourcc: string;
  frameSeconds: number;
  isEncoded: boolean;
}

/** What is known while the file is walked through. */
interface Film {
  readonly tracks: Track[];
  chosen: Track | undefined;
  secondsPerTick: number;
  startUnixMs: number | undefined;
  clusterTicks: number;
  readonly frames: FrameTable;
  readonly damage: DamageLog;
}

function* readMatroska(totalBytes: number): IndexSteps {
  const film: Film = {
    tracks: [],
    chosen: undefined,
    secondsPerTick: 0.001,
    startUnixMs: undefined,
    clusterTicks: 0,
    frames: new FrameTable(),
    damage: new DamageLog(),
  };
  for (let at = 0; at < totalBytes;) {
    const element = yield* readElement(at);
    if (element === undefined) {
      const next = yield* findCluster(at + 1, totalBytes);
      film.damage.add(at, `${next - at} octets that are no element`, film.frames.count);
      at = next;
      continue;
    }
    const { id, start, size } = element;
    if (DESCENDED.has(id)) {
      if (id === TRACK_ENTRY) film.tracks.push(newTrack());
      if (id === CLUSTER) film.chosen ??= chooseTrack(film.tracks, at);
      at = start;
      continue;
    }
    if (id === SIMPLE_BLOCK || id === BLOCK) {
      film.chosen ??= chooseTrack(film.tracks, at);
      yield* readBlock(film, film.chosen, { ...element, size: size ?? 0 }, totalBytes);
    } else if (size !== undefined && size <= MAX_VALUE_BYTES) yield* readValue(film, element);
    at = start + (size ?? 0);
  }
  film.chosen ??= chooseTrack(film.tracks, 0);
  return indexOf(film);
}

function indexOf({ frames, damage, chosen, secondsPerTick, startUnixMs }: Film) {
  if (frames.count === 0) throw fault("it has no frames", { code: "no-frame", offset: 0 });
  const starts = frames.starts!;
  const last = starts[starts.length - 1];
  const mean = starts.length > 1 ? (last - starts[0]) / (starts.length - 1) : 0.04;
  const frameSeconds = chosen!.frameSeconds > 0 ? chosen!.frameSeconds : mean;
  const endSeconds = last + frameSeconds;
  const timeline = timelineOf(starts, { endSeconds, roundedToSeconds: secondsPerTick });
  return frames.toIndex("matroska", damage, { timeline, startUnixMs });
}

/** Identifier and size (RFC 8794 s4, s5). */
function* readElement(at: number): Steps<Element | undefined> {
  const octets = yield { at, size: 12 };
  const idLength = Math.clz32(octets[0] ?? 0) - 23;
  if (idLength > 4 || octets.length <= idLength) return undefined;
  let id = 0;
  for (let i = 0; i < idLength; i++) id = id * 256 + octets[i];
  const sizeLength = Math.clz32(octets[idLength]) - 23;
  if (sizeLength > 8 || octets.length < idLength + sizeLength) return undefined;
  let size = octets[idLength] & 0xff >>> sizeLength;
  let isUnknown = size === 0xff >>> sizeLength;
  for (let i = 1; i < sizeLength; i++) {
    size = size * 256 + octets[idLength + i];
    isUnknown &&= octets[idLength + i] === 0xff;
  }
  if (!isUnknown && size > Number.MAX_SAFE_INTEGER) return undefined;
  return { id, start: at + idLength + sizeLength, size: isUnknown ? undefined : size };
}

function* readBlock(
  film: Film,
  track: Track,
  block: { readonly start: number; readonly size: number },
  totalBytes: number,
): Steps<void> {
  const { start, size } = block;
  const octets = yield { at: start, size: 12 };
  const numberLength = Math.clz32(octets[0] ?? 0) - 23;
  if (numberLength > 4 || octets.length < numberLength + 3) return;
  let number = octets[0] & 0xff >>> numberLength;
  for (let i = 1; i < numberLength; i++) number = number * 256 + octets[i];
  if (number !== track.number) return;
  const ticks = (octets[numberLength] << 24 | octets[numberLength + 1] << 16) >> 16;
  const head = numberLength + 3;
  if ((octets[numberLength + 2] & 0x06) !== 0) {
    return film.damage.add(start, "a laced block", film.frames.count);
  }
  if (start + size > totalBytes || size - head < 4) {
    const reason = `a block of ${size} octets reaches beyond the file`;
    return film.damage.add(start, reason, film.frames.count);
  }
  const seconds = (film.clusterTicks + ticks) * film.secondsPerTick;
  film.frames.add(start + head, size - head, seconds);
}

/** Elements that hold one value. */
function* readValue(film: Film, { id, start, size = 0 }: Element): Steps<void> {
  if (!VALUES.has(id)) return;
  const octets = yield { at: start, size };
  const number = octets.reduce((value, octet) => value * 256 + octet, 0);
  const track = film.tracks.at(-1) ?? newTrack();
  switch (id) {
    case TIMESTAMP_SCALE:
      if (number > 0) film.secondsPerTick = number / 1e9;
      break;
    case CLUSTER_TIMESTAMP:
      film.clusterTicks = number;
      break;
    case DATE_UTC:
      // Nanoseconds since 2001, signed; only later ones make sense.
      if (octets[0] < 0x80) film.startUnixMs = MS_OF_2001 + number / 1e6;
      break;
    case TRACK_NUMBER:
      track.number = number;
      break;
    case TRACK_TYPE:
      track.isVideo = number === 1;
      break;
    case CODEC_ID:
      track.codec = String.fromCharCode(...octets).replace(/[^ -~]/g, "");
      break;
    case CODEC_PRIVATE:
      track.fourcc = fourCharacters(octets, 16);
      break;
    case DEFAULT_DURATION:
      track.frameSeconds = number / 1e9;
      break;
    case CONTENT_COMP_ALGO:
    case CONTENT_ENC_ALGO:
      track.isEncoded = true;
  }
}

function chooseTrack(tracks: readonly Track[], offset: number): Track {
  const videos = tracks.filter(({ isVideo }) => isVideo);
  const track = videos.find(({ codec, fourcc }) =>
    codec === "V_MJPEG" || (codec === "V_MS/VFW/FOURCC" && /^mjpg$/i.test(fourcc))
  );
  if (track === undefined) {
    const what = videos.length === 0
      ? "no video"
      : `${videos.map(({ codec }) => codec).join(", ").slice(0, 200)} video`;
    throw fault(`it has ${what}, wanted V_MJPEG`, { code: "wrong-codec", offset });
  }
  if (!track.isEncoded) return track;
  throw fault("its frames are compressed once more: mkvmerge --compression 0:none undoes it", {
    ...{ code: "wrong-codec", offset },
  });
}

/** The next cluster behind octets that make no sense, or the end of the file. */
function* findCluster(from: number, totalBytes: number): Steps<number> {
  for (let at = from; at < totalBytes; at += SEARCH_BYTES - 4) {
    const octets = yield { at, size: SEARCH_BYTES };
    for (let i = octets.indexOf(0x1f); i >= 0; i = octets.indexOf(0x1f, i + 1)) {
      if (bigEndian32(octets, i) === CLUSTER) return at + i;
    }
  }
  return totalBytes;
}

function newTrack(): Track {
  return {
    ...{ number: 0, isVideo: false, codec: "", fourcc: "", frameSeconds: 0, isEncoded: false },
  };
}

function fault(
  reason: string,
  place: { code: "no-frame" | "wrong-codec"; offset: number },
) {
  return containerFault("Matroska", reason, place);
}

const TRACK_ENTRY = 0xae;
const CLUSTER = 0x1f43b675;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
const TIMESTAMP_SCALE = 0x2ad7b1;
const CLUSTER_TIMESTAMP = 0xe7;
const DATE_UTC = 0x4461;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const DEFAULT_DURATION = 0x23e383;
const CONTENT_COMP_ALGO = 0x4254;
const CONTENT_ENC_ALGO = 0x47e1;
/** Segment, Info, Tracks, TrackEntry, ContentEncodings and below, Cluster, BlockGroup. */
const DESCENDED = new Set([
  ...[0x18538067, 0x1549a966, 0x1654ae6b, TRACK_ENTRY, 0x6d80, 0x6240, 0x5034, 0x5035],
  ...[CLUSTER, 0xa0],
]);
const VALUES = new Set([
  ...[TIMESTAMP_SCALE, CLUSTER_TIMESTAMP, DATE_UTC, TRACK_NUMBER, TRACK_TYPE, CODEC_ID],
  ...[CODEC_PRIVATE, DEFAULT_DURATION, CONTENT_COMP_ALGO, CONTENT_ENC_ALGO],
]);
const MAX_VALUE_BYTES = 4096;
const SEARCH_BYTES = 65_536;
const MS_OF_2001 = 978_307_200_000;
