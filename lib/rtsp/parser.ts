/**
 * The incremental reader of one direction of an RTSP connection.
 *
 * Floor 1. It takes octets as they come, in any pieces, and hands out requests, responses and interleaved frames. It
 * owns no socket and no clock: the lab's messages end with silence, and whoever reads the socket says when that was.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-4
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-10.12
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import { assembleRequest, assembleResponse } from "./assembly.ts";
import { DialectJudge } from "./dialect.ts";
import {
  hasControlCharacter,
  headError,
  isTokenOctet,
  notRtsp,
  parseRequestLine,
  parseStatusLine,
} from "./head.ts";
import { InputBuffer } from "./input_buffer.ts";
import {
  gluedMethodIndex,
  leftoverMethodIndex,
  mayBecomeRequestLine,
  opensMessage,
  startsWithMethod,
} from "./lab.ts";
import { type Line, LineReader } from "./line_reader.ts";
import {
  DEFAULT_RTSP_LIMITS,
  type InterleavedFrame,
  type RtspDialect,
  type RtspFormatCode,
  type RtspLimits,
  type RtspMessage,
  type RtspRequest,
  type RtspResponse,
} from "./message.ts";
import { openBody, type PendingBody, wholeBodySize } from "./pending_body.ts";
import { PAUSES, PendingHead } from "./pending_head.ts";

/** Options of an {@linkcode RtspParser}. */
export interface RtspParserOptions {
  /** `"server"` reads requests, `"client"` responses. Each also reads the other's, which RTSP permits, and `$` frames. */
  readonly role: "server" | "client";
  /** How messages are read; `"auto"` decides for each message by its form. */
  readonly dialect: RtspDialect;
  /** Bounds; those left out are {@linkcode DEFAULT_RTSP_LIMITS}. */
  readonly limits?: Partial<RtspLimits>;
  /** Whether {@linkcode RtspParser.messageBytes} is wanted; it costs a copy of each message. @default {false} */
  readonly keepsBytes?: boolean;
}

/**
 * Incremental reader of one direction of one connection.
 *
 * After each `push`, call `next` until it returns `undefined`. Where `pauseMs` is then a number and no octet comes for
 * that many milliseconds, call `pause` and `next` again: that is how most messages of the lab end. A standard message
 * ends with its blank line and body alone, however slowly they come.
 *
 * After an `RtspFormatError` the connection is beyond repair: answer with the error's `statusCode` and close.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { RtspParser } from "./parser.ts";
 * const parser = new RtspParser({ role: "server", dialect: "auto" });
 * parser.push(new TextEncoder().encode("PLAY \n2"));
 * assertEquals(parser.next(), undefined);
 * assertEquals(parser.pauseMs, 40);
 * parser.pause();
 * const request = parser.next();
 * assertEquals(request?.type === "request" && request.method, "PLAY");
 * ```
 */
export class RtspParser {
  readonly #role: RtspParserOptions["role"];
  readonly #dialect: RtspDialect;
  readonly #limits: RtspLimits;
  readonly #judge: DialectJudge;
  readonly #input: InputBuffer;
  readonly #lines: LineReader;
  #head: PendingHead | undefined;
  /** Whether all of the head came with one `push`. */
  #isHeadOfOnePush = false;
  #body: PendingBody | undefined;
  /** A line that was cut off from the one before: two requests without a line end between. */
  #held: Line | undefined;
  /** Lines passed over since a message that may have had more of them; `undefined` where none may follow. */
  #leftoverLines: number | undefined;
  #hasEnded = false;
  #isPaused = false;
  #failure: RtspFormatError<RtspFormatCode> | undefined;
  readonly #expectedMethods: string[] = [];
  #messageBytes: Uint8Array | undefined;

  /** A reader at the start of a connection. */
  constructor(options: RtspParserOptions) {
    this.#role = options.role;
    this.#dialect = options.dialect;
    this.#judge = new DialectJudge(options.role, options.dialect);
    this.#limits = { ...DEFAULT_RTSP_LIMITS, ...options.limits };
    this.#input = new InputBuffer({ keepsMessages: options.keepsBytes });
    this.#lines = new LineReader(this.#input, this.#limits.lineBytes);
  }

  /**
   * With `keepsBytes`, the octets (owned) of the request or response that `next` returned last, or, where it has
   * thrown, the beginning of what it could not read.
   */
  get messageBytes(): Uint8Array | undefined {
    return this.#messageBytes;
  }

