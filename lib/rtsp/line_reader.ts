/**
 * The lines of an RTSP head in octets that come in any pieces, looked at once each.
 *
 * Floor 1. It finds lines and leaves them where they are: the parser passes them over.
 *
 * @module
 */
import type { RtspFormatError } from "../errors.ts";
import { headError } from "./head.ts";
import { decodeText, type InputBuffer } from "./input_buffer.ts";
import type { RtspFormatCode } from "./message.ts";

/** One line of text and what it took on the wire. */
export interface Line {
  /** The line without its end. */
  readonly text: string;
  /** What ended it. */
  readonly lineEnd: "\n" | "\r\n";
  /** Octets in the input, with the end; 0 for a line that was cut from another one. */
  readonly octets: number;
}

/** Finds lines at the start of an {@linkcode InputBuffer}. */
export class LineReader {
  readonly #input: InputBuffer;
  readonly #lineBytes: number;
  /** No line feed stands before this octet, counted from the beginning of the connection. */
  #searched = 0;

  /** No line may be longer than `lineBytes`. */
  constructor(input: InputBuffer, lineBytes: number) {
    this.#input = input;
    this.#lineBytes = lineBytes;
  }

  /**
   * The next whole line. `isFirst`: a request line or status line is expected.
   *
   * Throws `RtspFormatError`, `code` `"request-line-too-long"` or `"line-too-long"`, as soon as that shows.
   */
  next(isFirst: boolean): Line | undefined {
    const input = this.#input;
    const lineFeed = input.indexOf(LF, Math.max(0, this.#searched - input.offset));
    const octets = lineFeed < 0 ? input.length : lineFeed;
    if (octets > this.#lineBytes + 1) throw this.#tooLong(octets, isFirst);
    if (lineFeed < 0) {
      this.#searched = input.offset + input.length;
      return undefined;
    }
    const end = this.#withoutReturns(lineFeed);
    if (end > this.#lineBytes) throw this.#tooLong(end, isFirst);
    return {
      text: decodeText(input.view(0, end)),
      lineEnd: end < lineFeed ? "\r\n" : "\n",
      octets: lineFeed + 1,
    };
  }

  /**
   * What has come of a line without its end, `undefined` where nothing has. A long one is read only where the input
   * `isSilent`: reading it again for each octet would take for ever, and it ends no lab message.
   */
  rest(isSilent: boolean): string | undefined {
    const { length } = this.#input;
    if (length === 0) return undefined;
    if (length > LONGEST_LAB_LINE && !isSilent) return " ";
    return decodeText(this.#input.view(0, this.#withoutReturns(length)));
  }

  #withoutReturns(end: number): number {
    while (end > 0 && this.#input.at(end - 1) === CR) end--;
    return end;
  }

  #tooLong(octets: number, isFirst: boolean): RtspFormatError<RtspFormatCode> {
    return headError(
      isFirst ? "request-line-too-long" : "line-too-long",
      `Cannot read RTSP message: a line has ${octets} bytes or more, limit ${this.#lineBytes}`,
      this.#input.offset,
      octets,
      isFirst ? 414 : 400,
    );
  }
}

const LF = 0x0a;
const CR = 0x0d;
const LONGEST_LAB_LINE = 256;
