/**
 * The spellings of a lab request that reach the most servers: the canonical one, and two that single servers insist on.
 *
 * The Kurose-Ross lab's dialect of RFC 2326. Floor 2, pure. The writing itself is `lib/rtsp.ts`'s; the two deviations
 * are tried when a server stays silent or hangs up. This file chooses nothing by itself.
 *
 * @module
 */

import { formatRequest, type LabForm, type RtspRequest } from "../rtsp.ts";

/**
 * How a lab request is spelled: `canonical` (three lines), `port-on-fourth-line` (`client_port` on a line of its own),
 * or `name-as-host` (the file's name where a URL has its host, CRLF, no blank in the Transport line).
 */
export type LabRequestForm = "canonical" | "port-on-fourth-line" | "name-as-host";

/** The forms in the order in which they are tried, each on a new connection. */
export const LAB_REQUEST_FORMS: readonly LabRequestForm[] = [
  "canonical",
  "port-on-fourth-line",
  "name-as-host",
];

/**
 * Octets of one lab request, to be sent in one write. `request` has the ordinary shape: target = the bare file name,
 * headers CSeq and Session, on SETUP a Transport header with `client_port=N`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const request = {
 *   type: "request" as const, method: "PLAY", uri: "movie.mjpeg", version: "RTSP/1.0", body: new Uint8Array(),
 *   headers: [["CSeq", "2"], ["Session", "7"]] as const,
 * };
 * const bytes = formatLabRequest(request, "name-as-host");
 * assertEquals(new TextDecoder().decode(bytes), "PLAY rtsp://movie.mjpeg RTSP/1.0\r\nCSeq: 2\r\nSession: 7\r\n");
 * ```
 */
export function formatLabRequest(request: RtspRequest, form: LabRequestForm): Uint8Array {
  const uri = form === "name-as-host" ? `rtsp://${request.uri}` : request.uri;
  return formatRequest({ ...request, uri, lab: labFormOf(form) });
}

/** What a parser would tell of the form of a request spelled so. */
export function labFormOf(form: LabRequestForm): LabForm {
  return LAB_FORMS[form];
}

const LAB_FORMS: Readonly<Record<LabRequestForm, LabForm>> = {
  "canonical": { family: "A", lineEnd: "\n", hasBlankLine: false },
  "port-on-fourth-line": {
    family: "A",
    lineEnd: "\n",
    hasBlankLine: false,
    portSpelling: "own-line",
  },
  "name-as-host": { family: "A", lineEnd: "\r\n", hasBlankLine: false, portSpelling: "tight" },
};
