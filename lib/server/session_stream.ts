/**
 * What a session asks of its stream, be it a reader's own way through a film or a share in a live one.
 *
 * Floor 4 (assembly), types only.
 *
 * @module
 */

import type { PlaybackRequest, PlayingRange } from "../engine/playback.ts";
import type { RtpSenderStatistics } from "../engine/sender.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import type { RepairCounts } from "./frame_preparation.ts";
import type { NextPacket } from "./live_film.ts";
import type { StreamTransport } from "./transports.ts";

/** Counters of a stream. */
export interface StreamStatistics {
  /** Frames sent to the reader. */
  readonly framesSent: number;
  /** Frames that the reader did not get. */
  readonly framesDropped: number;
  /** What was done to the frames. */
  readonly repairs: RepairCounts;
  /** Where the film stands, in seconds. */
  readonly positionSeconds: number;
  /** How late a frame was at worst, in ms. */
  readonly worstLatenessMs: number;
  /** Packets sent to the reader, and what it has reported. */
  readonly sender: RtpSenderStatistics;
}

/** The stream of one session. */
export interface SessionStream {
  /** All readers see the same moment: it cannot be asked for another one. */
  readonly isLive: boolean;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** Where packets go now. */
  readonly transport: StreamTransport;
  /** The SSRC of its packets. */
  readonly ssrc: number;
  /** Between PLAY and PAUSE or the end. */
  readonly isPlaying: boolean;
  /** Where the film stands, in seconds. */
  readonly positionSeconds: number;
  /** Sends by another transport from now on. */
  replaceTransport(transport: StreamTransport): void;
  /**
   * Prepares to play.
   *
   * @returns what will be played, or `undefined` when the range is outside the film (then nothing has changed).
   */
  play(request: PlaybackRequest, now: number): PlayingRange | undefined;
  /** What is being played. */
  current(now: number): PlayingRange;
  /** What the first packet of what is played will carry. */
  nextPacket(range: PlayingRange): NextPacket;
  /** Begins what {@linkcode SessionStream.play} prepared: the client has its answer. */
  begin(): void;
  /** Stops; PLAY goes on. */
  pause(): void;
  /** Ends for good, with a goodbye to the reader when `saysGoodbye`. */
  end(saysGoodbye: boolean): void;
  /** Takes RTCP of the reader. */
  receiveRtcp(bytes: Uint8Array, now: number, unixMs: number): void;
  /** Counters. */
  stats(): StreamStatistics;
}