  /** Takes octets; they are copied. */
  push(bytes: Uint8Array): void {
    if (this.#failure !== undefined || bytes.length === 0) return;
    this.#isPaused = false;
    this.#isHeadOfOnePush = this.#head === undefined && this.#input.length === 0;
    this.#input.append(bytes);
  }

  /** Says that no more octets will come. */
  endOfInput(): void {
    this.#hasEnded = true;
  }

  /** Says that no octet came for {@linkcode RtspParser.pauseMs}. */
  pause(): void {
    this.#isPaused = true;
  }

  /**
   * Client role: names the method of a request just sent. Responses are taken in the order of these calls; the only
   * use made of the method is that a description may come without its length.
   */
  expectResponseTo(method: string): void {
    this.#expectedMethods.push(method);
  }

  /**
   * The next message, or `undefined` where more octets or a pause are needed. Everything in it is owned.
   *
   * Throws `RtspFormatError`, again and again once it has: `code` `"not-rtsp"` and `"http"` for a foreign protocol,
   * `"truncated"` for an end within a message, else the rule that was broken. `offset` counts from the start of the
   * connection.
   */
  next(): RtspMessage | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const message = this.#read();
      if (message !== undefined) this.#messageBytes = this.#input.endMessage();
      return message;
    } catch (error) {
      if (error instanceof RtspFormatError) this.#failure = error;
      this.#messageBytes = this.#input.endMessage(this.#limits.lineBytes);
      throw error;
    }
  }

  /**
   * Milliseconds of silence after which `pause()` should be called, then `next()`; `undefined` where silence ends
   * nothing. To be asked again after each `push`.
   */
  get pauseMs(): number | undefined {
    if (this.#failure !== undefined) return undefined;
    if (this.#body !== undefined) return this.#body.pauseMs;
    if (this.#head === undefined) return this.#isLeftover() ? PAUSES.requestMs : undefined;
    const rest = this.#lines.rest(this.#isSilent);
    return this.#judge.mayLackBlankLine(this.#head, rest) ? this.#head.pauseMs(rest) : undefined;
  }

  /** What has come is all there is, for now or for good. */
  get #isSilent(): boolean {
    return this.#isPaused || this.#hasEnded;
  }

  #read(): RtspMessage | undefined {
    for (;;) {
      if (this.#body !== undefined) return this.#readBody(this.#body);
      if (this.#head === undefined && this.#held === undefined) {
        const start = this.#readStart();
        if (start !== "line") return start;
      }
      const line = this.#held ?? this.#lines.next(this.#head === undefined);
      if (line === undefined) {
        return this.#isSilent ? this.#readAtSilence() : undefined;
      }
      const message = this.#head === undefined
        ? this.#openHead(line)
        : this.#continueHead(this.#head, line);
      if (message !== undefined) return message;
    }
  }

  /** What stands between messages: blank lines are passed over, `$` opens a frame, anything else a line. */
  #readStart(): InterleavedFrame | "line" | undefined {
    let octet = this.#input.at(0);
    while (octet === CR || octet === LF) {
      if (octet === LF && this.#role === "server") this.#leftoverLines = undefined;
      this.#input.skip(1);
      octet = this.#input.at(0);
    }
    this.#input.beginMessage();
    if (octet === -1) return undefined;
    if (octet === DOLLAR) return this.#readFrame();
    if (this.#leftoverLines === undefined && !isTokenOctet(octet)) {
      throw notRtsp(String.fromCharCode(...this.#input.view(0, 16)), this.#input.offset);
    }
    return "line";
  }

  #readFrame(): InterleavedFrame | undefined {
    const input = this.#input;
    const size = input.length < 4 ? Infinity : (input.at(2) << 8) | input.at(3);
    if (input.length < 4 + size) {
      if (this.#hasEnded) throw this.#truncated();
      return undefined;
    }
    const channel = input.at(1);
    this.#input.skip(4);
    const payload = input.take(size);
    return { type: "interleaved", channel, payload };
  }

  #openHead(line: Line): undefined {
    const { text } = line;
    const offset = this.#input.offset;
    if (this.#leftoverLines !== undefined && !opensMessage(text)) return this.#passOver(line);
    this.#leftoverLines = undefined;
    this.#consumeLine(line);
    if (hasControlCharacter(text)) throw notRtsp(text, offset);
    if (/^(?:RTSP|HTTP)\//i.test(text)) {
      this.#head = new PendingHead(line, { status: parseStatusLine(text, offset) }, offset);
      return;
    }
    const request = parseRequestLine(text, offset);
    const isVersionNeeded = this.#role === "client" || this.#dialect === "rtsp";
    if (request.version === undefined && isVersionNeeded) throw notRtsp(text, offset);
    this.#head = new PendingHead(line, { request }, offset);
  }

  /** A line behind a lab message that was already handed out: more of its headers, or what was cut off. */
  #passOver(line: Line): undefined {
    const at = this.#role === "server" ? leftoverMethodIndex(line.text) : -1;
    this.#leftoverLines = (this.#leftoverLines ?? 0) + 1;
    if (this.#leftoverLines > this.#limits.headerCount) {
      throw notRtsp(line.text, this.#input.offset);
    }
    this.#consumeLine(line);
    if (at > 0) this.#held = { text: line.text.slice(at), lineEnd: line.lineEnd, octets: 0 };
  }

  #continueHead(head: PendingHead, line: Line): RtspMessage | undefined {
    const { text } = line;
    if (text === "") {
      this.#consumeLine(line);
      return this.#completeHead(head, true);
    }
    if (head.requestLine !== undefined && this.#judge.mayLackBlankLine(head)) {
      if (startsWithMethod(text)) return this.#completeHead(head, false);
      const at = gluedMethodIndex(text);
      if (at > 0) {
        this.#consumeLine(line);
        this.#held = { text: text.slice(at), lineEnd: line.lineEnd, octets: 0 };
        head.push(text.slice(0, at).trimEnd(), at, this.#limits);
        return this.#completeHead(head, false);
      }
    }
    if (this.#judge.opensBody(head, text)) return this.#completeHead(head, false, true);
    if (hasControlCharacter(text)) {
      throw headError(
        "control-character",
        "Cannot read RTSP message: a header line holds a control character",
        this.#input.offset,
        text,
      );
    }
    this.#consumeLine(line);
    head.push(text, line.octets, this.#limits);
    if (!this.#isHeadOfOnePush || this.#input.length > 0) return;
    if (!this.#judge.mayLackBlankLine(head)) return;
    return head.isSurelyWhole(this.#judge.isLabConnection)
      ? this.#completeHead(head, false)
      : undefined;
  }

  /** Silence, or the end of the input, with no whole line left. */
  #readAtSilence(): RtspMessage | undefined {
    const head = this.#head;
    if (head === undefined) {
      if (this.#isLeftover() || (this.#hasEnded && this.#leftoverLines !== undefined)) {
        this.#input.skip(this.#input.length);
      } else if (this.#hasEnded && this.#input.length > 0) throw this.#truncated();
      return undefined;
    }
    const rest = this.#lines.rest(this.#isSilent);
    const lineCount = head.lines.length + (rest === undefined ? 0 : 1);
    const isLab = this.#judge.mayLackBlankLine(head, rest) ||
      (this.#hasEnded && this.#judge.isLabAtEnd(head, lineCount));
    if (isLab && (lineCount >= 2 || head.statusLine !== undefined)) {
      if (rest !== undefined) {
        if (hasControlCharacter(rest)) throw notRtsp(rest, this.#input.offset);
        head.push(rest, this.#input.length, this.#limits);
      }
      this.#input.skip(this.#input.length);
      return this.#completeHead(head, false);
    }
    if (this.#hasEnded) throw this.#truncated();
    return undefined;
  }

  /** Turns a head into a message, or into one that waits for its body. */
  #completeHead(
    head: PendingHead,
    hasBlankLine: boolean,
    isBodyNext = false,
  ): RtspMessage | undefined {
    this.#head = undefined;
    this.#leftoverLines = hasBlankLine || isBodyNext ? undefined : 0;
    const limits = this.#limits;
    if (head.statusLine === undefined) {
      const isLab = !hasBlankLine || this.#judge.isLabDespiteBlankLine(head);
      this.#judge.remember(head, isLab);
      const end = { isLab, hasBlankLine, isBodyNext };
      const { message, bodyLength } = assembleRequest(head, end, limits);
      return this.#awaitBody(message, bodyLength, isLab);
    }
    const isLab = !hasBlankLine || this.#dialect === "lab";
    const isFinal = head.statusLine.statusCode >= 200;
    const method = isFinal ? this.#expectedMethods.shift() : undefined;
    const end = { isLab, hasBlankLine, isBodyNext };
    const { message, bodyLength } = assembleResponse(head, end, { limits, method });
    return this.#awaitBody(message, bodyLength, isLab);
  }

  #awaitBody(
    message: RtspRequest | RtspResponse,
    length: number | undefined,
    isLab: boolean,
  ): RtspMessage | undefined {
    if (length === 0) return message;
    this.#body = openBody(message, length, isLab);
    return this.#readBody(this.#body);
  }

  #readBody(pending: PendingBody): RtspMessage | undefined {
    const { length, offset } = this.#input;
    const isSilent = this.#isSilent;
    const size = wholeBodySize(pending, { length, offset, isSilent }, this.#limits);
    if (size === undefined) {
      if (this.#hasEnded) throw this.#truncated();
      return undefined;
    }
    this.#body = undefined;
    const body = this.#input.take(size);
    // Servers miscount: what they sent too much is passed over up to the next message.
    if (pending.message.type === "response") this.#leftoverLines = 0;
    return { ...pending.message, body };
  }

  /** Whether what waits is the tail of a message that was handed out, and no beginning of the next. */
  #isLeftover(): boolean {
    if (this.#leftoverLines === undefined || this.#dialect === "rtsp") return false;
    const rest = this.#lines.rest(this.#isSilent);
    if (rest === undefined || rest.startsWith("$")) return false;
    return this.#role === "server"
      ? !mayBecomeRequestLine(rest)
      : !("RTSP/1.0 ".startsWith(rest) || rest.startsWith("RTSP/"));
  }

  #consumeLine(line: Line): void {
    this.#held = undefined;
    this.#input.skip(line.octets);
  }

  #truncated(): RtspFormatError<RtspFormatCode> {
    return headError(
      "truncated",
      "Cannot read RTSP message: the connection ended within it",
      this.#input.offset,
      this.#input.length,
    );
  }
}

const LF = 0x0a;
const CR = 0x0d;
const DOLLAR = 0x24;
