/**
 * A head that is still coming in, and how long silence must last before it counts as whole.
 *
 * Floor 1. Everything is kept up to date line by line, so that asking costs nothing however the octets are cut.
 *
 * @module
 */
import { headError, type RequestLine, type StatusLine } from "./head.ts";
import { hasNumber, isLabTransportLine, labPortOf } from "./lab.ts";
import type { Line } from "./line_reader.ts";
import type { RtspLimits } from "./message.ts";

/** Milliseconds of silence that end a message, by how complete it looks. */
export const PAUSES: {
  readonly requestMs: number;
  readonly requestPatienceMs: number;
  readonly longMs: number;
  readonly responseMs: number;
  readonly responsePatienceMs: number;
} = Object.freeze({
  /** A lab request that has everything its kind has. */
  requestMs: 40,
  /** A lab request that lacks what its kind usually has. */
  requestPatienceMs: 200,
  /** A lab SETUP whose port has not come, or a response whose announced body has not. */
  longMs: 1000,
  /** A lab response of three lines or more, or a lab body. */
  responseMs: 80,
  /** A lab response of two lines, or a body whose length nobody gave. */
  responsePatienceMs: 250,
});

/** First line and header lines that have come so far. */
export class PendingHead {
  /** The first line as a request, where it is one. */
  readonly requestLine: RequestLine | undefined;
  /** The first line as a response, where it is one. */
  readonly statusLine: StatusLine | undefined;
  /** All lines so far. */
  readonly lines: string[];
  /** What ended the first line. */
  readonly lineEnd: "\n" | "\r\n";
  /** Where the head starts, in octets since the connection began. */
  readonly offset: number;
  /** Whether a transport has come that only the lab uses. */
  hasLabTransport = false;
  /** Whether a Content-Type or Content-Length line has come. */
  hasContent = false;
  #hasPort = false;
  #octets: number;

  /** Begins with the first line. */
  constructor(line: Line, first: { request?: RequestLine; status?: StatusLine }, offset: number) {
    this.requestLine = first.request;
    this.statusLine = first.status;
    this.lines = [line.text];
    this.lineEnd = line.lineEnd;
    this.offset = offset;
    this.#octets = line.octets;
  }

  /** Adds a line. Throws `RtspFormatError` at the bounds of number and size. */
  push(text: string, octets: number, limits: RtspLimits): void {
    this.lines.push(text);
    this.#octets += octets;
    if (this.lines.length - 1 > limits.headerCount) {
      throw headError(
        "too-many-headers",
        `Cannot read RTSP message: ${
          this.lines.length - 1
        } header lines, limit ${limits.headerCount}`,
        this.offset,
        this.lines.length - 1,
      );
    }
    if (this.#octets > limits.headBytes) {
      throw headError(
        "head-too-long",
        `Cannot read RTSP message: the head has ${this.#octets} bytes, limit ${limits.headBytes}`,
        this.offset,
        this.#octets,
      );
    }
    this.hasLabTransport ||= isLabTransportLine(text);
    this.#hasPort ||= labPortOf(text) !== undefined;
    this.hasContent ||= /^content-(?:type|length)\s*:/i.test(text);
  }

  /**
   * Whether a lab request that came in one segment, with nothing behind its third line, can be answered without
   * waiting for silence. Not with CRLF, where a blank line may follow and change the form of the answer, and not with
   * a whole URL, which may yet turn out to be the standard's.
   */
  isSurelyWhole(isLabConnection: boolean): boolean {
    const request = this.requestLine;
    if (request?.version === undefined || this.lines.length !== 3) return false;
    if (this.lineEnd === "\r\n" || request.kind === "standard") return false;
    if (!/^\w+\s*:\s*\d+\s*$/.test(this.lines[1])) return false;
    const third = this.lines[2];
    if (request.method === "SETUP") return isLabTransportLine(third) && this.#hasPort;
    return isLabConnection && /^session\s*:\s*\w/i.test(third);
  }

  /** Milliseconds of silence that end this lab message; `undefined` while it cannot be whole. */
  pauseMs(rest: string | undefined): number | undefined {
    const lineCount = this.lines.length + (rest === undefined ? 0 : 1);
    if (this.statusLine !== undefined) {
      if (this.hasContent || lineCount === 1) return PAUSES.longMs;
      return lineCount === 2 ? PAUSES.responsePatienceMs : PAUSES.responseMs;
    }
    if (lineCount < 2) return undefined;
    if (this.requestLine?.method === "SETUP") {
      // Port numbers below 1024 are the first digits of a larger one.
      const isWhole = this.#hasPort || Number.parseInt(labPortOf(rest ?? "") ?? "0") >= 1024;
      return isWhole ? PAUSES.requestMs : PAUSES.longMs;
    }
    const isWhole = this.requestLine?.version === undefined
      ? hasNumber(this.lines[1] ?? rest ?? "")
      : lineCount >= 3;
    return isWhole ? PAUSES.requestMs : PAUSES.requestPatienceMs;
  }
}
