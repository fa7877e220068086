/**
 * The lab's movie format: five ASCII digits that say how many octets follow, then a JPEG; again and again.
 *
 * Floor 1: Kurose-Ross, "Computer Networking", programming assignment on video streaming. Reads no file.
 *
 * @module
 */
import { FrameFileError, JpegFormatError } from "../errors.ts";
import { DamageLog } from "./frame_damage.ts";
import { type FrameFileIndexer, type FrameIndex, FrameTable } from "./frame_index.ts";

/** Octets of the largest JPEG that five digits can announce. */
export const LAB_LARGEST_FRAME_BYTES = 99_999;

/**
 * One frame of a lab file: the length in five digits, then the JPEG (owned).
 *
 * @throws {JpegFormatError} `too-large-for-lab` above 99,999 octets.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeLabFrame } from "./lab_file.ts";
 *
 * const frame = encodeLabFrame(new Uint8Array([0xff, 0xd8, 0xff, 0xd9]));
 * assertEquals(new TextDecoder().decode(frame.subarray(0, 5)), "00004");
 * assertEquals(frame.length, 9);
 * ```
 */
export function encodeLabFrame(jpeg: Uint8Array): Uint8Array<ArrayBuffer> {
  if (jpeg.length > LAB_LARGEST_FRAME_BYTES) {
    throw new JpegFormatError(
      `Cannot write lab frame: ${jpeg.length} octets, five digits count to ${LAB_LARGEST_FRAME_BYTES}`,
      { code: "too-large-for-lab", offset: 0, rfc: "Kurose-Ross lab" },
    );
  }
  const frame = new Uint8Array(PREFIX_SIZE + jpeg.length);
  for (let i = PREFIX_SIZE - 1, rest = jpeg.length; i >= 0; i--) {
    frame[i] = ZERO + rest % 10;
    rest = Math.floor(rest / 10);
  }
  frame.set(jpeg, PREFIX_SIZE);
  return frame;
}

