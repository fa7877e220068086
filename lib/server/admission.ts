/**
 * Whether there can be one more session: what the machine bears, and what the server was told to bear.
 *
 * Floor 4 (assembly). RFC 2326 s11.3.10: 453 Not Enough Bandwidth.
 *
 * @module
 */

import { DEFAULT_MAX_LATENESS_MS, MAX_SESSIONS_PER_CONNECTION } from "./options.ts";
import type { CallConnection, ServerParts } from "./parts.ts";

/** Counts one more session; or says why there can be none, which the log is told too where it is for overload. */
export function admit(parts: ServerParts, connection: CallConnection): string | undefined {
  const overload = overloadOf(parts);
  if (overload !== undefined) {
    parts.emit({ type: "warning", message: `Overloaded: ${overload}; 453 for new sessions` });
    return overload;
  }
  if (connection.sessions.size >= MAX_SESSIONS_PER_CONNECTION) {
    return `${MAX_SESSIONS_PER_CONNECTION} sessions on one connection`;
  }
  return parts.sessionLimit.take(connection.stream.remoteAddress.hostname);
}

function overloadOf({ timer, options }: ServerParts): string | undefined {
  const { overload } = timer;
  const now = timer.now();
  if (!overload.isOverloaded(now)) return undefined;
  const { maxLatenessMs = DEFAULT_MAX_LATENESS_MS } = options;
  const lateMs = Math.round(overload.latenessMs(now));
  if (lateMs >= maxLatenessMs) return `frames are ${lateMs} ms late, ${maxLatenessMs} are bearable`;
  const percent = Math.ceil(overload.givenUpShare(now) * 100);
  return `${percent} % of the frames are given up, for those before them have not left yet`;
}
