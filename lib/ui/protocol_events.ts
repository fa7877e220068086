/**
 * What the preview's protocol view is told: the shapes of `GET /protocol/events`, and nothing else.
 *
 * Floor 3 (wall), types only. The stream is one of server-sent events (WHATWG HTML s9.2): each event is named `protocol`
 * and holds one {@linkcode ProtocolBatch} as JSON, every 100 to 200 ms where there is news. The first batch after
 * connecting has `isFirst` and holds everything still known: forget what an earlier connection told.
 *
 * Everything that came from the network is text or base64, never HTML, and may hold anything, `<script>` included. What
 * would let somebody in is overwritten with `*`, octet by octet, before it gets here: passwords, digests, nonces.
 *
 * All times are Unix milliseconds with a fraction; all identifiers (`id`) are whole numbers from 1 that rise within their
 * list and are never used again. An entry with an `id` that was told before replaces it.
 *
 * @module
 */

/** From where the watching program stands: `out` was sent by it, `in` came to it. */
export type WireDirection = "in" | "out";

/** A program's states as the protocol has them (RFC 2326 App. A). */
export type ProtocolState = "INIT" | "READY" | "PLAYING" | "RECORDING";

/** The news of one moment. Lists are in the order of their `id`s and may be empty. */
export interface ProtocolBatch {
  /** Which program is watched: it decides who stands left and right in the ladder. */
  readonly side: "client" | "server";
  /** Unix milliseconds when the batch was made. */
  readonly time: number;
  /** Whether this is the first batch of a connection: whatever was told before is void. */
  readonly isFirst: boolean;
  /** RTSP connections that were opened, or have changed. */
  readonly connections: readonly ProtocolConnection[];
  /** Requests, responses, and bytes that are neither. */
  readonly messages: readonly ProtocolMessage[];
  /** The newest packets, not all of them where they are many. */
  readonly packets: readonly ProtocolPacket[];
  /** Frames that were completed or given up. */
  readonly frames: readonly ProtocolFrame[];
  /** One sample a second for each session. */
  readonly samples: readonly ProtocolSample[];
  /** Changes of state. */
  readonly transitions: readonly ProtocolTransition[];
  /** All living sessions, and the ended ones for half a minute, where anything of them has changed; else empty. */
  readonly sessions: readonly ProtocolSession[];
  /** Step mode, and the request that waits. On a server always off. */
  readonly step: ProtocolStep;
  /** Counts since the program started. */
  readonly totals: ProtocolTotals;
}

/** Counts since the program started. */
export interface ProtocolTotals {
  /** RTP and RTCP packets in both directions. */
  readonly packets: number;
  /** Packets of these that were not told because they were too many. */
  readonly packetsSkipped: number;
  /** RTSP messages. */
  readonly messages: number;
}

/** One TCP connection that carries RTSP. */
export interface ProtocolConnection {
  /** Number of the connection. */
  readonly id: number;
  /** This program's end, `host:port`. */
  readonly local: string;
  /** The other end, `host:port`. */
  readonly remote: string;
  /** When it was opened. */
  readonly openedTime: number;
  /** When it was closed, `null` while it is open. */
  readonly closedTime: number | null;
}

/** One message of the RTSP dialogue (RFC 2326 s4). */
export interface ProtocolMessage {
  /** Number of the message. */
  readonly id: number;
  /** When its last octet was sent or had come. */
  readonly time: number;
  /** Which way it went. */
  readonly direction: WireDirection;
  /** The connection it travelled on. */
  readonly connection: number;
  /** The session it belongs to ({@linkcode ProtocolSession.id}), `null` before there is one. */
  readonly session: number | null;
  /** `unreadable` is what the parser refused; the connection was closed after it. */
  readonly kind: "request" | "response" | "unreadable";
  /** The wire language it is written in. */
  readonly dialect: "rtsp" | "lab";
  /** The bytes on the wire in base64, credentials overwritten with `*`; at most 65,536 octets of them. */
  readonly bytes: string;
  /** Octets on the wire, also those beyond what `bytes` holds. */
  readonly size: number;
  /** Whether something in `bytes` was overwritten. */
  readonly isMasked: boolean;
  /** Octets of `bytes` from which on it is the body; equals `size` where there is none. */
  readonly bodyOffset: number;
  /** Method: the request's own, or that of the request this answers; `null` where it is not known. */
  readonly method: string | null;
  /** Target of a request, without credentials. */
  readonly uri: string | null;
  /** Status code of a response. */
  readonly statusCode: number | null;
  /** Reason phrase of a response. */
  readonly reasonPhrase: string | null;
  /** Value of `CSeq` (in the lab dialect: the number in line two), `null` where there is none. */
  readonly cseq: string | null;
  /** Identifier in the `Session` header, without its parameters; `null` where there is none. */
  readonly sessionId: string | null;
  /** In a response: the `id` of the request it answers; `null` where nothing was asked. */
  readonly requestId: number | null;
  /** In a response: milliseconds since the request was sent or had come. */
  readonly roundTripMs: number | null;
  /** In a request: whether the program sent it by itself (keepalive, second attempt with credentials). */
  readonly isAutomatic: boolean;
  /** What is unusual about it, empty for an ordinary message. */
  readonly oddities: readonly ProtocolOddity[];
}

