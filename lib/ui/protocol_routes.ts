/**
 * The protocol view over HTTP.
 *
 * | Request | Answer |
 * |---|---|
 * | `GET /protocol/events` | server-sent events, see `protocol_events.ts` |
 * | `GET /protocol/packet?id=N` | all octets of a packet; 404 when it is not kept any more |
 * | `GET /export/dialogue.txt`, `/export/dialogue.mmd` | the dialogue as text and as a Mermaid diagram |
 * | `GET /export/statistics.csv`, `/export/statistics.json` | one row a second |
 * | `GET /export/capture.pcapng` | what is kept of the wire, for Wireshark and tshark |
 *
 * Exports take `?session=N`. Floor 3 (wall). RFC 9110.
 *
 * @module
 */
import {
  type ExportedDialogue,
  type ExportedStatistics,
  formatDialogueMermaid,
  formatDialogueText,
  formatStatisticsCsv,
  formatStatisticsJson,
} from "./protocol_exports.ts";
import type { ProtocolView } from "./protocol_view.ts";
import { attachmentResponse, bytesResponse, streamResponse, textResponse } from "./responses.ts";
import { get, type Route } from "./router.ts";

/** The routes of a view. */
export function protocolRoutes(
  view: ProtocolView,
  side: "client" | "server",
): [path: string, route: Route][] {
  const dialogue = (request: Request) => dialogueOf(view, side, sessionIn(request));
  const statistics = (request: Request) => statisticsOf(view, sessionIn(request));
  return [
    [
      "/protocol/events",
      get((request) => streamResponse(request, EVENT_STREAM, () => view.open())),
    ],
    ["/protocol/packet", get((request) => packetResponse(view, request))],
    ["/export/dialogue.txt", get((r) => file(formatDialogueText(dialogue(r)), "dialogue.txt"))],
    ["/export/dialogue.mmd", get((r) => file(formatDialogueMermaid(dialogue(r)), "dialogue.mmd"))],
    [
      "/export/statistics.csv",
      get((r) => file(formatStatisticsCsv(statistics(r)), "statistics.csv")),
    ],
    [
      "/export/statistics.json",
      get((r) => file(formatStatisticsJson(statistics(r)), "statistics.json")),
    ],
    ["/export/capture.pcapng", get((r) => file(captureOf(view, sessionIn(r)), "capture.pcapng"))],
  ];
}

function sessionIn(request: Request): number | undefined {
  const text = new URL(request.url).searchParams.get("session");
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function dialogueOf(
  { recorder }: ProtocolView,
  side: "client" | "server",
  session: number | undefined,
): ExportedDialogue {
  return {
    side,
    messages: recorder.messages.filter((message) =>
      session === undefined || message.session === session
    ),
    transitions: recorder.transitions.filter((transition) =>
      session === undefined || transition.session === session
    ),
  };
}

function statisticsOf(
  { recorder }: ProtocolView,
  wanted: number | undefined,
): ExportedStatistics {
  const isWanted = (session: number) => wanted === undefined || session === wanted;
  return {
    sessions: recorder.sessions.filter(({ id }) => isWanted(id)),
    samples: recorder.samples.filter(({ session }) => isWanted(session)),
    transitions: recorder.transitions.filter(({ session }) => isWanted(session)),
  };
}

function captureOf(view: ProtocolView, session: number | undefined): Blob {
  const { history, recorder, application } = view;
  const connections = session === undefined
    ? undefined
    : recorder.sessions.find(({ id }) => id === session)?.connections ?? [];
  const unixMsAt = (now: number) => view.unixMsAt(now);
  return new Blob(history.capture({ unixMsAt, application, session, connections }));
}

function packetResponse({ history }: ProtocolView, request: Request): Response {
  const text = new URL(request.url).searchParams.get("id") ?? "";
  const kept = /^\d{1,15}$/.test(text) ? history.packets.get(Number(text)) : undefined;
  if (!kept) return textResponse(404, "This packet is not kept any more");
  return bytesResponse(kept.bytes.slice(), { "content-type": "application/octet-stream" });
}

function file(body: string | Blob, name: string): Response {
  return attachmentResponse(body, { name, contentType: TYPES[name] });
}

const EVENT_STREAM = { "content-type": "text/event-stream; charset=utf-8" };
const TYPES: Readonly<Record<string, string>> = {
  "dialogue.txt": "text/plain; charset=utf-8",
  "dialogue.mmd": "text/plain; charset=utf-8",
  "statistics.csv": "text/csv; charset=utf-8",
  "statistics.json": "application/json",
  "capture.pcapng": "application/vnd.tcpdump.pcap",
};
