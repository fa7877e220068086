/**
 * Listens to a wire and keeps what the protocol view shows, bounded in memory and cheap for each packet.
 *
 * Floor 3 (wall), pure: `now` and the wall clock are handed in. The shapes are `protocol_events.ts`'s. Packets are kept
 * by a `WireHistory`; here they are only counted, and looked at when somebody wants to see them.
 *
 * @module
 */
import type {
  WireConnection,
  WireDirection,
  WireFlow,
  WireFrame,
  WireMessage,
  WireSession,
  WireTap,
  WireTransition,
} from "../engine/wire_tap.ts";
import type { WireHistory } from "../engine/wire_history.ts";
import { endpointText } from "../ip_address.ts";
import { withoutCredentials } from "../rtsp_url.ts";
import { FrameLedger } from "./frame_ledger.ts";
import { FrameRecorder } from "./frame_recorder.ts";
import { messageEvent } from "./message_events.ts";
import { ObservedRequests } from "./observed_requests.ts";
import { packetEvent } from "./packet_events.ts";
import type {
  ProtocolBatch,
  ProtocolConnection,
  ProtocolMessage,
  ProtocolPacket,
  ProtocolSample,
  ProtocolSession,
  ProtocolStep,
  ProtocolTransition,
} from "./protocol_events.ts";
import { RecentList } from "./recent_list.ts";
import { type SessionCounters, SessionMeter } from "./session_meter.ts";

/** What a {@linkcode ProtocolRecorder} needs. */
export interface ProtocolRecorderOptions {
  /** Which program is watched. */
  readonly side: "client" | "server";
  /** Keeps the packets; it must be told of each packet before the recorder is. */
  readonly history: WireHistory;
  /** Unix milliseconds at a time of the monotonic clock. */
  readonly unixMsAt: (now: number) => number;
  /** What the living sessions have counted. */
  readonly counters: () => readonly SessionCounters[];
  /** Step mode, where there is such a thing. */
  readonly step?: () => ProtocolStep;
}