/** Something unusual about a message; a person should look at it. */
export interface ProtocolOddity {
  /** What kind of thing. */
  readonly code: ProtocolOddityCode;
  /** `error` breaks the RFC, `warning` is legal but odd, `note` is the lab's way. */
  readonly severity: "error" | "warning" | "note";
  /** A plain sentence; may hold words of the peer. */
  readonly text: string;
  /** Where the rule stands, for example `"RFC 2326 s12.17"`. */
  readonly rfc: string;
}

/** Kinds of {@linkcode ProtocolOddity}. */
export type ProtocolOddityCode =
  /** The head does not end with an empty line. */
  | "missing-blank-line"
  /** Lines end with LF alone. */
  | "bare-line-feed"
  /** Line one, or a header, is written as the lab does it and the RFC does not. */
  | "lab-form"
  /** A header that the RFC demands of this message is not there. */
  | "missing-header"
  /** A header that may stand once only stands there more often. */
  | "repeated-header"
  /** The CSeq is no number, or not that of a request that waits for an answer. */
  | "cseq"
  /** The status code does not fit the method, or is not in the RFC. */
  | "status"
  /** A refusal. */
  | "refused"
  /** The session identifier differs from the one in use. */
  | "session"
  /** A header's value cannot be read. */
  | "header-value"
  /** A method that the RFC does not know. */
  | "method"
  /** The version is not `RTSP/1.0`. */
  | "version"
  /** Octets that are not ASCII, or control characters, in the head. */
  | "octets"
  /** The answer took longer than a second. */
  | "slow"
  /** No RTSP message at all. */
  | "unreadable";

/** One RTP or RTCP packet (RFC 3550 s5, s6). */
export interface ProtocolPacket {
  /** Number of the packet among all packets: gaps are packets that were not told. */
  readonly id: number;
  /** When it was sent or came. */
  readonly time: number;
  /** Which way it went. */
  readonly direction: WireDirection;
  /** `rtcp` is a whole compound packet. */
  readonly kind: "rtp" | "rtcp";
  /** What is in an RTP packet: RFC 2435, or the lab's whole JPEG; `null` for RTCP and other payloads. */
  readonly payload: "jpeg" | "lab" | null;
  /** The session it belongs to. */
  readonly session: number;
  /** What carried it. */
  readonly transport: "udp" | "tcp";
  /** Channel number in the connection (RFC 2326 s10.12); `null` over UDP. */
  readonly channel: number | null;
  /** Sender's address, `host:port`. */
  readonly source: string;
  /** Receiver's address, `host:port`. */
  readonly destination: string;
  /** The first octets of the packet in base64, at least 256: all headers, whatever they are; of RTCP mostly all. */
  readonly bytes: string;
  /** Octets of the packet. `GET /protocol/packet?id=N` has them all as long as they are kept. */
  readonly size: number;
  /** RTP sequence number, 0 to 65,535; `null` for RTCP and for what is no RTP packet. */
  readonly sequenceNumber: number | null;
  /** RTP timestamp, 0 to 2^32 - 1; `null` as above. */
  readonly timestamp: number | null;
  /** RTP marker bit; `null` as above. */
  readonly marker: boolean | null;
}

/** What became of one packet of a frame. */
export type ProtocolPacketStatus =
  /** Came in its order. */
  | "received"
  /** Came after a packet with a higher number, and in time. */
  | "reordered"
  /** Came when its frame had been given up. */
  | "late"
  /** Never came. */
  | "lost"
  /** On a server: was sent. What became of it is for the receiver to tell. */
  | "sent";

/** One frame and the packets it is made of. */
export interface ProtocolFrame {
  /** Number of the entry; a late packet makes the entry come again. */
  readonly id: number;
  /** When it was delivered, given up, or sent. */
  readonly time: number;
  /** The session it belongs to. */
  readonly session: number;
  /** Its RTP timestamp; `null` for a frame of which nothing came. */
  readonly timestamp: number | null;
  /** The number under which the page's video shows it (`X-Frame-Number`); `null` for one that was given up. */
  readonly number: number | null;
  /** `complete` was shown, `dropped` was not because something is missing, `sent` is a server's. */
  readonly status: "complete" | "dropped" | "sent";
  /** Octets of the picture, 0 for a dropped one. */
  readonly size: number;
  /** Width in pixels, `null` where it is not known. */
  readonly width: number | null;
  /** Height in pixels, `null` where it is not known. */
  readonly height: number | null;
  /** Milliseconds from its first packet to its delivery; `null` where nothing came. */
  readonly assemblyMs: number | null;
  /** Its packets in order of their numbers, those alike together; at most 1,024 of them. */
  readonly runs: readonly ProtocolPacketRun[];
  /** Packets in all, also those beyond what `runs` hold. */
  readonly packetCount: number;
}

