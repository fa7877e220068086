/**
 * What goes into the client's side of an RTSP connection, and what comes out of it.
 *
 * RFC 2326 s6, s7, s10.12. Floor 2, types only; the conversation itself is `engine/client_session.ts`.
 *
 * @module
 */

import type { Hash } from "../auth.ts";
import type { RtspFormatError } from "../errors.ts";
import type { RtspHeader, RtspRequest, RtspResponse } from "../rtsp.ts";
import type { Credentials } from "./client_credentials.ts";
import type { LabRequestForm } from "./lab_requests.ts";
import type { RtspState } from "./rtsp_state.ts";

/** What a `ClientSession` needs to know from the start. */
export interface ClientSessionOptions {
  /** The dialect of the requests. */
  readonly dialect: "rtsp" | "lab";
  /** Whether an answer in the lab's dialect to a standard request is read too. @default {false} */
  readonly detectsLab?: boolean;
  /** How a lab request is spelled. @default {"canonical"} */
  readonly labForm?: LabRequestForm;
  /** Value of the `User-Agent` header, standard dialect only. */
  readonly userAgent?: string;
  /** Name and password, used when the server asks for them (RFC 2326 s14). */
  readonly credentials?: Credentials;
  /** Hash function for Digest authentication (RFC 7616). */
  readonly hash: Hash;
  /** Random numbers from 0 up to 1, for client nonces. */
  readonly random: () => number;
  /** Number of the first request. @default {1} */
  readonly firstCseq?: number;
  /** Whether there are `message` events, for those who watch the wire. @default {false} */
  readonly tellsMessages?: boolean;
}

/** One request of the caller. */
export interface ClientRequest {
  /** Method in wire case, for example `"SETUP"`. */
  readonly method: string;
  /** Request target: a URL without credentials, or the bare file name in the lab dialect. */
  readonly uri: string;
  /** Headers besides CSeq, Session, User-Agent and Authorization. */
  readonly headers?: readonly RtspHeader[];
  /** Body, sent with its Content-Length. */
  readonly body?: Uint8Array;
  /** Milliseconds to wait for the answer. @default {10000} */
  readonly timeoutMs?: number;
}

/** What `ClientSession.poll` hands out, in order. */
export type ClientSessionEvent =
  /** Octets to write to the connection, in one write. */
  | { readonly type: "send"; readonly bytes: Uint8Array }
  /** A message as it was on the wire, credentials in its octets included. Only where `tellsMessages`. */
  | {
    readonly type: "message";
    readonly direction: "in" | "out";
    readonly bytes: Uint8Array;
    /** `undefined` for what could not be read. */
    readonly message: RtspRequest | RtspResponse | undefined;
    /** In an answer: the request it is for. */
    readonly request: RtspRequest | undefined;
    /** Whether it is a keepalive, or a second attempt with credentials. */
    readonly isAutomatic: boolean;
  }
  /** A request as it was sent, credentials removed. */
  | { readonly type: "request"; readonly request: RtspRequest; readonly isKeepAlive: boolean }
  /** An answer; `isFinal` is false where the request was repeated with credentials. */
  | {
    readonly type: "response";
    readonly id: number;
    readonly request: RtspRequest;
    readonly response: RtspResponse;
    readonly isFinal: boolean;
    readonly isKeepAlive: boolean;
  }
  /** No answer came in time. */
  | { readonly type: "timeout"; readonly id: number; readonly method: string }
  /** The server asked something; it has been answered. */
  | { readonly type: "server-request"; readonly request: RtspRequest }
  /** Media or control data on the RTSP connection (RFC 2326 s10.12). `payload` is owned. */
  | { readonly type: "interleaved"; readonly channel: number; readonly payload: Uint8Array }
  /** The state has changed. */
  | { readonly type: "state"; readonly state: RtspState }
  /** The server no longer knows the session (454 to a keepalive). */
  | { readonly type: "session-lost" }
  /** Something odd that did no harm, for example an answer without a usable CSeq. */
  | { readonly type: "notice"; readonly text: string }
  /** The server's octets cannot be read any further: close the connection. */
  | { readonly type: "failed"; readonly error: RtspFormatError };
