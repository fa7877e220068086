/**
 * Writing AVI files with Motion-JPEG: where each octet goes, as frames come.
 *
 * Floor 1: makes octets, writes no file. Both indexes are there: `idx1` for old players, OpenDML's for files above 1 GB,
 * which become several RIFF chunks. Frames are appended in order and the head is written anew from time to time, so that
 * a file that was cut short is an AVI without an index: readable to the last whole frame.
 *
 * @see https://learn.microsoft.com/windows/win32/directshow/avi-riff-file-reference
 * @module
 */

/** What the head of an AVI says. */
export interface AviHead {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Frames a second, above 0. */
  readonly frameRateHz: number;
  /** Octets of the largest frame: what players make room for. */
  readonly largestFrameBytes?: number;
}

/** Octets and where they go. */
export interface AviPatch {
  /** Octets from the start of the file. */
  readonly at: number;
  /** What goes there. */
  readonly octets: Uint8Array;
}

/** The head of an AVI without frames. See {@linkcode AviWriter}. */
export function encodeAviHead(head: AviHead): Uint8Array {
  return new AviWriter(head).head(head);
}

/**
 * Lays out one AVI file. First {@linkcode AviWriter.head} is written, then for each frame what
 * {@linkcode AviWriter.beforeFrame} gives and the frame itself; at the end {@linkcode AviWriter.finish}, then the head
 * again.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { AviFileIndexer } from "./avi_file.ts";
 * import { AviWriter } from "./avi_writer.ts";
 *
 * const picture = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
 * const about = { width: 16, height: 8, frameRateHz: 25 };
 * const writer = new AviWriter(about);
 * writer.head(about);
 * const body = [...writer.beforeFrame(4).octets, ...picture, ...writer.finish()[0].octets];
 * const file = new Uint8Array([...writer.head(about), ...body]);
 * const indexer = new AviFileIndexer({ totalBytes: file.length });
 * while (indexer.position < file.length) indexer.push(file.subarray(indexer.position));
 * assertEquals(indexer.finish().frameCount, 1);
 * ```
 */
export class AviWriter {
  readonly #width: number;
  readonly #height: number;
  readonly #riffLimitBytes: number;
  #largest = 0;
  #frames = 0;
  /** Frames of the first RIFF chunk: what old players see. */
  #framesOfFirst = 0;
  #end = HEAD_BYTES;
  /** Where the present RIFF chunk begins. */
  #riff = 0;
  /** Where its list's name `movi` stands. */
  #movi = HEAD_BYTES - 4;
  #firstRiffEnd = 0;
  #firstMoviEnd = 0;
  #offsets: number[] = [];
  #sizes: number[] = [];
  readonly #parts: { readonly at: number; readonly size: number; readonly frames: number }[] = [];

  /** `riffLimitBytes`: a RIFF chunk that has grown so large is closed. */
  constructor(
    options: {
      readonly width: number;
      readonly height: number;
      readonly riffLimitBytes?: number;
    },
  ) {
    this.#width = options.width;
    this.#height = options.height;
    this.#riffLimitBytes = options.riffLimitBytes ?? RIFF_LIMIT_BYTES;
  }

  /** Frames so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Octets of the file so far. */
  get end(): number {
    return this.#end;
  }