/** Packets of a frame that follow one another and have the same fate: mostly one run is the whole frame. */
export interface ProtocolPacketRun {
  /** RTP sequence number of the first, 0 to 65,535; the others' are the next ones, modulo 2^16. */
  readonly sequenceNumber: number;
  /** Packets in the run, at least 1. */
  readonly count: number;
  /** What became of them. */
  readonly status: ProtocolPacketStatus;
  /** {@linkcode ProtocolPacket.id} of the first, told or not; the others' are the next ones. `null` for lost ones. */
  readonly packet: number | null;
  /** Octets of each but the last, 0 for lost ones. */
  readonly size: number;
  /** Octets of the last. */
  readonly lastSize: number;
}

/** One packet of a frame, as a page makes it of a run. */
export interface ProtocolFramePacket {
  /** RTP sequence number, 0 to 65,535. */
  readonly sequenceNumber: number;
  /** What became of it. */
  readonly status: ProtocolPacketStatus;
  /** {@linkcode ProtocolPacket.id} of the packet, whether it was told or not; `null` for a lost one. */
  readonly packet: number | null;
  /** Its octets, 0 for a lost one. */
  readonly size: number;
}

/** One second of one session; what the charts are drawn from. */
export interface ProtocolSample {
  /** Number of the sample. */
  readonly id: number;
  /** End of the second. */
  readonly time: number;
  /** The session. */
  readonly session: number;
  /** State at the end of the second. */
  readonly state: ProtocolState;
  /** Bits a second of RTP payload. */
  readonly bitRate: number;
  /** Frames a second: delivered by a client, sent by a server. */
  readonly frameRate: number;
  /** RTP packets a second. */
  readonly packetRate: number;
  /** Packets lost in this second; on a server, what its client reported. May be negative (duplicates, RFC 3550 A.3). */
  readonly lost: number;
  /** `lost` as a part of the packets expected in this second, 0 to 1. */
  readonly lossRatio: number;
  /** Packets that came out of order in this second; 0 on a server. */
  readonly reordered: number;
  /** Interarrival jitter (RFC 3550 A.8) in ms; `null` where nobody told. */
  readonly jitterMs: number | null;
  /** Packets waiting in the jitter buffer, or frames' packets waiting to be sent. */
  readonly bufferedPackets: number;
  /** Round trip in ms: of the newest RTSP request on a client, from RTCP on a server; `null` before there is one. */
  readonly roundTripMs: number | null;
  /** Mean milliseconds from a frame's first packet to its delivery, in this second; on a server: largest lateness. */
  readonly frameLatencyMs: number | null;
  /** Mean milliseconds from a frame's capture by the sender's clock (RTCP SR) to its delivery; `null` where unknown. */
  readonly captureLatencyMs: number | null;
  /** Whole counts since the session began. */
  readonly packets: number;
  /** Octets of RTP payload since the session began. */
  readonly bytes: number;
  /** Frames since the session began. */
  readonly frames: number;
  /** Frames given up since the session began. */
  readonly framesDropped: number;
  /** Packets lost since the session began. */
  readonly totalLost: number;
}

/** One change of state. */
export interface ProtocolTransition {
  /** Number of the change. */
  readonly id: number;
  /** When it happened. */
  readonly time: number;
  /** The session. */
  readonly session: number;
  /** State before. */
  readonly from: ProtocolState;
  /** State after. */
  readonly to: ProtocolState;
  /** {@linkcode ProtocolMessage.id} of the request that caused it; `null` where none did (a lost connection). */
  readonly message: number | null;
  /** Method of that request, or a few words: `"connection lost"`, `"session expired"`. */
  readonly cause: string;
}

/** One session. A client has one at a time, and a new number each time it sets up. */
export interface ProtocolSession {
  /** Number of the session. */
  readonly id: number;
  /** Connections on which it was spoken of, newest last. */
  readonly connections: readonly number[];
  /** What is played, without credentials; on a server the path of the movie. */
  readonly url: string;
  /** The peer's RTSP address, `host:port`. */
  readonly remote: string;
  /** Its state. */
  readonly state: ProtocolState;
  /** The wire language, `null` before it is known. */
  readonly dialect: "rtsp" | "lab" | null;
  /** What carries the packets, `null` before it is known. */
  readonly transport: "udp" | "tcp" | null;
  /** When it began. */
  readonly beganTime: number;
  /** When it ended, `null` while it lives. */
  readonly endedTime: number | null;
  /** Why it ended; empty while it lives, or where nobody told. */
  readonly endReason: string;
  /** Its newest second, `null` before the first. */
  readonly sample: ProtocolSample | null;
}

/** Step mode: each request waits for a click before it is sent. */
export interface ProtocolStep {
  /** Whether it is on. */
  readonly isEnabled: boolean;
  /** The request that waits, `null` when none does. */
  readonly waiting: ProtocolWaitingRequest | null;
}

/** A request that waits to be sent. Its headers are filled in when it is sent. */
export interface ProtocolWaitingRequest {
  /** Its method. */
  readonly method: string;
  /** Its target, without credentials. */
  readonly uri: string;
  /** Since when it waits. */
  readonly since: number;
}
