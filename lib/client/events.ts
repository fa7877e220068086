/**
 * Everything worth watching in a client, as events: programs, previews and tests are all readers of them.
 *
 * Floor 4 (client assembly), types only. No event ever holds a password.
 *
 * @module
 */

import type { RtspRequest, RtspResponse } from "../rtsp.ts";
import type { ClientDialect, ClientState, ClientTransport, ReceivedFrame } from "./statistics.ts";

/**
 * Why a film ended: `goodbye` (RTCP BYE), `range` (the announced end was reached), `silence` (the lab's only sign),
 * `notice` (the server said so by ANNOUNCE), `closed` (the server hung up after its film, lab dialect).
 */
export type EndReason = "goodbye" | "range" | "silence" | "notice" | "closed";

/** What an `RtspClient` tells its listeners. */
export type RtspClientEvent =
  /** The state has changed. */
  | { readonly type: "state"; readonly state: ClientState }
  /** A whole frame has come. */
  | { readonly type: "frame"; readonly frame: ReceivedFrame }
  /** A request went out; its Authorization is hidden. */
  | { readonly type: "request"; readonly request: RtspRequest }
  /** An answer came in. */
  | { readonly type: "response"; readonly request: RtspRequest; readonly response: RtspResponse }
  /** The dialect was decided; `reason` says why it is not the standard's. */
  | { readonly type: "dialect"; readonly dialect: ClientDialect; readonly reason?: string }
  /** The transport was decided; `reason` says why it is not the first choice. */
  | { readonly type: "transport"; readonly transport: ClientTransport; readonly reason?: string }
  /** Something worth one line to a person. */
  | { readonly type: "note"; readonly text: string }
  /** The film is over. */
  | { readonly type: "end"; readonly reason: EndReason }
  /** Something failed outside of any call: the connection was lost, no packet came. */
  | { readonly type: "error"; readonly error: Error };
