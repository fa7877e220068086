/**
 * A body that is still coming in, and when it is whole.
 *
 * Floor 1.
 *
 * @module
 */
import { headError } from "./head.ts";
import type { RtspLimits, RtspRequest, RtspResponse } from "./message.ts";
import { PAUSES } from "./pending_head.ts";

/** A message whose body is still coming. */
export interface PendingBody {
  /** The message; its body is empty. */
  readonly message: RtspRequest | RtspResponse;
  /** Octets of the body; `undefined` where it ends with silence. */
  readonly length: number | undefined;
  /** Milliseconds of silence that end it early; `undefined` for a standard message. */
  readonly pauseMs: number | undefined;
}

/** Begins to wait for a body. */
export function openBody(
  message: RtspRequest | RtspResponse,
  length: number | undefined,
  isLab: boolean,
): PendingBody {
  const early = isLab ? PAUSES.longMs : undefined;
  return { message, length, pauseMs: length === undefined ? PAUSES.responsePatienceMs : early };
}

/**
 * How many of the waiting octets are the body, once it is whole; `undefined` before.
 *
 * Throws `RtspFormatError` (`code` `"body-too-long"`) where a body of unknown length passes the limit.
 */
export function wholeBodySize(
  body: PendingBody,
  input: { readonly length: number; readonly offset: number; readonly isSilent: boolean },
  limits: RtspLimits,
): number | undefined {
  if (body.length !== undefined && input.length >= body.length) return body.length;
  if (body.length === undefined && input.length > limits.bodyBytes) {
    throw headError(
      "body-too-long",
      `Cannot read RTSP message: the body has ${input.length} bytes, limit ${limits.bodyBytes}`,
      input.offset,
      input.length,
      413,
    );
  }
  return input.isSilent && body.pauseMs !== undefined ? input.length : undefined;
}
