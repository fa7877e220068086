/**
 * A live film that another thread plays: its frames are taken from the memory that both share, and sent to the readers of
 * this thread.
 *
 * Floor 4 (assembly). The other side is `live_lender.ts`. What is copied is copied once for a thread, not for a reader.
 *
 * @module
 */

import { FrameRing } from "../engine/frame_ring.ts";
import type { PlayingRange } from "../engine/playback.ts";
import type { RtpSender } from "../engine/sender.ts";
import { LiveAudience, type LiveViewer } from "./live_audience.ts";
import type { LiveFilm, NextPacket } from "./live_film.ts";
import type { PacerTimer } from "./pacer_timer.ts";

/** What a {@linkcode BorrowedFilm} connects. */
export interface BorrowedFilmOptions {
  /** Follows the film's own sender. */
  readonly sender: RtpSender;
  /** Where frames come from. */
  readonly memory: SharedArrayBuffer;
  /** The newest frame there when the sender had the numbers that it has: whatever has come since is still to be sent. */
  readonly written: number;
  /** The thread's timer. */
  readonly timer: PacerTimer;
  /** Packets of a frame that leave at once, at least 1. */
  readonly burstPackets: number;
  /** Called when there are readers here, and when there are none any more. */
  readonly onWatched: (isWatched: boolean) => void;
}

/** One film. */
export class BorrowedFilm implements LiveFilm {
  /** See {@linkcode LiveFilm.framesDropped}. */
  framesDropped = 0;
  /** See {@linkcode LiveFilm.worstLatenessMs}. */
  worstLatenessMs = 0;
  /** See {@linkcode LiveFilm.positionSeconds}. */
  positionSeconds = 0;
  readonly #options: BorrowedFilmOptions;
  readonly #audience: LiveAudience;
  #ring: FrameRing;
  #read: number;
  #buffer: Uint8Array;
  /** Of the newest frame. */
  #mediaTicks = 0;
  #nextTicks = 0;
  #unixMs = -Infinity;

  /** Nobody here reads it yet. */
  constructor(options: BorrowedFilmOptions) {
    this.#options = options;
    const ticksAt = (now: number) => this.#ticksAt(options.timer.unixMsAt(now));
    this.#audience = new LiveAudience({ ...options, ticksAt });
    this.#ring = new FrameRing(options.memory);
    this.#buffer = new Uint8Array(this.#ring.frameBytes);
    this.#read = options.written;
  }

  /** See {@linkcode LiveFilm.sender}. */
  get sender(): RtpSender {
    return this.#options.sender;
  }

  /** See {@linkcode LiveFilm.join}. */
  join(reader: LiveViewer): void {
    const isFirst = this.#audience.size === 0;
    this.#audience.join(reader);
    if (isFirst) this.#options.onWatched(true);
  }

  /** See {@linkcode LiveFilm.leave}. */
  leave(reader: LiveViewer): void {
    const wasWatched = this.#audience.size > 0;
    this.#audience.leave(reader);
    if (wasWatched && this.#audience.size === 0) this.#options.onWatched(false);
  }

  /** See {@linkcode LiveFilm.current}. */
  current(now: number): PlayingRange {
    return {
      startSeconds: this.positionSeconds,
      endSeconds: undefined,
      mediaTicks: this.#isRunning(now) ? this.#nextTicks : this.#mediaTicks,
      scale: 1,
      speed: 1,
      isStep: false,
    };
  }

  /** Of a film that nobody watched, the timestamp is known only once it runs. */
  nextPacket({ mediaTicks }: PlayingRange): NextPacket {
    const { sender, timer } = this.#options;
    const seq = sender.nextSequenceNumber;
    return this.#isRunning(timer.now())
      ? { seq, rtptime: sender.timestampAt(mediaTicks) }
      : { seq };
  }

  /** See {@linkcode LiveFilm.goodbye}. */
  goodbye(): Uint8Array {
    return this.#audience.goodbye();
  }

  /** There are more frames: sends them all. */
  takeFrames(): void {
    const { timer } = this.#options;
    for (; this.#read < this.#ring.written; this.#read++) {
      // What waits of the frame before is in the same memory.
      this.#audience.finishFrame();
      const frame = this.#ring.read(this.#read + 1, this.#buffer);
      if (frame === undefined) {
        this.framesDropped++;
        continue;
      }
      this.#mediaTicks = frame.mediaTicks;
      this.#nextTicks = frame.nextTicks;
      this.#unixMs = frame.unixMs;
      this.positionSeconds = frame.positionSeconds;
      const lateMs = timer.unixMsAt(timer.now()) - frame.unixMs;
      this.worstLatenessMs = Math.max(this.worstLatenessMs, lateMs);
      this.#audience.forward(frame, frame.numbers);
    }
  }

  /** Frames come from another place from now on: those here were too small. */
  moveTo(memory: SharedArrayBuffer): void {
    this.takeFrames();
    this.#ring = new FrameRing(memory);
    this.#audience.finishFrame();
    this.#buffer = new Uint8Array(this.#ring.frameBytes);
    this.#read = 0;
  }

  /** There will be no more frames. */
  end(): void {
    this.#audience.end();
  }

  #isRunning(now: number): boolean {
    const intervalMs = (this.#nextTicks - this.#mediaTicks) / TICKS_PER_MS;
    return this.#options.timer.unixMsAt(now) - this.#unixMs < 2 * intervalMs + PATIENCE_MS;
  }

  #ticksAt(unixMs: number): number {
    return this.#mediaTicks + Math.round((unixMs - this.#unixMs) * TICKS_PER_MS);
  }
}

const TICKS_PER_MS = 90;
/** Frames may be late. */
const PATIENCE_MS = 50;
