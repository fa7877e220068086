/**
 * One message of the dialogue as the protocol view shows it: its octets without secrets, and what a list needs.
 *
 * Floor 3 (wall), pure. RFC 2326 s4 to s7.
 *
 * @module
 */
import type { WireMessage } from "../engine/wire_tap.ts";
import { headerValue, maskSecrets } from "../rtsp.ts";
import { withoutCredentials } from "../rtsp_url.ts";
import { odditiesOf, sessionOf } from "./message_oddities.ts";
import type { ProtocolMessage } from "./protocol_events.ts";

/** What the recorder knows of a message. */
export interface MessageCircumstances {
  /** Its number. */
  readonly id: number;
  /** When it was sent or came, in Unix ms. */
  readonly time: number;
  /** Number of the request it answers. */
  readonly requestId: number | undefined;
  /** How long that request waited. */
  readonly roundTripMs: number | undefined;
}

/** Tells of a message. */
export function messageEvent(
  observed: WireMessage,
  { id, time, requestId, roundTripMs }: MessageCircumstances,
): ProtocolMessage {
  const { connection, direction, message, request, session, isAutomatic } = observed;
  const { bytes, isMasked } = maskSecrets(observed.bytes);
  const shown = bytes.subarray(0, MAX_SHOWN_BYTES);
  const asked = message?.type === "request" ? message : undefined;
  const answer = message?.type === "response" ? message : undefined;
  return {
    id,
    time,
    direction,
    connection,
    session: session ?? null,
    kind: message?.type ?? "unreadable",
    dialect: message?.lab ? "lab" : "rtsp",
    bytes: shown.toBase64(),
    size: bytes.length,
    isMasked,
    bodyOffset: Math.min(shown.length, bytes.length - (message?.body.length ?? 0)),
    method: (asked ?? request)?.method ?? null,
    uri: asked ? withoutCredentials(asked.uri) : null,
    statusCode: answer?.statusCode ?? null,
    reasonPhrase: answer?.reasonPhrase ?? null,
    cseq: message && headerValue(message.headers, "CSeq") || null,
    sessionId: message && sessionOf(message) || null,
    requestId: requestId ?? null,
    roundTripMs: roundTripMs === undefined ? null : Math.round(roundTripMs * 1000) / 1000,
    isAutomatic: isAutomatic ?? false,
    oddities: odditiesOf({ bytes, message, request, roundTripMs }),
  };
}

const MAX_SHOWN_BYTES = 65_536;