  /** The head as it should be now: the same size always, goes to the start of the file. */
  head(about: { readonly frameRateHz: number; readonly largestFrameBytes?: number }): Uint8Array {
    const [rate, scale] = fractionOf(about.frameRateHz);
    const largest = Math.max(this.#largest, about.largestFrameBytes ?? 0);
    const isFirst = this.#riff === 0;
    const riffEnd = isFirst ? this.#end : this.#firstRiffEnd;
    const moviEnd = this.#firstMoviEnd > 0 ? this.#firstMoviEnd : this.#end;
    const { octets, text, u32, u16 } = pen(HEAD_BYTES);
    text("RIFF"), u32(riffEnd - 8), text("AVI ");
    text("LIST"), u32(HEAD_BYTES - 12 - 20), text("hdrl");
    text("avih"), u32(56);
    u32(Math.round(1e6 * scale / rate)), u32(Math.round(largest * rate / scale)), u32(0);
    u32(HAS_INDEX | IS_INTERLEAVED), u32(isFirst ? this.#frames : this.#framesOfFirst), u32(0);
    u32(1), u32(largest + 8), u32(this.#width), u32(this.#height), u32(0), u32(0), u32(0), u32(0);
    text("LIST"), u32(4 + 64 + 48 + 8 + SUPER_INDEX_BYTES), text("strl");
    text("strh"), u32(56), text("vids"), text("MJPG"), u32(0), u32(0), u32(0);
    u32(scale), u32(rate), u32(0), u32(this.#frames), u32(largest + 8), u32(0xffff_ffff), u32(0);
    u16(0), u16(0), u16(this.#width), u16(this.#height);
    text("strf"), u32(40), u32(40), u32(this.#width), u32(this.#height), u16(1), u16(24);
    text("MJPG"), u32(this.#width * this.#height * 3), u32(0), u32(0), u32(0), u32(0);
    text("indx"), u32(SUPER_INDEX_BYTES), u16(4), u16(0), u32(this.#parts.length), text("00dc");
    u32(0), u32(0), u32(0);
    for (let i = 0; i < SUPER_INDEX_ENTRIES; i++) {
      const part = this.#parts[i];
      u32((part?.at ?? 0) % 2 ** 32), u32(Math.floor((part?.at ?? 0) / 2 ** 32));
      u32(part?.size ?? 0), u32(part?.frames ?? 0);
    }
    text("LIST"), u32(4 + 8 + 248), text("odml"), text("dmlh"), u32(248), u32(this.#frames);
    for (let i = 0; i < 61; i++) u32(0);
    text("LIST"), u32(moviEnd - (HEAD_BYTES - 4)), text("movi");
    return octets;
  }

  /**
   * Makes room for a frame of `size` octets: what goes right before it, at {@linkcode AviWriter.end} as it was, and
   * what must be mended elsewhere. Behind a frame of odd size a zero follows with what is written next.
   */
  beforeFrame(size: number): AviPatch & { readonly patches: readonly AviPatch[] } {
    const at = this.#end;
    const pieces: Uint8Array[] = [];
    let patches: readonly AviPatch[] = [];
    if (this.#end % 2 === 1) pieces.push(new Uint8Array(1));
    const isFull = this.#end + size - this.#riff > this.#riffLimitBytes &&
      this.#offsets.length > 0 && this.#parts.length < SUPER_INDEX_ENTRIES - 1;
    if (isFull) {
      const close = this.#closeRiff(at + lengthOf(pieces));
      pieces.push(close.octets);
      patches = close.patches;
      this.#riff = at + lengthOf(pieces);
      this.#movi = this.#riff + 20;
      const { octets, text, u32 } = pen(24);
      text("RIFF"), u32(0), text("AVIX"), text("LIST"), u32(0), text("movi");
      pieces.push(octets);
    }
    const { octets, text, u32 } = pen(8);
    text("00dc"), u32(size);
    pieces.push(octets);
    const before = joined(pieces);
    this.#offsets.push(at + before.length);
    this.#sizes.push(size);
    this.#largest = Math.max(this.#largest, size);
    this.#frames++;
    this.#end = at + before.length + size;
    return { at, octets: before, patches };
  }

  /** What goes to the end of the file, first, and what must be mended elsewhere; afterwards the head goes to the start. */
  finish(): readonly AviPatch[] {
    const at = this.#end;
    const pieces = at % 2 === 1 ? [new Uint8Array(1)] : [];
    const close = this.#closeRiff(at + lengthOf(pieces));
    const octets = joined([...pieces, close.octets]);
    this.#end = at + octets.length;
    if (this.#riff === 0) this.#firstRiffEnd = this.#end;
    return [{ at, octets }, ...close.patches];
  }

  /** The indexes that end the present RIFF chunk. */
  #closeRiff(at: number): { octets: Uint8Array; patches: readonly AviPatch[] } {
    const isFirst = this.#riff === 0;
    const count = this.#offsets.length;
    const standard = this.#standardIndex();
    this.#parts.push({ at, size: standard.length, frames: count });
    const moviEnd = at + standard.length;
    const octets = isFirst ? joined([standard, this.#oldIndex()]) : standard;
    const end = at + octets.length;
    const patches: AviPatch[] = [];
    if (isFirst) {
      this.#firstRiffEnd = end;
      this.#firstMoviEnd = moviEnd;
      this.#framesOfFirst = count;
    } else {
      patches.push(sizeAt(this.#riff + 4, end - this.#riff - 8));
      patches.push(sizeAt(this.#movi - 4, moviEnd - this.#movi));
    }
    this.#offsets = [];
    this.#sizes = [];
    return { octets, patches };
  }

  /** `ix00` (OpenDML s3.1.3): offsets of the frames themselves, from the RIFF chunk on. */
  #standardIndex(): Uint8Array {
    const count = this.#offsets.length;
    const { octets, text, u32, u16, u8 } = pen(32 + 8 * count);
    text("ix00"), u32(24 + 8 * count), u16(2), u8(0), u8(1), u32(count), text("00dc");
    u32(this.#riff % 2 ** 32), u32(Math.floor(this.#riff / 2 ** 32)), u32(0);
    for (let i = 0; i < count; i++) u32(this.#offsets[i] - this.#riff), u32(this.#sizes[i]);
    return octets;
  }

  /** `idx1`: offsets of the chunks, from the name of their list on. */
  #oldIndex(): Uint8Array {
    const count = this.#offsets.length;
    const { octets, text, u32 } = pen(8 + 16 * count);
    text("idx1"), u32(16 * count);
    for (let i = 0; i < count; i++) {
      text("00dc"), u32(IS_KEY_FRAME), u32(this.#offsets[i] - 8 - this.#movi), u32(this.#sizes[i]);
    }
    return octets;
  }
}

/** A pen that writes numbers (least significant octet first) and names one behind the other. */
function pen(size: number) {
  const octets = new Uint8Array(size), view = new DataView(octets.buffer);
  let at = 0;
  return {
    octets,
    text(characters: string) {
      for (let i = 0; i < characters.length; i++) octets[at++] = characters.charCodeAt(i);
    },
    u32(value: number) {
      view.setUint32(at, value, true);
      at += 4;
    },
    u16(value: number) {
      view.setUint16(at, value, true);
      at += 2;
    },
    u8(value: number) {
      octets[at++] = value;
    },
  };
}

function sizeAt(at: number, size: number): AviPatch {
  const { octets, u32 } = pen(4);
  u32(size);
  return { at, octets };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** A rate as a fraction: 30000/1001 where it is one of those, else to a thousandth. */
function fractionOf(rateHz: number): readonly [rate: number, scale: number] {
  const rate = Math.min(1e6, Math.max(0.001, rateHz));
  if (Math.abs(rate - Math.round(rate)) < 1e-6) return [Math.round(rate), 1];
  const film = Math.round(rate * 1.001);
  if (film > 0 && Math.abs(film / 1.001 - rate) < 1e-4) return [film * 1000, 1001];
  return [Math.round(rate * 1000), 1000];
}

const SUPER_INDEX_ENTRIES = 256;
const SUPER_INDEX_BYTES = 24 + 16 * SUPER_INDEX_ENTRIES;
const HEAD_BYTES = 24 + 64 + 12 + 64 + 48 + 8 + SUPER_INDEX_BYTES + 12 + 8 + 248 + 12;
/** Old programs count to 2^30 at best (OpenDML s2). */
const RIFF_LIMIT_BYTES = 0x3f00_0000;
const HAS_INDEX = 0x10;
const IS_INTERLEAVED = 0x100;
const IS_KEY_FRAME = 0x10;
