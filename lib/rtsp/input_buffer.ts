/**
 * The octets of one direction of a connection that are not yet read.
 *
 * Floor 1. Appending, searching and taking cost time in proportion to the octets, however they are cut.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { latin1 } from "../latin1.ts";

/** A window over a growing buffer: octets enter at its end and leave at its start. */
export class InputBuffer {
  /** What left since {@linkcode InputBuffer.beginMessage}; `undefined` where nobody wants it. */
  readonly #kept: Uint8Array[] | undefined;
  #bytes = new Uint8Array(SMALLEST_CAPACITY);
  #start = 0;
  #end = 0;
  #offset = 0;

  /** Empty. `keepsMessages` makes {@linkcode InputBuffer.endMessage} work, for a copy of all that is read. */
  constructor(options: { readonly keepsMessages?: boolean } = {}) {
    this.#kept = options.keepsMessages ? [] : undefined;
  }

  /** Octets that wait to be read. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Octets read since the connection began: where the window starts. */
  get offset(): number {
    return this.#offset;
  }

  /** Copies octets to the end. */
  append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The octet at an index of the window, or -1 past its end. */
  at(index: number): number {
    return index < this.length ? this.#bytes[this.#start + index] : -1;
  }

  /** Index of the first octet of that value at or behind `from`, or -1. */
  indexOf(octet: number, from: number): number {
    const found = this.#bytes.indexOf(octet, this.#start + from);
    return found < 0 || found >= this.#end ? -1 : found - this.#start;
  }

  /** The octets of a part of the window, borrowed until the next `append`. */
  view(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(this.#start + from, this.#start + Math.min(to, this.length));
  }

  /** Takes octets from the start, as an owned copy. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.slice(this.#start, this.#start + count);
    this.skip(count);
    return taken;
  }

  /** What leaves from here on belongs to a new message. */
  beginMessage(): void {
    if (this.#kept !== undefined) this.#kept.length = 0;
  }

  /**
   * The octets that left since the message began, and up to `ahead` of those that still wait, as an owned copy; empty
   * where they are not kept.
   */
  endMessage(ahead = 0): Uint8Array {
    if (this.#kept === undefined) return NO_OCTETS;
    const bytes = concat([...this.#kept, this.view(0, ahead)]);
    this.#kept.length = 0;
    return bytes;
  }

  /** Passes octets at the start over. */
  skip(count: number): void {
    this.#kept?.push(this.view(0, count).slice());
    this.#start += count;
    this.#offset += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    if (this.#bytes.length > LARGEST_IDLE_CAPACITY) {
      this.#bytes = new Uint8Array(SMALLEST_CAPACITY);
    }
  }

  /** Moves the window to the front where that frees half of the buffer, else doubles the buffer. */
  #makeRoom(count: number): void {
    const wanted = this.length + count;
    if (wanted * 2 <= this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, wanted * 2));
      larger.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = larger;
    }
    this.#end = this.length;
    this.#start = 0;
  }
}

/** Octets of text: UTF-8 (RFC 2326 s4), or Latin-1 where that is malformed, as some cameras write. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length <= LONGEST_LINE && isAscii(bytes)) return latin1(bytes);
  try {
    return UTF8.decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

const NO_OCTETS = new Uint8Array();
const SMALLEST_CAPACITY = 1024;
const LARGEST_IDLE_CAPACITY = 262_144;
/** Octets of the longest text that is read the quick way: of a line, not of a body. */
const LONGEST_LINE = 1024;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isAscii(bytes: Uint8Array): boolean {
  let union = 0;
  for (let at = 0; at < bytes.length; at++) union |= bytes[at];
  return union < 0x80;
}
