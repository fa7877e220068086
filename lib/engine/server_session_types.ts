/**
 * What goes into the server's side of an RTSP connection, and what comes out of it.
 *
 * RFC 2326 s6, s7, s10.12. Floor 2, types only; the conversation itself is `engine/server_session.ts`.
 *
 * @module
 */

import type { RtspFormatError } from "../errors.ts";
import type { RtspLimits, RtspRequest, RtspResponse } from "../rtsp.ts";
import type { RequestContext, RtspAnswer, RtspCall, SessionDirectory } from "./request_checks.ts";

/** A request refused for want of good credentials: the answer, and how long to hold it back. */
export interface Refusal {
  /** 401 with its challenges. */
  readonly answer: RtspAnswer;
  /** How long the answer waits, in ms. */
  readonly delayMs: number;
}

/** What a {@linkcode ServerConversation} needs. */
export interface ServerConversationOptions {
  /** The sessions of the server. */
  readonly sessions: SessionDirectory;
  /** Session number for lab clients: decimal, without a leading zero. */
  readonly labSessionId: string;
  /** Checks credentials; `undefined` means the request may go on. */
  readonly authorize?: (request: RtspRequest, now: number) => Refusal | undefined;
  /** Session timeout that is told to clients, in seconds. @default {60} */
  readonly sessionTimeoutSeconds?: number;
  /** How long a request may stay incomplete, in ms. @default {60000} */
  readonly requestTimeoutMs?: number;
  /** How long a connection without a session may stay silent, in ms. @default {600000} */
  readonly idleTimeoutMs?: number;
  /** Bounds of the parser. */
  readonly limits?: Partial<RtspLimits>;
  /** Whether events carry the octets of what came, for those who watch the wire. @default {false} */
  readonly tellsBytes?: boolean;
}

/** What a conversation wants done. */
export type ConversationEvent =
  /** `bytes` are the request's own (owned), where `tellsBytes`. */
  | { readonly type: "request"; readonly request: RtspRequest; readonly bytes?: Uint8Array }
  | { readonly type: "call"; readonly call: RtspCall }
  /** To be answered, like a call, by whoever keeps the session. */
  | {
    readonly type: "elsewhere";
    readonly request: RtspRequest;
    readonly sessionId: string;
    readonly onlyDescribedPath: RequestContext["onlyDescribedPath"];
  }
  | { readonly type: "interleaved"; readonly channel: number; readonly payload: Uint8Array }
  /** Write these bytes, in one write; then call {@linkcode ServerConversation.sent}'s callback. */
  | {
    readonly type: "send";
    readonly bytes: Uint8Array;
    readonly response: RtspResponse;
    readonly request: RtspRequest | undefined;
    readonly afterSend: (() => void) | undefined;
  }
  /** `bytes` are the beginning of what could not be read (owned), where `tellsBytes`. */
  | { readonly type: "malformed"; readonly error: RtspFormatError; readonly bytes?: Uint8Array }
  /** Close the connection once everything has been sent. */
  | { readonly type: "close"; readonly reason: string };
