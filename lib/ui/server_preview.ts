/**
 * The preview of a server: the same page as a client's, for all its sessions.
 *
 * | Request | Answer |
 * |---|---|
 * | `GET /` | the page |
 * | `GET /state` | JSON: `side` `"server"`, the sessions and the statistics as of now |
 *
 * And what `protocol_routes.ts` names. Nothing can be commanded, and there is no video. Floor 3 (wall). RFC 9110.
 *
 * @module
 */
import type { PreviewHandler } from "./http.ts";
import { protocolRoutes } from "./protocol_routes.ts";
import type { ProtocolView } from "./protocol_view.ts";
import { jsonResponse } from "./responses.ts";
import { createRouter, get, pageRoutes, type RouterOptions } from "./router.ts";

/** What a server tells about itself; both are written as JSON. */
export interface PreviewedServer {
  /** Living sessions, without their identifiers. */
  sessions(): readonly object[];
  /** Counts since it was started. */
  statistics(): object;
}

/** Makes the handler of a server's preview; it closes the view. */
export function createServerPreviewHandler(
  server: PreviewedServer,
  options: RouterOptions & { readonly protocol: ProtocolView },
): PreviewHandler {
  const state = () => ({
    side: "server",
    sessions: server.sessions(),
    statistics: server.statistics(),
  });
  const handle = createRouter(
    new Map([
      ...pageRoutes(),
      ["/state", get(() => jsonResponse(200, state()))],
      ...protocolRoutes(options.protocol, "server"),
    ]),
    options,
  );
  return Object.assign(handle, { close: () => options.protocol.close() });
}
