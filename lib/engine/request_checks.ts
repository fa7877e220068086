/**
 * What a server decides about a request before it looks at any file or socket: refuse it with a status, answer it at
 * once, or act on it.
 *
 * Floor 2 (engine): no I/O, no clock. RFC 2326 s10, s11, App. A. Sibling engines: rtsp_state.ts. What acting means stands
 * in `lib/server/`.
 *
 * @module
 */

import { RtspFormatError } from "../errors.ts";
import {
  headerValue,
  headerValues,
  isSupportedVersion,
  type RtspHeader,
  type RtspRequest,
} from "../rtsp.ts";
import { parseSession } from "../rtsp_headers.ts";
import { resolveMediaPath } from "../rtsp_url.ts";
import {
  allowedMethods,
  LAB_SERVER_STATE_TABLE,
  RTSP_METHODS,
  type RtspState,
  type RtspStateTable,
  SERVER_STATE_TABLE,
  transitionOf,
} from "./rtsp_state.ts";

/** An RTSP session as a conversation sees it: the same object for every connection that names it. */
export interface ConversationSession {
  /** Session identifier as it stands in the `Session` header. */
  readonly id: string;
  /** Path of its movie: decoded, no leading slash. */
  readonly path: string;
  /** Where it stands; only the conversation moves it, by the state table. */
  state: RtspState;
  /** When the last request named it, in ms on the server's clock. */
  lastRequestMs: number;
}

/** Finds the sessions of a server. */
export interface SessionDirectory {
  /** The session of that id, or `undefined`. */
  find(id: string): ConversationSession | undefined;
  /** Whether another directory keeps the session of that id, if there is one: its requests are to be answered there. */
  isElsewhere?(id: string): boolean;
}

/** Methods that need something done before they can be answered. */
export type CallMethod = "DESCRIBE" | "SETUP" | "PLAY" | "PAUSE" | "TEARDOWN";

/** A checked request that waits for its answer. */
export interface RtspCall {
  /** What is asked. */
  readonly method: CallMethod;
  /** The request itself. */
  readonly request: RtspRequest;
  /** Path of the movie it is about: decoded, no leading slash; that of the session where the request names none. */
  readonly path: string;
  /** The track the URL names, where it names one. */
  readonly track: string | undefined;
  /** The session it is about; always there for PLAY, PAUSE and TEARDOWN. */
  readonly session: ConversationSession | undefined;
  /** In the lab's dialect. */
  readonly isLab: boolean;
}

/** The answer to a request, without the headers every answer has. */
export interface RtspAnswer {
  /** Status code, 200 to 599. */
  readonly statusCode: number;
  /** Headers after CSeq and Session. */
  readonly headers?: readonly RtspHeader[];
  /** Body; its `Content-Length` is added. */
  readonly body?: Uint8Array;
  /** The session for the `Session` header. */
  readonly session?: ConversationSession;
}

/** What a conversation knows when it examines a request. */
export interface RequestContext {
  /** The sessions of the server. */
  readonly sessions: SessionDirectory;
  /** The one session of a lab connection. */
  readonly labSession: ConversationSession | undefined;
  /** The only path described on this connection, for players that resolve tracks against the root. */
  readonly onlyDescribedPath: string | undefined;
}

/** What becomes of a request. */
export type RequestVerdict =
  | { readonly type: "answer"; readonly answer: RtspAnswer }
  | { readonly type: "call"; readonly call: RtspCall }
  /** About a session that another directory keeps; `path` is what the URL names. */
  | { readonly type: "elsewhere"; readonly sessionId: string; readonly path: string };

/** The methods this server answers, as the `Public` header of OPTIONS and the `Allow` header of 405 name them. */
export const PUBLIC_METHODS =
  "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

/** Checks that come before credentials: version, sequence number, required features, OPTIONS, unknown methods. */
export function examineForm(request: RtspRequest): RtspAnswer | undefined {
  if (!isSupportedVersion(request.version)) return { statusCode: 505 };
  if (request.lab === undefined && headerValue(request.headers, "CSeq") === undefined) {
    return withReason(400, "The request has no CSeq header");
  }
  const required = [
    ...headerValues(request.headers, "Require"),
    ...headerValues(request.headers, "Proxy-Require"),
  ];
  if (required.length > 0 && request.lab === undefined) {
    return { statusCode: 551, headers: [["Unsupported", required.join(", ")]] };
  }
  if (request.method === "OPTIONS") {
    return { statusCode: 200, headers: [["Public", PUBLIC_METHODS]] };
  }
  if (!(RTSP_METHODS as readonly string[]).includes(request.method)) {
    return { statusCode: 501, headers: [["Public", PUBLIC_METHODS]] };
  }
  if (request.method === "ANNOUNCE" || request.method === "RECORD") {
    return { statusCode: 405, headers: [["Allow", PUBLIC_METHODS]] };
  }
  return undefined;
}

