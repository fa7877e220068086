/**
 * One session second by second: differences of counters, and means of what its frames told.
 *
 * Floor 3 (wall), pure. RFC 3550 s6.4.1 for loss and jitter, which others have counted.
 *
 * @module
 */
import type { ProtocolSample, ProtocolState } from "./protocol_events.ts";

/** What has been counted in a session since its beginning. */
export interface SessionCounters {
  /** Number of the session. */
  readonly session: number;
  /** RTP packets received, or sent. */
  readonly packets: number;
  /** Octets of their payloads. */
  readonly bytes: number;
  /** Packets lost, as far as anybody knows. */
  readonly lost: number;
  /** Packets that came out of order. */
  readonly reordered: number;
  /** Jitter in ms, `null` where nobody told. */
  readonly jitterMs: number | null;
  /** Packets that wait. */
  readonly bufferedPackets: number;
  /** Frames given up. */
  readonly framesDropped: number;
  /** Round trip by RTCP in ms; `undefined`: that of the newest RTSP request is taken. */
  readonly roundTripMs?: number | null;
  /** Largest lateness in ms, of a server; `undefined`: the mean of the frames is taken. */
  readonly frameLatencyMs?: number;
}

/** Measures one session. */
export class SessionMeter {
  readonly #session: number;
  #before: SessionCounters;
  #beforeMs: number;
  #frames = 0;
  #framesBefore = 0;
  #latencySum = 0;
  #latencyCount = 0;
  #captureSum = 0;
  #captureCount = 0;

  /** A session that begins at `now`. */
  constructor(session: number, now: number) {
    this.#session = session;
    this.#beforeMs = now;
    this.#before = { ...NOTHING, session };
  }

  /** A frame was delivered or sent. */
  frame(assemblyMs: number | undefined, captureMs: number | undefined): void {
    this.#frames++;
    if (assemblyMs !== undefined) {
      this.#latencySum += assemblyMs;
      this.#latencyCount++;
    }
    if (captureMs !== undefined) {
      this.#captureSum += captureMs;
      this.#captureCount++;
    }
  }

  /** The second that ends at `now`; `undefined` when it has hardly begun. */
  sample(
    counters: SessionCounters,
    now: number,
    known: {
      readonly id: number;
      readonly time: number;
      readonly state: ProtocolState;
      readonly roundTripMs: number | null;
    },
  ): ProtocolSample | undefined {
    const seconds = (now - this.#beforeMs) / 1000;
    if (seconds < MIN_SECONDS) return undefined;
    const before = this.#before;
    const packets = Math.max(0, counters.packets - before.packets);
    const lost = counters.lost - before.lost;
    const expected = packets + Math.max(0, lost);
    const { roundTripMs = known.roundTripMs } = counters;
    const frameLatencyMs = counters.frameLatencyMs ??
      mean(this.#latencySum, this.#latencyCount);
    const sample: ProtocolSample = {
      id: known.id,
      time: known.time,
      session: this.#session,
      state: known.state,
      bitRate: Math.round(Math.max(0, counters.bytes - before.bytes) * 8 / seconds),
      frameRate: rounded((this.#frames - this.#framesBefore) / seconds),
      packetRate: rounded(packets / seconds),
      lost,
      lossRatio: expected > 0 ? Math.round(Math.max(0, lost) / expected * 1e6) / 1e6 : 0,
      reordered: Math.max(0, counters.reordered - before.reordered),
      jitterMs: counters.jitterMs === null ? null : rounded(counters.jitterMs),
      bufferedPackets: counters.bufferedPackets,
      roundTripMs: roundTripMs === null ? null : rounded(roundTripMs),
      frameLatencyMs,
      captureLatencyMs: mean(this.#captureSum, this.#captureCount),
      packets: counters.packets,
      bytes: counters.bytes,
      frames: this.#frames,
      framesDropped: counters.framesDropped,
      totalLost: counters.lost,
    };
    this.#before = counters;
    this.#beforeMs = now;
    this.#framesBefore = this.#frames;
    this.#latencySum =
      this.#latencyCount =
      this.#captureSum =
      this.#captureCount =
        0;
    return sample;
  }
}

const NOTHING: SessionCounters = {
  session: 0,
  packets: 0,
  bytes: 0,
  lost: 0,
  reordered: 0,
  jitterMs: null,
  bufferedPackets: 0,
  framesDropped: 0,
};
const MIN_SECONDS = 0.2;

function mean(sum: number, count: number): number | null {
  return count === 0 ? null : rounded(sum / count);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
