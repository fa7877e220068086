/**
 * All that the threads of a server tell each other.
 *
 * Floor 4 (assembly), types, and how to tell them apart; everything here can be cloned into another thread. Workers speak with the main thread
 * alone, which hands letters on: who writes one knows neither where nor how the other runs.
 *
 * @module
 */

import type { ConversationSession, RtspAnswer } from "../engine/request_checks.ts";
import type { SenderNumbers } from "../engine/sender.ts";
import type { SocketAddress } from "../net/socket.ts";
import type { RtspRequest } from "../rtsp.ts";
import type { ServerEvent, ServerSessionSnapshot, ServerStatistics } from "./events.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import type { RtspServerOptions } from "./options.ts";

/** Memory that all threads share. */
export interface SharedMemory {
  /** Numbers given out, see `server_thread.ts`. */
  readonly counts: SharedArrayBuffer;
  /** Open connections by address, see `shared_limit.ts`. */
  readonly connections: SharedArrayBuffer;
  /** Living sessions by address. */
  readonly sessions: SharedArrayBuffer;
}

/** Options of a server as they travel to a worker: without what is bound to the thread of the caller. */
export type ThreadOptions =
  & Omit<RtspServerOptions, "listener" | "tap" | "random" | "media" | "sample">
  & {
    /** See {@linkcode RtspServerOptions.media}; of a URL what it is made of. */
    readonly media: string | Pick<URL, "href">;
    /** See {@linkcode RtspServerOptions.sample}. */
    readonly sample: Pick<URL, "href"> | undefined;
  };

/** From the main thread to a worker. */
export type MessageToWorker =
  /** The first one: run a server. */
  | {
    readonly type: "start";
    /** Number of the thread, from 1; the main thread is 0. */
    readonly index: number;
    readonly options: ThreadOptions;
    readonly memory: SharedMemory;
  }
  /** So many threads serve from now on: each takes its share of what is bounded for all. */
  | { readonly type: "threads"; readonly count: number }
  | { readonly type: "letter"; readonly from: number; readonly letter: Letter }
  /** Tell your part of this; `id` comes back with it. */
  | { readonly type: "ask"; readonly id: number }
  /** Say goodbye to your readers, some of whom may be on connections of other threads. */
  | { readonly type: "goodbye" }
  /** End. */
  | { readonly type: "close" };

/** From a worker to the main thread. */
export type MessageFromWorker =
  | { readonly type: "started" }
  /** It cannot serve, for the reason that `message` says. */
  | { readonly type: "refused"; readonly message: string }
  | { readonly type: "event"; readonly event: ServerEvent }
  /** For another thread, or for all others. */
  | { readonly type: "letter"; readonly to: number | "all"; readonly letter: Letter }
  | { readonly type: "account"; readonly id: number; readonly account: ThreadAccount }
  /** All that it had to say to connections of other threads has been said. */
  | { readonly type: "parted" }
  | { readonly type: "closed" };

/** What one thread has to say about itself. */
export interface ThreadAccount {
  /** Its living sessions. */
  readonly sessions: readonly ServerSessionSnapshot[];
  /** What it has counted. */
  readonly statistics: ServerStatistics;
}

/** What one server tells another one, be it the main thread's or a worker's. */
export type Letter = Errand | ErrandReply | FailedLogin | LiveLetter;

/** About films that are played live: the main thread plays them, and lends them to the others. */
export type LiveLetter =
  | {
    readonly kind: "live-borrow";
    /** Comes back with the answer. */
    readonly request: number;
    /** Path of the film, as it was asked for. */
    readonly path: string;
    readonly format: PayloadFormat;
    /** Canonical name of the source, where there is none yet. */
    readonly cname: string;
  }
  /** The film, or why it cannot be had. */
  | { readonly kind: "live-lent"; readonly request: number; readonly answer: LentFilm | string }
  /** The borrower has readers, or none any more. */
  | { readonly kind: "live-watch"; readonly loan: number; readonly isWatched: boolean }
  /** The borrower needs it no more. */
  | { readonly kind: "live-return"; readonly loan: number }
  /** There are more frames. */
  | { readonly kind: "live-frame"; readonly loan: number }
  /** Frames are to be found there from now on. */
  | { readonly kind: "live-moved"; readonly loan: number; readonly memory: SharedArrayBuffer }
  /** There will be no more frames. */
  | { readonly kind: "live-end"; readonly loan: number };

/** A film that another thread plays. */
export interface LentFilm {
  /** Number of the loan. */
  readonly loan: number;
  /** SSRC of the film. */
  readonly ssrc: number;
  /** Timestamp of its media time 0. */
  readonly timestamp: number;
  /** How far it is. */
  readonly numbers: SenderNumbers;
  /** Where its frames are to be found, see `lib/engine/frame_ring.ts`. */
  readonly memory: SharedArrayBuffer;
  /** Number of the newest frame there, behind which it is so far. */
  readonly written: number;
}

/** From the thread of a connection to one that keeps sessions which are named there. */
export type Errand =
  | {
    readonly kind: "request";
    readonly place: ConnectionPlace;
    readonly request: RtspRequest;
    /** See `RequestContext` in `lib/engine/request_checks.ts`. */
    readonly onlyDescribedPath: string | undefined;
    /** Interleaved channels in use on that connection, but for those of the addressed thread. */
    readonly channels: readonly number[];
  }
  /** The answer has been written. */
  | { readonly kind: "sent"; readonly connection: number }
  /** The bytes have been taken: the next ones may come. */
  | { readonly kind: "taken"; readonly connection: number }
  /** Something was asked there: what was set up by it lives on. */
  | { readonly kind: "heard"; readonly connection: number }
  | {
    readonly kind: "interleaved";
    readonly connection: number;
    readonly channel: number;
    readonly payload: Uint8Array;
  }
  /** The connection is no more. */
  | { readonly kind: "gone"; readonly connection: number }
  /** A request has named this session, whatever becomes of the request. */
  | { readonly kind: "named"; readonly sessionId: string };

/** The other way. */
export type ErrandReply =
  | {
    readonly kind: "answer";
    readonly connection: number;
    readonly answer: RtspAnswer & { readonly session: ConversationSession | undefined };
    /** The other thread waits for the answer to be written. */
    readonly wantsSent: boolean;
    readonly held: HeldThere;
  }
  | { readonly kind: "held"; readonly connection: number; readonly held: HeldThere }
  /** One frame or report for the connection, to be written in one piece. */
  | { readonly kind: "bytes"; readonly connection: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "close"; readonly connection: number; readonly reason: string };

/** Somebody did not know the password. */
export interface FailedLogin {
  /** Tells it from other letters. */
  readonly kind: "failed-login";
  /** From where. */
  readonly address: string;
}

/** A connection of another thread. */
export interface ConnectionPlace {
  /** Its number. */
  readonly number: number;
  /** This end. */
  readonly local: SocketAddress;
  /** The other end. */
  readonly remote: SocketAddress;
}

/** What another thread keeps for a connection. */
export interface HeldThere {
  /** Sessions that were set up by it. */
  readonly sessions: number;
  /** Interleaved channels that these use. */
  readonly channels: readonly number[];
}

/** Whether a letter is about live films. */
export function isAboutLive(letter: Letter): letter is LiveLetter {
  return letter.kind.startsWith("live-");
}

/** Whether a letter answers an errand. */
export function isReply(letter: Errand | ErrandReply): letter is ErrandReply {
  return REPLIES.has(letter.kind);
}

const REPLIES: ReadonlySet<string> = new Set<ErrandReply["kind"]>([
  "answer",
  "held",
  "bytes",
  "close",
]);