/** Checks of the resource, the session and the state; what passes becomes a call. */
export function examineRequest(request: RtspRequest, context: RequestContext): RequestVerdict {
  if (request.lab !== undefined) return examineLabRequest(request, context);
  const target = targetOf(request, context.onlyDescribedPath);
  if ("statusCode" in target) return refuse(target);
  const session = sessionOf(request, context);
  if (typeof session === "string") {
    return { type: "elsewhere", sessionId: session, path: target.path };
  }
  if (session !== undefined && "statusCode" in session) return refuse(session);
  switch (request.method) {
    case "GET_PARAMETER":
    case "SET_PARAMETER":
      return refuse(answerParameters(request, session));
    case "DESCRIBE":
      return acceptsSdp(request)
        ? { type: "call", call: { ...target, ...callOf(request, "DESCRIBE"), session } }
        : refuse(withReason(406, "A description is only to be had as application/sdp"));
    case "SETUP":
      if (session !== undefined && session.path !== target.path) {
        return refuse(withReason(459, `The session is for "${session.path}"`, session));
      }
      return { type: "call", call: { ...target, ...callOf(request, "SETUP"), session } };
  }
  if (session === undefined) return refuse({ statusCode: 454 });
  if (request.method !== "TEARDOWN" && target.path !== "" && target.path !== session.path) {
    return refuse(withReason(460, `The session is for "${session.path}"`, session));
  }
  const method = request.method as CallMethod;
  return examineState(SERVER_STATE_TABLE, {
    ...callOf(request, method),
    path: session.path,
    track: target.track,
    session,
  });
}

/** The state a session enters when a call on it has succeeded. */
export function nextStateOf(
  session: ConversationSession,
  method: string,
  isLab: boolean,
): RtspState {
  const cell = transitionOf(tableOf(isLab), session.state, method);
  return cell !== undefined && "next" in cell ? cell.next : session.state;
}

/** An answer whose body is a sentence for a person to read. */
export function withReason(
  statusCode: number,
  reason: string,
  session?: ConversationSession,
): RtspAnswer {
  return {
    statusCode,
    session,
    headers: [["Content-Type", "text/plain; charset=utf-8"]],
    body: new TextEncoder().encode(`${reason}\n`),
  };
}

/** One connection has one session, whatever the request names; PLAY and its like may name no file. */
function examineLabRequest(request: RtspRequest, context: RequestContext): RequestVerdict {
  const session = context.labSession;
  const call = { ...callOf(request, request.method as CallMethod), isLab: true, session };
  switch (request.method) {
    case "GET_PARAMETER":
    case "SET_PARAMETER":
      return refuse({ statusCode: 200 });
    case "DESCRIBE":
    case "SETUP": {
      const target = targetOf(request, undefined);
      if ("statusCode" in target) return refuse(target);
      const path = target.path === "" ? session?.path ?? "" : target.path;
      return { type: "call", call: { ...call, path, track: target.track } };
    }
    case "TEARDOWN":
      if (session === undefined) return refuse({ statusCode: 200 });
      break;
    default:
      if (session === undefined) return refuse({ statusCode: 454 });
  }
  return examineState(LAB_SERVER_STATE_TABLE, { ...call, path: session.path, track: undefined });
}

function examineState(
  table: RtspStateTable,
  call: RtspCall & { readonly session: ConversationSession | undefined },
): RequestVerdict {
  const { session, method } = call;
  const cell = transitionOf(table, session!.state, method);
  if (cell === undefined || "next" in cell) return { type: "call", call };
  const allow = allowedMethods(session!.state, table).filter(isPublic).join(", ");
  return refuse({ statusCode: cell.statusCode, headers: [["Allow", allow]], session });
}

function callOf(request: RtspRequest, method: CallMethod) {
  return { method, request, isLab: false };
}

function targetOf(
  request: RtspRequest,
  onlyDescribedPath: string | undefined,
): { path: string; track: string | undefined } | RtspAnswer {
  if (request.uri === "*" || request.uri === "") return { path: "", track: undefined };
  try {
    const { path, track } = resolveMediaPath(request.uri);
    if (path === "" && track !== undefined && onlyDescribedPath !== undefined) {
      return { path: onlyDescribedPath, track };
    }
    return { path, track };
  } catch (error) {
    if (!(error instanceof RtspFormatError)) throw error;
    return { statusCode: error.code === "forbidden-path" ? 404 : error.statusCode };
  }
}

/** The session that is named; its id where another directory keeps it. */
function sessionOf(
  request: RtspRequest,
  { sessions }: RequestContext,
): ConversationSession | RtspAnswer | string | undefined {
  const value = headerValue(request.headers, "Session");
  if (value === undefined) return undefined;
  try {
    const { id } = parseSession(value);
    if (sessions.isElsewhere?.(id)) return id;
    return sessions.find(id) ?? { statusCode: 454 };
  } catch (error) {
    if (!(error instanceof RtspFormatError)) throw error;
    return { statusCode: 454 };
  }
}

/** A request without a body is a keepalive; we know no parameter by name (RFC 2326 s10.8, s10.9). */
function answerParameters(
  request: RtspRequest,
  session: ConversationSession | undefined,
): RtspAnswer {
  const isKeepalive = request.body.length === 0 ||
    new TextDecoder().decode(request.body).trim() === "";
  if (isKeepalive) return { statusCode: 200, session };
  return {
    statusCode: 451,
    session,
    headers: [["Content-Type", "text/parameters"]],
    body: request.body,
  };
}

function acceptsSdp(request: RtspRequest): boolean {
  const accepted = headerValues(request.headers, "Accept");
  if (accepted.length === 0) return true;
  return accepted.join(",").toLowerCase().split(",").some((entry) => {
    const type = entry.split(";")[0].trim();
    return type === "application/sdp" || type === "application/*" || type === "*/*" || type === "*";
  });
}

function isPublic(method: string): boolean {
  return PUBLIC_METHODS.split(", ").includes(method);
}

function tableOf(isLab: boolean): RtspStateTable {
  return isLab ? LAB_SERVER_STATE_TABLE : SERVER_STATE_TABLE;
}

function refuse(answer: RtspAnswer): RequestVerdict {
  return { type: "answer", answer };
}