/** The length in the five digits at `at` when SOI follows them, else undefined. */
export function labPrefixAt(data: Uint8Array, at: number): number | undefined {
  if (at < 0 || at + HEAD_SIZE > data.length) return undefined;
  let length = 0;
  for (let i = at; i < at + PREFIX_SIZE; i++) {
    const digit = data[i] - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return data[at + PREFIX_SIZE] === 0xff && data[at + PREFIX_SIZE + 1] === 0xd8
    ? length
    : undefined;
}

/**
 * Follows the lengths from frame to frame: of each frame it looks at nine octets, the last two and the head of the next.
 * Where a length lies, or something else stands between frames, the next five digits with an SOI behind them are
 * looked for: the frame in between is kept when it ends with EOI there, and the place is counted as damage.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeLabFrame, LabFileIndexer } from "./lab_file.ts";
 *
 * const frame = encodeLabFrame(new Uint8Array([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]));
 * const file = new Uint8Array([...frame, ...frame]);
 * const indexer = new LabFileIndexer({ totalBytes: file.length });
 * while (indexer.position < file.length) indexer.push(file.subarray(indexer.position));
 * const index = indexer.finish();
 * assertEquals([index.frameCount, index.offsetOf(1), index.sizeOf(1)], [2, 17, 7]);
 * ```
 */
export class LabFileIndexer implements FrameFileIndexer {
  readonly #totalBytes: number;
  readonly #frames = new FrameTable();
  readonly #damage = new DamageLog();
  #position = 0;
  /** The octets around a border: up to two of the frame before, then the head of the next. */
  readonly #window = new Uint8Array(TAIL_SIZE + HEAD_SIZE);
  #windowSize = 0;
  /** Octets of the window that belong to the frame before. */
  #tailSize = 0;
  /** The frame whose end the window shows; nothing before the first one. */
  #frame: { readonly start: number; readonly size: number } | undefined;
  /** The last octets before `position` while a head is looked for, and what is looked for. */
  #search: Search | undefined;

  /** `totalBytes` is the size of the file; `Infinity` for one that grows. */
  constructor(options: { readonly totalBytes: number }) {
    this.#totalBytes = options.totalBytes;
  }

  /** Octets from the start of the file to the next octet to push. */
  get position(): number {
    return this.#position;
  }

  /** Takes octets that start at `position`, which moves, as a rule far ahead. */
  push(piece: Uint8Array): void {
    const start = this.#position, end = start + piece.length;
    while (this.#position >= start && this.#position < end) {
      const rest = piece.subarray(this.#position - start);
      if (this.#search !== undefined) this.#lookForHead(this.#search, rest);
      else this.#fillWindow(rest);
    }
  }

  /** The index. Throws `FrameFileError` `no-frame` when there is no frame. */
  finish(): FrameIndex {
    const { count } = this.#frames;
    if (this.#search !== undefined) this.#endSearch(this.#search, this.#totalBytes);
    else if (this.#frame !== undefined) this.#readBorder();
    // Looking at the last border may have found that the last length lies.
    if (this.#search !== undefined) this.#endSearch(this.#search, this.#totalBytes);
    if (this.#frames.count > 0) return this.#frames.toIndex("lab", this.#damage);
    throw new FrameFileError(
      `Cannot read file as lab frames: ${this.#totalBytes} octets hold ${count} whole frames`,
      { code: "no-frame", offset: 0, rfc: "Kurose-Ross lab" },
    );
  }

  /** The index of a file that grows: frames join it when their EOI comes, what follows the last of them is waited for. */
  growingIndex(): FrameIndex {
    return this.#frames.growingIndex("lab", this.#damage, 20);
  }

  #fillWindow(rest: Uint8Array): void {
    const room = Math.min(
      this.#tailSize + HEAD_SIZE - this.#windowSize,
      this.#totalBytes - this.#position,
    );
    const part = rest.subarray(0, room);
    this.#window.set(part, this.#windowSize);
    this.#windowSize += part.length;
    this.#position += part.length;
    const [first, second] = this.#window;
    if (this.#windowSize >= this.#tailSize && first === 0xff && second === 0xd9) this.#addFrame();
    if (part.length === room) this.#readBorder();
  }

  /** The window is full, or the file ends in it. */
  #readBorder(): void {
    const window = this.#window.subarray(0, this.#windowSize);
    const border = this.#position - this.#windowSize + this.#tailSize;
    const size = labPrefixAt(window, this.#tailSize);
    const isEnd = border === this.#totalBytes;
    const frame = this.#frame;
    // With an EOI it was added already.
    if (frame !== undefined && size === undefined && !isEnd) {
      return this.#startSearch(frame.start, frame);
    }
    this.#addFrame();
    if (size !== undefined) this.#follow(border + PREFIX_SIZE, size);
    else if (!isEnd) this.#startSearch(border, undefined);
  }

  /** The frame whose end the window shows is one. */
  #addFrame(): void {
    if (this.#frame !== undefined) this.#frames.add(this.#frame.start, this.#frame.size);
    this.#frame = undefined;
  }

  /** A frame of `size` octets is announced at `start`: jump to its end. */
  #follow(start: number, size: number): void {
    const end = start + size;
    const frame = { start, size };
    if (size < 4 || end > this.#totalBytes) return this.#startSearch(start, frame);
    this.#frame = frame;
    this.#windowSize = 0;
    this.#tailSize = TAIL_SIZE;
    this.#position = end - TAIL_SIZE;
  }

  #startSearch(from: number, frame: Search["frame"]): void {
    this.#frame = undefined;
    this.#search = { from, frame, carry: new Uint8Array(0) };
    this.#position = from;
  }

  #lookForHead(search: Search, rest: Uint8Array): void {
    const { carry } = search;
    const octets = new Uint8Array(carry.length + rest.length);
    octets.set(carry);
    octets.set(rest, carry.length);
    const origin = this.#position - carry.length;
    // The frame's own SOI stands at `from`, and its prefix before that.
    const first = origin <= search.from && search.frame !== undefined
      ? search.from - origin + 1
      : 0;
    for (let at = octets.indexOf(0xff, first + PREFIX_SIZE); at >= 0;) {
      const size = labPrefixAt(octets, at - PREFIX_SIZE);
      if (size !== undefined) {
        const border = origin + at - PREFIX_SIZE;
        search.carry = octets.slice(Math.max(0, at - PREFIX_SIZE - TAIL_SIZE), at - PREFIX_SIZE);
        this.#endSearch(search, border);
        return this.#follow(border + PREFIX_SIZE, size);
      }
      at = octets.indexOf(0xff, at + 1);
    }
    search.carry = octets.slice(Math.max(0, octets.length - TAIL_SIZE - HEAD_SIZE + 1));
    this.#position += rest.length;
  }

  /** The next head, or the end of the file, is at `border`; the octets before it are in `carry`. */
  #endSearch(search: Search, border: number): void {
    this.#search = undefined;
    const { from, frame, carry } = search;
    const size = border - from;
    if (frame === undefined) {
      const isPadding = carry.length >= size && carry.every((octet) => PADDING.includes(octet));
      if (!isPadding) this.#damage.add(from, `${size} octets are no frame`, this.#frames.count);
      return;
    }
    const said = `Its length is said to be ${frame.size} octets, it is ${size}`;
    const tail = carry.subarray(carry.length - TAIL_SIZE);
    if (tail[0] === 0xff && tail[1] === 0xd9 && size <= LARGEST_SALVAGED_BYTES) {
      this.#frames.add(from, size);
      this.#damage.add(from, said, this.#frames.count);
    } else {
      this.#damage.add(from, `${said}, and it has no EOI there`, this.#frames.count);
    }
  }
}

interface Search {
  /** Where the search started: the SOI of `frame`, or the octet behind the last good frame. */
  readonly from: number;
  /** The frame whose length lies. */
  readonly frame: { readonly start: number; readonly size: number } | undefined;
  /** The last octets looked at. */
  carry: Uint8Array;
}

/** What may stand behind a frame and harm nobody: zeros, line ends. */
const PADDING: readonly number[] = [0x00, 0x0a, 0x0d];
const ZERO = 0x30;
const PREFIX_SIZE = 5;
/** Digits and SOI. */
const HEAD_SIZE = PREFIX_SIZE + 2;
const TAIL_SIZE = 2;
/** A frame whose length lies may be longer than five digits say, but not without limit. */
const LARGEST_SALVAGED_BYTES = 16 << 20;
