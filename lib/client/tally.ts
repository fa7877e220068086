/**
 * Adds up what a client counts, over all its connections, and makes the snapshot of it.
 *
 * Floor 4 (client assembly), pure: `now` is an argument.
 *
 * @module
 */

import { ErrorList } from "./error_list.ts";
import {
  type ClientDialect,
  type ClientState,
  type ClientStatistics,
  type ClientTransport,
  RateMeter,
  type ReceivedFrame,
  type ReceiverCounters,
} from "./statistics.ts";

/** Where counters are read from: the media receiver of the connection in use. */
export interface CounterSource {
  /** Frames with a hole, dropped. */
  readonly framesDropped: number;
  /** What the RTP receiver has counted. */
  counters(): ReceiverCounters;
}

/** What a snapshot says besides the counters. */
export interface TallyContext {
  /** Where the client stands. */
  readonly state: ClientState;
  /** What is played, without credentials. */
  readonly url: string;
  /** The dialect, once known. */
  readonly dialect: ClientDialect | null;
  /** The transport, once known. */
  readonly transport: ClientTransport | null;
}

/** The counters of one client. */
export class ClientTally {
  readonly #frameMeter = new RateMeter();
  readonly #bitMeter = new RateMeter();
  readonly #errors = new ErrorList();
  #source: CounterSource | undefined;
  #retired = NOTHING;
  #retiredDropped = 0;
  #frames = 0;
  #measuredBytes = 0;
  #firstPlayMs: number | undefined;
  #firstFrameMs: number | null = null;
  #playingSinceMs: number | undefined;
  #playedMs = 0;
  #lastFrameMs = 0;
  #width: number | null = null;
  #height: number | null = null;

  /** Counts what `source` counts from now on, on top of all earlier ones. */
  adopt(source: CounterSource): void {
    this.retire();
    this.#source = source;
    this.#measuredBytes = 0;
  }

  /** Keeps what the current source has counted, and forgets the source. */
  retire(): void {
    if (!this.#source) return;
    this.#retired = sum(this.#retired, this.#source.counters());
    this.#retiredDropped += this.#source.framesDropped;
    this.#source = undefined;
  }

  /** PLAY is being sent. */
  playAsked(now: number): void {
    this.#firstPlayMs ??= now;
  }

  /** PLAY has been answered. */
  playStarted(now: number): void {
    this.#playingSinceMs ??= now;
    this.#frameMeter.reset();
    this.#bitMeter.reset();
    this.#measuredBytes = this.#source?.counters().bytes ?? 0;
  }

  /** Nothing is played any more; at the end of a film the time after its last frame does not count. */
  playStopped(now: number, options: { readonly atLastFrame: boolean }): void {
    if (this.#playingSinceMs === undefined) return;
    const end = options.atLastFrame ? Math.max(this.#lastFrameMs, this.#playingSinceMs) : now;
    this.#playedMs += end - this.#playingSinceMs;
    this.#playingSinceMs = undefined;
  }

  /** A whole frame came. */
  frame(frame: ReceivedFrame, now: number): void {
    this.#frames++;
    this.#lastFrameMs = now;
    this.#width = frame.width ?? null;
    this.#height = frame.height ?? null;
    if (this.#firstFrameMs === null && this.#firstPlayMs !== undefined) {
      this.#firstFrameMs = round(Math.max(0, now - this.#firstPlayMs), 1);
    }
    this.#frameMeter.add(1, now);
    const bytes = this.#source?.counters().bytes ?? 0;
    this.#bitMeter.add((bytes - this.#measuredBytes) * 8, now);
    this.#measuredBytes = bytes;
  }

  /** Something went wrong; the sentence must hold no credentials. */
  error(sentence: string): void {
    this.#errors.add(sentence);
  }

  /** Everything counted so far. */
  snapshot(context: TallyContext, now: number): ClientStatistics {
    const current = this.#source?.counters();
    const total = current ? sum(this.#retired, current) : this.#retired;
    const isPlaying = this.#playingSinceMs !== undefined;
    const playedMs = this.#playedMs + (isPlaying ? now - this.#playingSinceMs! : 0);
    const perSecond = (amount: number) => playedMs > 0 ? amount * 1000 / playedMs : 0;
    const expected = total.packets + Math.max(0, total.lost);
    return {
      state: context.state,
      frames: this.#frames,
      packets: total.packets,
      bytes: total.bytes,
      lost: total.lost,
      duplicates: total.duplicates,
      reordered: total.reordered,
      late: total.late,
      lossRatio: expected > 0 ? round(Math.max(0, total.lost) / expected, 6) : 0,
      jitterMs: round((current ?? this.#retired).jitterMs, 3),
      frameRate: round(isPlaying ? this.#frameMeter.perSecond(now) : perSecond(this.#frames), 2),
      bitRate: Math.round(isPlaying ? this.#bitMeter.perSecond(now) : perSecond(total.bytes * 8)),
      firstFrameMs: this.#firstFrameMs,
      durationSeconds: round(playedMs / 1000, 3),
      errors: this.#errors.sentences,
      framesDropped: this.#retiredDropped + (this.#source?.framesDropped ?? 0),
      malformed: total.malformed,
      url: context.url,
      dialect: context.dialect,
      transport: context.transport,
      width: this.#width,
      height: this.#height,
    };
  }
}

const NOTHING: ReceiverCounters = {
  packets: 0,
  bytes: 0,
  lost: 0,
  duplicates: 0,
  reordered: 0,
  late: 0,
  malformed: 0,
  lossRatio: 0,
  jitterMs: 0,
};

function sum(a: ReceiverCounters, b: ReceiverCounters): ReceiverCounters {
  return {
    packets: a.packets + b.packets,
    bytes: a.bytes + b.bytes,
    lost: a.lost + b.lost,
    duplicates: a.duplicates + b.duplicates,
    reordered: a.reordered + b.reordered,
    late: a.late + b.late,
    malformed: a.malformed + b.malformed,
    lossRatio: b.lossRatio,
    jitterMs: b.jitterMs,
  };
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
