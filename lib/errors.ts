/**
 * The errors of this library, sorted by whose fault they are and by what the caller does next.
 *
 * Floor 0: imports nothing. The built-in `TypeError` and `RangeError` are kept for mistakes of our own code.
 *
 * @module
 */

/** Where in a specification the violated rule stands, for example `"RFC 3550 s5.1"`. */
export type Specification = string;

/** What a {@linkcode WireError} carries besides its message. */
export interface WireErrorDetails<Code extends string = string> {
  /** The kind of fault, one of a closed set for each class. */
  readonly code: Code;
  /** Octets from the start of the decoded view (or of the file) to the offending octet. */
  readonly offset: number;
  /** The rule that was broken. */
  readonly rfc: Specification;
  /** The offending value, where there is one. */
  readonly value?: unknown;
  /** The error underneath, where there is one. */
  readonly cause?: unknown;
}

/**
 * Foreign bytes (a peer's or a file's) that break their format. The caller drops and counts them, or answers
 * with a 4xx status and closes. No other class of error leaves a decoder.
 */
export class WireError<Code extends string = string> extends Error {
  /** Name of the class, as `instanceof` would tell it. */
  override name = "WireError";
  /** The kind of fault. */
  readonly code: Code;
  /** Octets from the start of the decoded view (or of the file) to the offending octet. */
  readonly offset: number;
  /** The rule that was broken. */
  readonly rfc: Specification;
  /** The offending value, where there is one. */
  readonly value: unknown;

  /** Describes one fault: `message` says what could not be done and why, with both numbers. */
  constructor(message: string, details: WireErrorDetails<Code>) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.offset = details.offset;
    this.rfc = details.rfc;
    this.value = details.value;
  }
}

/** Bytes that are no RTP packet (RFC 3550 s5). */
export class RtpFormatError<Code extends string = string> extends WireError<Code> {
  /** Name of the class. */
  override name = "RtpFormatError";
}

/** Bytes that are no RTCP compound packet (RFC 3550 s6). */
export class RtcpFormatError<Code extends string = string> extends WireError<Code> {
  /** Name of the class. */
  override name = "RtcpFormatError";
}

/** Bytes that are no RTSP message, or a header value that cannot be read (RFC 2326). */
export class RtspFormatError<Code extends string = string> extends WireError<Code> {
  /** Name of the class. */
  override name = "RtspFormatError";
  /** The status code a server answers with before it closes the connection. */
  readonly statusCode: number;

  /** `statusCode` is what a server answers, 400 where the RFC names no better one. */
  constructor(message: string, details: WireErrorDetails<Code> & { readonly statusCode?: number }) {
    super(message, details);
    this.statusCode = details.statusCode ?? 400;
  }
}

/** Text that is no session description (RFC 8866). */
export class SdpFormatError<Code extends string = string> extends WireError<Code> {
  /** Name of the class. */
  override name = "SdpFormatError";
}

/** Bytes that are no JPEG image, or one that a payload format cannot carry (ITU-T T.81, RFC 2435). */
export class JpegFormatError<Code extends string = string> extends WireError<Code> {
  /** Name of the class. */
  override name = "JpegFormatError";
}

/** A file of frames that breaks its format. */
export class FrameFileError<Code extends string = string> extends WireError<Code> {
  /** Name of the class. */
  override name = "FrameFileError";
}

/** Something asked at the wrong time: 455 with `Allow` on a server, thrown to the caller on a client (RFC 2326 App. A). */
export class StateError extends Error {
  /** Name of the class. */
  override name = "StateError";
  /** The state that forbids it. */
  readonly state: string;
  /** The methods that the state allows. */
  readonly allowed: readonly string[];

  /** `message` names what was asked, `state` the state that forbids it. */
  constructor(
    message: string,
    details: { readonly state: string; readonly allowed: readonly string[] },
  ) {
    super(message);
    this.state = details.state;
    this.allowed = details.allowed;
  }
}

/** A peer's refusal: a response whose status code is not 2xx (RFC 2326 s7.1.1). */
export class StatusError extends Error {
  /** Name of the class. */
  override name = "StatusError";
  /** The status code of the response, 300 to 599. */
  readonly statusCode: number;
  /** The method of the refused request. */
  readonly method: string;
  /** The sequence number of the refused request. */
  readonly cseq: number;

  /** `message` says what was refused and with which words. */
  constructor(
    message: string,
    details: { readonly statusCode: number; readonly method: string; readonly cseq: number },
  ) {
    super(message);
    this.statusCode = details.statusCode;
    this.method = details.method;
    this.cseq = details.cseq;
  }
}

/** What the operating system refused: a socket, a file, a process. */
export class TransportError extends Error {
  /** Name of the class. */
  override name = "TransportError";
  /** What was tried, for example `"connect"`. */
  readonly operation: string;
  /** The system's name for the reason, for example `"ECONNREFUSED"`, where it is known. */
  readonly errno: string | undefined;

  /** `message` says what could not be done and what to do next. */
  constructor(
    message: string,
    details: { readonly operation: string; readonly errno?: string; readonly cause?: unknown },
  ) {
    super(message, { cause: details.cause });
    this.operation = details.operation;
    this.errno = details.errno;
  }
}
