/**
 * One reader's share in a live film: PLAY joins it, PAUSE leaves it, and what it shows is nobody's choice.
 *
 * Floor 4 (assembly). RFC 2326 s10.5, s10.6. The film itself is `live_source.ts`.
 *
 * @module
 */

import type { PlaybackRequest, PlayingRange } from "../engine/playback.ts";
import { ReaderReports } from "../engine/reader_reports.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { PacketBatch } from "../rtp.ts";
import type { FrameBatch, PayloadFormat } from "./frame_batches.ts";
import { countRepairs, type RepairCounts } from "./frame_preparation.ts";
import type { LiveViewer } from "./live_audience.ts";
import type { HeldFilm, NextPacket } from "./live_film.ts";
import { MissedFrames } from "./missed_frames.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import type { SessionStream, StreamStatistics } from "./session_stream.ts";
import type { StreamTransport } from "./transports.ts";

/** What a {@linkcode LiveStream} connects. */
export interface LiveStreamOptions {
  /** The film; given back at the end. */
  readonly held: HeldFilm;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** The reader's own numbers, where it cannot have those of the source. */
  readonly numbers: RtpSender | undefined;
  /** Where packets go at first. */
  readonly transport: StreamTransport;
  /** The server's timer. */
  readonly timer: PacerTimer;
  /** Called once the film has ended: its file is gone. */
  readonly onEnd: () => void;
  /** Called when frames are given up because the reader, or the socket, is too slow; at most once in five seconds. */
  readonly onSlow: (frames: number) => void;
}

/** The stream of one session. */
export class LiveStream implements SessionStream, LiveViewer {
  /** See {@linkcode SessionStream.isLive}. */
  readonly isLive = true;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** See {@linkcode LiveViewer.numbers}. */
  readonly numbers: RtpSender | undefined;
  readonly #options: LiveStreamOptions;
  readonly #missed: MissedFrames;
  readonly #reports: ReaderReports;
  readonly #repairs: { -readonly [Action in keyof RepairCounts]: RepairCounts[Action] } = {};
  #transport: StreamTransport;
  #isPlaying = false;
  #isJoined = false;
  #isEnded = false;
  #framesSent = 0;
  #packetsSent = 0;
  #octetsSent = 0;
  #reportsSent = 0;
  /** Frames that nobody got while this reader was there; of the present PLAY see `#droppedBefore`. */
  #dropped = 0;
  #droppedBefore = 0;

  /** A share that was not begun. */
  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.format = options.format;
    this.numbers = options.numbers;
    this.#transport = options.transport;
    this.#missed = new MissedFrames(options.onSlow);
    this.#reports = new ReaderReports(this.ssrc, CLOCK_RATE_HZ);
  }

  /** See {@linkcode SessionStream.ssrc}. */
  get ssrc(): number {
    return (this.numbers ?? this.#film.sender).ssrc;
  }

  /** Where packets go now. */
  get transport(): StreamTransport {
    return this.#transport;
  }

  /** See {@linkcode SessionStream.isPlaying}. */
  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** See {@linkcode SessionStream.positionSeconds}. */
  get positionSeconds(): number {
    return this.#film.positionSeconds;
  }

  /** Sends by another transport from now on. */
  replaceTransport(transport: StreamTransport): void {
    const isJoined = this.#isJoined;
    this.#leave();
    this.#transport.discard();
    this.#transport = transport;
    if (isJoined) this.#join();
  }

  /**
   * Joins at once: nothing is sent before this turn has ended, and the sequence number that the answer promises is that of
   * the next frame. Whatever is asked for, the present is played.
   */
  play(_request: PlaybackRequest, now: number): PlayingRange {
    this.#isPlaying = true;
    if (this.numbers === undefined) this.#join();
    return this.current(now);
  }

  /** See {@linkcode SessionStream.current}. */
  current(now: number): PlayingRange {
    return this.#film.current(now);
  }

  /** See {@linkcode SessionStream.nextPacket}. */
  nextPacket(range: PlayingRange): NextPacket {
    return this.#film.nextPacket(range);
  }

  /** Those who are promised no number join when they have their answer. */
  begin(): void {
    if (this.#isPlaying) this.#join();
  }

  /** Leaves; the film goes on. */
  pause(): void {
    this.#isPlaying = false;
    this.#leave();
  }

  /** Ends for good, with a goodbye to the reader when `saysGoodbye`. */
  end(saysGoodbye: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.pause();
    const isMissed = saysGoodbye && this.numbers === undefined && this.#framesSent > 0;
    if (isMissed) this.takeReport(this.#film.goodbye());
    this.#options.held.release();
  }

  /** See {@linkcode SessionStream.receiveRtcp}. */
  receiveRtcp(bytes: Uint8Array, _now: number, unixMs: number): void {
    this.#reports.receive(bytes, unixMs);
  }

  /** Counters. */
  stats(): StreamStatistics {
    const film = this.#film;
    const dropped = this.#dropped +
      (this.#isJoined ? film.framesDropped - this.#droppedBefore : 0);
    return {
      framesSent: this.#framesSent,
      framesDropped: dropped + this.#missed.total,
      repairs: { ...this.#repairs },
      positionSeconds: this.positionSeconds,
      worstLatenessMs: film.worstLatenessMs,
      sender: {
        ...this.#reports.stats(),
        packetsSent: this.#packetsSent,
        octetsSent: this.#octetsSent,
        reportsSent: this.#reportsSent,
      },
    };
  }

  /** See {@linkcode LiveViewer.frameSent}. */
  frameSent(batch: FrameBatch): void {
    this.#framesSent++;
    this.#packetsSent += batch.packetCount;
    this.#octetsSent += batch.payloadSize;
    if (batch.repairs !== undefined) countRepairs(this.#repairs, batch.repairs);
  }

  /** See {@linkcode LiveViewer.frameGivenUp}. */
  frameGivenUp(batch: PacketBatch): void {
    this.#framesSent--;
    this.#packetsSent -= batch.packetCount;
    this.#octetsSent -= batch.payloadSize;
    this.#missed.add(1, this.#options.timer.now());
  }

  /** Takes RTCP of the source; lab clients have none. */
  takeReport(bytes: Uint8Array): void {
    if (this.numbers !== undefined) return;
    this.#reportsSent++;
    this.#transport.sendReport(bytes);
  }

  /** See {@linkcode LiveViewer.sourceEnded}. */
  sourceEnded(): void {
    this.#options.onEnd();
  }

  get #film() {
    return this.#options.held.film;
  }

  #join(): void {
    if (this.#isJoined) return;
    this.#isJoined = true;
    this.#droppedBefore = this.#film.framesDropped;
    this.#film.join(this);
  }

  #leave(): void {
    if (!this.#isJoined) return;
    this.#isJoined = false;
    this.#dropped += this.#film.framesDropped - this.#droppedBefore;
    this.#film.leave(this);
  }
}

const CLOCK_RATE_HZ = 90_000;