/** Listens, and tells what is new. */
export class ProtocolRecorder implements WireTap {
  readonly #options: ProtocolRecorderOptions;
  readonly #connections = new RecentList<ProtocolConnection>(MAX_CONNECTIONS);
  readonly #messages = new RecentList<ProtocolMessage>(MAX_MESSAGES, {
    maxBytes: MAX_MESSAGE_BYTES,
    bytesOf: (message) => message.bytes.length,
  });
  readonly #frames: FrameRecorder;
  readonly #samples = new RecentList<ProtocolSample>(MAX_SAMPLES);
  readonly #transitions = new RecentList<ProtocolTransition>(MAX_TRANSITIONS);
  readonly #sessions = new RecentList<ProtocolSession>(MAX_SESSIONS);
  readonly #watched = new Map<number, WatchedSession>();
  readonly #requests = new ObservedRequests();
  #toldPacket = 0;
  #packetsSkipped = 0;
  #messageCount = 0;
  #toldStep = "";

  /** A recorder that has heard nothing. */
  constructor(options: ProtocolRecorderOptions) {
    this.#options = options;
    this.#frames = new FrameRecorder(options.history.packets);
  }

  /** Everything measured, oldest first. */
  get samples(): ProtocolSample[] {
    return this.#samples.all();
  }

  /** Messages that are kept, oldest first. */
  get messages(): ProtocolMessage[] {
    return this.#messages.all();
  }

  /** Changes of state that are kept, oldest first. */
  get transitions(): ProtocolTransition[] {
    return this.#transitions.all();
  }

  /** Sessions that are kept, oldest first. */
  get sessions(): ProtocolSession[] {
    return this.#sessions.all();
  }

  /** Connections that are kept, oldest first. */
  get connections(): ProtocolConnection[] {
    return this.#connections.all();
  }

  /** See {@linkcode WireTap.connectionOpened}. */
  connectionOpened({ id, local, remote }: WireConnection, now: number): void {
    this.#connections.put({
      id,
      local: endpointText(local),
      remote: endpointText(remote),
      openedTime: this.#timeAt(now),
      closedTime: null,
    });
  }

  /** See {@linkcode WireTap.connectionClosed}. */
  connectionClosed(id: number, now: number): void {
    const connection = this.#connections.get(id);
    if (connection) this.#connections.put({ ...connection, closedTime: this.#timeAt(now) });
    this.#requests.forget(id);
  }

  /** See {@linkcode WireTap.message}. */
  message(observed: WireMessage, now: number): void {
    const { direction, message, session } = observed;
    const id = this.#messages.nextId();
    const asked = message?.type === "response" ? this.#requests.answered(observed) : undefined;
    const roundTripMs = asked === undefined ? undefined : now - asked.now;
    const time = this.#timeAt(now);
    const entry = messageEvent(observed, { id, time, requestId: asked?.id, roundTripMs });
    this.#messageCount++;
    this.#messages.put(entry);
    if (message?.type === "request") this.#requests.asked(observed, entry, now);
    const watched = session === undefined ? undefined : this.#watched.get(session);
    if (watched && roundTripMs !== undefined && direction === "in") {
      watched.roundTripMs = roundTripMs;
    }
  }

  /** See {@linkcode WireTap.packet}: the hot path. */
  packet(flow: WireFlow, direction: WireDirection, bytes: Uint8Array, now: number): void {
    if (flow.kind !== "rtp" || direction !== "in" || bytes.length < RTP_HEADER_SIZE) return;
    if (bytes[0] >> 6 !== 2) return;
    const watched = this.#watched.get(flow.session) ?? this.#watch(flow.session, now);
    const late = watched.ledger.note({
      sequenceNumber: (bytes[2] << 8) | bytes[3],
      timestamp: ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0,
      marker: bytes[1] >= 0x80,
      size: bytes.length,
      id: this.#options.history.packets.nextId - 1,
    }, now);
    if (late === 0) return;
    this.#frames.cameLate(late, (bytes[2] << 8) | bytes[3], watched.ledger);
  }

  /** See {@linkcode WireTap.frame}. */
  frame(frame: WireFrame, now: number): void {
    const watched = this.#watched.get(frame.session) ?? this.#watch(frame.session, now);
    const { ledger, meter } = watched;
    const time = this.#timeAt(now);
    if (this.#options.side === "server") {
      meter.frame(undefined, undefined);
      return this.#frames.sent(frame, time);
    }
    const { firstMs } = this.#frames.delivered(frame, { ledger, now, time });
    const captureMs = frame.wallClockMs === undefined ? undefined : time - frame.wallClockMs;
    meter.frame(firstMs === undefined ? undefined : now - firstMs, captureMs);
  }

  /** See {@linkcode WireTap.session}. */
  session(session: WireSession, now: number): void {
    const { id, connection, url, remote, dialect, transport } = session;
    this.#watch(id, now);
    const known = this.#sessions.get(id);
    const connections = [...new Set([...known?.connections ?? [], connection])];
    this.#sessions.put({
      id,
      connections,
      url: withoutCredentials(url),
      remote: endpointText(remote),
      state: known?.state ?? "INIT",
      dialect,
      transport,
      beganTime: known?.beganTime ?? this.#timeAt(now),
      endedTime: null,
      endReason: "",
      sample: known?.sample ?? null,
    });
    // What was said before there was a session, to get one, belongs to it.
    for (const message of this.#messages.all()) {
      if (message.connection === connection && message.session === null) {
        this.#messages.put({ ...message, session: id });
      }
    }
  }

  /** See {@linkcode WireTap.transition}. */
  transition({ session, from, to, cause }: WireTransition, now: number): void {
    const known = this.#sessions.get(session);
    const request = this.#requests.causeOf(known, cause, this.#messages);
    this.#transitions.put({
      id: this.#transitions.nextId(),
      time: this.#timeAt(now),
      session,
      from,
      to,
      message: request?.id ?? null,
      cause: cause || (request?.method ?? ""),
    });
    if (to === "PLAYING") this.#watched.get(session)?.ledger.restart();
    if (known) this.#sessions.put({ ...known, state: to });
  }

  /** See {@linkcode WireTap.sessionEnded}. */
  sessionEnded(id: number, reason: string, now: number): void {
    const known = this.#sessions.get(id);
    this.#watched.delete(id);
    if (!known) return;
    const endedTime = this.#timeAt(now);
    this.#sessions.put({ ...known, state: "INIT", endedTime, endReason: reason });
  }

  /** To be called once a second: measures each living session. */
  sample(now: number): void {
    for (const counters of this.#options.counters()) {
      const { session } = counters;
      const watched = this.#watched.get(session);
      const known = this.#sessions.get(session);
      if (!watched || !known) continue;
      const { ledger } = watched;
      for (const dropped of ledger.droppedLongAgo()) {
        this.#frames.dropped(session, dropped, { ledger, now, time: this.#timeAt(now) });
      }
      const sample = watched.meter.sample(counters, now, {
        id: this.#samples.nextId(),
        time: this.#timeAt(now),
        state: known.state,
        roundTripMs: watched.roundTripMs,
      });
      if (!sample) continue;
      this.#samples.put(sample);
      this.#sessions.put({ ...known, sample });
    }
  }

  /** What has changed since the last call; `undefined` when nothing has. */
  takeNews(now: number): ProtocolBatch | undefined {
    const { packets } = this.#options.history;
    const step = this.#step();
    const stepText = JSON.stringify(step);
    const lists = [this.#connections, this.#messages, this.#samples, this.#transitions];
    const hasNews = lists.some((list) => list.hasNews) || this.#frames.hasNews ||
      this.#sessions.hasNews || packets.nextId - 1 > this.#toldPacket ||
      stepText !== this.#toldStep;
    if (!hasNews) return undefined;
    this.#toldStep = stepText;
    return this.#batch(now, {
      isFirst: false,
      connections: this.#connections.takeNews(),
      messages: this.#messages.takeNews(),
      packets: this.#newPackets(),
      frames: this.#frames.takeNews(),
      samples: this.#samples.takeNews(),
      transitions: this.#transitions.takeNews(),
      sessions: this.#sessions.hasNews ? this.#shownSessions(now) : [],
      step,
    });
  }

  /** Everything that is kept, for somebody who begins to look. */
  snapshot(now: number): ProtocolBatch {
    const { packets } = this.#options.history;
    const first = Math.max(packets.firstId, packets.nextId - MAX_FIRST_PACKETS);
    return this.#batch(now, {
      isFirst: true,
      connections: this.#connections.all(),
      messages: this.#messages.all(),
      packets: this.#packetsFrom(first),
      frames: this.#frames.all(),
      samples: this.#samples.all().slice(-MAX_FIRST_SAMPLES),
      transitions: this.#transitions.all(),
      sessions: this.#shownSessions(now),
      step: this.#step(),
    });
  }

  #batch(
    now: number,
    news: Omit<ProtocolBatch, "side" | "time" | "totals">,
  ): ProtocolBatch {
    const { side, history } = this.#options;
    const totals = {
      packets: history.packets.nextId - 1,
      packetsSkipped: this.#packetsSkipped,
      messages: this.#messageCount,
    };
    return { side, time: this.#timeAt(now), ...news, totals };
  }

  #step(): ProtocolStep {
    return this.#options.step?.() ?? { isEnabled: false, waiting: null };
  }

  #shownSessions(now: number): ProtocolSession[] {
    this.#sessions.takeNews();
    const time = this.#timeAt(now);
    return this.#sessions.all().filter(({ endedTime }) =>
      endedTime === null || time - endedTime < SHOWN_ENDED_MS
    );
  }

  /** All new RTCP packets, and the newest of the RTP packets. */
  #newPackets(): ProtocolPacket[] {
    const { packets } = this.#options.history;
    const first = Math.max(packets.firstId, this.#toldPacket + 1);
    const end = packets.nextId;
    const newest = Math.max(first, end - MAX_BATCH_PACKETS);
    const told: ProtocolPacket[] = [];
    for (let id = first; id < newest && told.length < MAX_BATCH_PACKETS; id++) {
      const kept = packets.flowOf(id)?.kind === "rtcp" ? packets.get(id) : undefined;
      if (kept) told.push(packetEvent(kept, this.#timeAt(kept.now)));
    }
    told.push(...this.#packetsFrom(newest));
    this.#packetsSkipped += end - 1 - this.#toldPacket - told.length;
    this.#toldPacket = end - 1;
    return told;
  }

  #packetsFrom(first: number): ProtocolPacket[] {
    const { packets } = this.#options.history;
    const told: ProtocolPacket[] = [];
    for (let id = first; id < packets.nextId; id++) {
      const kept = packets.get(id);
      if (kept) told.push(packetEvent(kept, this.#timeAt(kept.now)));
    }
    return told;
  }

  #timeAt(now: number): number {
    return Math.round(this.#options.unixMsAt(now) * 1000) / 1000;
  }

  #watch(session: number, now: number): WatchedSession {
    let watched = this.#watched.get(session);
    if (!watched) {
      const meter = new SessionMeter(session, now);
      watched = { ledger: new FrameLedger(), meter, roundTripMs: null };
      this.#watched.set(session, watched);
      if (this.#watched.size > MAX_SESSIONS) {
        this.#watched.delete(this.#watched.keys().next().value!);
      }
    }
    return watched;
  }
}

interface WatchedSession {
  readonly ledger: FrameLedger;
  readonly meter: SessionMeter;
  roundTripMs: number | null;
}

const RTP_HEADER_SIZE = 12;
const MAX_CONNECTIONS = 256;
const MAX_MESSAGES = 1000;
/** Characters of base64. */
const MAX_MESSAGE_BYTES = 4 << 20;
/** An hour of one session. */
const MAX_SAMPLES = 3600;
const MAX_FIRST_SAMPLES = 300;
const MAX_TRANSITIONS = 500;
const MAX_SESSIONS = 1000;
const MAX_FIRST_PACKETS = 200;
/** In one batch: about 100 a second. */
const MAX_BATCH_PACKETS = 16;
const SHOWN_ENDED_MS = 30_000;
