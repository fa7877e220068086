/**
 * What a reader's stream asks of a live film, be it played in this thread or in another one.
 *
 * Floor 4 (assembly), types only.
 *
 * @module
 */

import type { PlayingRange } from "../engine/playback.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { LiveViewer } from "./live_audience.ts";

/** What the next packet will carry, as far as it is known: RFC 2326 s12.33. */
export interface NextPacket {
  /** Its sequence number. */
  readonly seq: number;
  /** Its timestamp. */
  readonly rtptime?: number;
}

/** A film that all readers see the same moment of. */
export interface LiveFilm {
  /** SSRC, numbers and timestamps of the film. */
  readonly sender: RtpSender;
  /** Where the film stands, in seconds. */
  readonly positionSeconds: number;
  /** Frames that nobody got. */
  readonly framesDropped: number;
  /** How late a frame was at worst, in ms. */
  readonly worstLatenessMs: number;
  /** The reader gets every frame from the next one on. */
  join(reader: LiveViewer): void;
  /** The reader gets nothing more; harmless when it gets nothing. */
  leave(reader: LiveViewer): void;
  /** What is played next, while somebody reads. */
  current(now: number): PlayingRange;
  /** What a reader that has joined gets first. */
  nextPacket(range: PlayingRange): NextPacket;
  /** A compound of report and BYE. */
  goodbye(): Uint8Array;
}

/** A film that is used, to be given back. */
export interface HeldFilm {
  /** The film. */
  readonly film: LiveFilm;
  /** Gives it back; harmless when repeated. */
  release(): void;
}
