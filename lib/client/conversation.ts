/**
 * What an `RtspClient` needs of a conversation with a server, whichever dialect it is held in.
 *
 * Floor 4 (client assembly), types and the sentences of refusals. The two conversations are `standard_conversation.ts`
 * and `lab_conversation.ts`.
 *
 * @module
 */

import { StatusError } from "../errors.ts";
import { headerValue, type RtspRequest, type RtspResponse } from "../rtsp.ts";
import type { EndReason } from "./events.ts";
import type { FrameNumbering } from "./frame_numbering.ts";
import type { MediaListener, MediaReceiver } from "./media_receiver.ts";
import type { ClientSettings, Credentials } from "./options.ts";
import type { ClientDialect, ClientTransport } from "./statistics.ts";
import type { ClientWire } from "./wire.ts";
import type { ReceiveThread } from "../net/receive_thread.ts";

/** Name and password of one client; asked for at most once. */
export interface CredentialStore {
  /** What is known, if anything. */
  known: Credentials | undefined;
  /** Whether a person has been asked already. */
  wasAsked: boolean;
}

/** What a conversation is given by its client. */
export interface ConversationContext extends MediaListener {
  /** What the client was told. */
  readonly settings: ClientSettings;
  /** Numbers the client's frames. */
  readonly numbering: FrameNumbering;
  /** Name and password. */
  readonly credentials: CredentialStore;
  /** Who watches, and may hold requests back. */
  readonly wire: ClientWire;
  /** What receives datagrams, where it is to be used. */
  readonly receiveThread?: ReceiveThread;
  /** Ends attempts that are under way. */
  readonly signal: AbortSignal;
  /** One line for a person. */
  note(text: string): void;
  /** A request went out. */
  onRequest(request: RtspRequest): void;
  /** An answer came in. */
  onResponse(request: RtspRequest, response: RtspResponse): void;
  /** The server told the end of the film by a message of its own. */
  onEnd(reason: EndReason): void;
  /** The connection is gone, though nobody here closed it. */
  onClosed(error: Error | undefined): void;
}

/** Where to start playing, and where to end. */
export interface PlayRange {
  /** Seconds from the beginning. @default {where the film stands} */
  readonly startSeconds?: number;
  /** Seconds from the beginning; the same as `startSeconds`: one frame. @default {the film's end} */
  readonly endSeconds?: number;
  /** How fast, and which way: 2 is twice as fast, -1 backwards; standard servers only. @default {1} */
  readonly scale?: number;
}

/** What is known of the film that is being played, and where it stands. */
export interface FilmPosition {
  /** Seconds of its beginning. */
  readonly startSeconds: number;
  /** Seconds of its end, `null` where the server told none: live sources and the lab's films. */
  readonly endSeconds: number | null;
  /** Seconds of the newest frame, `null` where nobody can tell. */
  readonly positionSeconds: number | null;
  /** Whether a jump may be asked for. */
  readonly isSeekable: boolean;
  /** How fast it plays, as the server said; 1 is its own speed. */
  readonly scale: number;
  /** Speeds worth asking for; empty where the server takes none. */
  readonly scales: readonly number[];
  /** Whether single frames may be asked for: see `RtspClient.step`. */
  readonly isSteppable: boolean;
}

/** What the server said to PLAY. */
export interface PlayAnswer {
  /** Seconds from now on that will be played, where the server told an end. */
  readonly durationSeconds?: number;
  /** Seconds of the first frame to come, where the server told them (RFC 2326 s12.29). */
  readonly startSeconds?: number;
  /** RTP timestamp of that frame, where the server told it (RFC 2326 s12.33). */
  readonly rtpTimestamp?: number;
  /** How fast it plays (RFC 2326 s12.34). @default {1} */
  readonly scale?: number;
}

/** One session with one server: set up, ready to play. */
export interface Conversation {
  /** The dialect it is held in. */
  readonly dialect: ClientDialect;
  /** How media comes. */
  readonly transport: ClientTransport;
  /** Why the transport is not the first choice. */
  readonly transportReason?: string;
  /** The stream as it comes in. */
  readonly media: MediaReceiver;
  /** Datagrams from others that were ignored. */
  readonly foreignDatagrams: number;
  /** Seconds of the film's beginning and end as it was described; `undefined` where it has none. */
  readonly extent?: { readonly startSeconds: number; readonly endSeconds: number };
  /** Units of the RTP timestamp in a second; `undefined` where nobody knows them. */
  readonly clockRateHz?: number;
  /** Sends PLAY. */
  play(range?: PlayRange): Promise<PlayAnswer>;
  /** Sends PAUSE. */
  pause(): Promise<void>;
  /** Sends TEARDOWN and closes everything; never fails, whatever the server does. */
  teardown(): Promise<void>;
  /** The description of the film, `undefined` where the server has none to give. */
  describe(): Promise<string | undefined>;
  /** Closes everything without a word. Harmless when repeated. */
  close(): void;
}

/** Whether an answer is a 2xx. */
export function isSuccess(response: RtspResponse): boolean {
  return response.statusCode >= 200 && response.statusCode < 300;
}

/** A refusal as a plain sentence that says what to do next. */
export function refusalOf(
  response: RtspResponse,
  order: { readonly method: string; readonly url: string; readonly hasCredentials: boolean },
): StatusError {
  const { statusCode, reasonPhrase } = response;
  const words = `${statusCode} ${reasonPhrase}`.trim();
  const { method, url, hasCredentials } = order;
  return new StatusError(
    `Cannot play "${url}": ${sentenceOf(response, words, hasCredentials, method)}`,
    {
      statusCode,
      method,
      cseq: Number(headerValue(response.headers, "CSeq") ?? 0),
    },
  );
}

function sentenceOf(
  response: RtspResponse,
  words: string,
  hasCredentials: boolean,
  method: string,
): string {
  switch (response.statusCode) {
    case 401:
      return hasCredentials
        ? `the server refuses this user name and password (${words}), check them`
        : `the server wants a user name and a password (${words}), give them in RTSP_USER and RTSP_PASSWORD or in the URL`;
    case 403:
      return `the server forbids it (${words})`;
    case 404:
      return `the server has no film of that name (${words}), check the path`;
    case 415:
      return `the server cannot send this film as it is (${words}${bodyLineOf(response)})`;
    case 453:
    case 503:
      return `the server has no room for another viewer (${words}), try again later`;
    case 461:
      return `the server offers no transport that was asked for (${words}), try --transport auto`;
    case 505:
      return `the server speaks another version of RTSP (${words})`;
    default:
      return `the server answers ${words} to ${method}${bodyLineOf(response)}`;
  }
}

/** The first line of a text body, where servers put their reason. */
function bodyLineOf(response: RtspResponse): string {
  const type = headerValue(response.headers, "Content-Type") ?? "text/plain";
  if (response.body.length === 0 || !type.startsWith("text/")) return "";
  const line = new TextDecoder().decode(response.body).split(/\r?\n/, 1)[0].slice(0, 200).trim();
  // deno-lint-ignore no-control-regex -- a server's words must not steer the terminal
  return line === "" ? "" : `: ${line.replace(/[\x00-\x1f\x7f]/g, "")}`;
}
