/**
 * The description of a movie: what DESCRIBE answers in either dialect.
 *
 * Floor 4 (assembly), without I/O. RFC 8866, RFC 2326 App. C, RFC 2435; the lab's extension as its Java and Python
 * programs read it.
 *
 * @module
 */

import { endpointText } from "../ip_address.ts";
import { formatSdp, type SdpAttribute } from "../sdp.ts";
import { RtspFormatError } from "../errors.ts";
import type { SocketAddress } from "../net/socket.ts";
import { parseRtspUrl, type RtspUrl } from "../rtsp_url.ts";
import type { LabForm, RtspHeader } from "../rtsp.ts";
import type { SharedMovie } from "./media_library.ts";

/** Name of the one stream of a movie, as `a=control` and SETUP URLs name it. */
export const TRACK_CONTROL = "trackID=0";

/** A description with the headers that belong to it. */
export interface Description {
  /** `Content-Base` and `Content-Type`. */
  readonly headers: readonly RtspHeader[];
  /** The body. */
  readonly body: Uint8Array;
}

/** What the description of a standard session says. */
export interface DescriptionOptions {
  /** The URL of the request. */
  readonly requestUri: string;
  /** The server's address as the client reached it. */
  readonly localAddress: SocketAddress;
  /** A film that starts over for ever has no end; nor has one that grows. */
  readonly isLooping: boolean;
  /** All readers see the same moment: there is no other to be asked for. */
  readonly isLive: boolean;
}

/**
 * The base of a movie's control URLs: the request's URL without credentials, track and query, with one slash at its end.
 * Where the request names the movie by less than a URL, the base is made of the server's own address.
 */
export function baseUrlOfRequest(
  requestUri: string,
  movie: { readonly path: string },
  localAddress: SocketAddress,
): string {
  const url = urlOf(requestUri);
  if (url === undefined) {
    const path = movie.path.split("/").map(encodeURIComponent).join("/");
    return `rtsp://${endpointText(localAddress)}/${path}/`;
  }
  const withoutQuery = url.query === undefined
    ? url.href
    : url.href.slice(0, url.href.indexOf("?"));
  const path = withoutQuery.replace(/\/+$/, "").replace(
    /\/+(?:trackID|stream|streamid|track)=[\w.-]+$/i,
    "",
  );
  return `${path}/`;
}

/** Describes a movie to a standard client. */
export function describeMovie(movie: SharedMovie, options: DescriptionOptions): Description {
  const { file, timeline } = movie;
  const { localAddress, requestUri } = options;
  const base = baseUrlOfRequest(requestUri, movie, localAddress);
  // Players disagree on how a relative control joins a URL with a query; an absolute one leaves no choice.
  const control = requestUri.includes("?") ? base + TRACK_CONTROL : TRACK_CONTROL;
  const end = options.isLooping || movie.growth !== undefined
    ? ""
    : timeline.durationSeconds.toFixed(3);
  const addressType = localAddress.hostname.includes(":") ? "IP6" : "IP4";
  const identifier = String(movie.id);
  const body = formatSdp({
    version: 0,
    origin: {
      username: "-",
      sessionId: identifier,
      sessionVersion: identifier,
      networkType: "IN",
      addressType,
      address: localAddress.hostname,
    },
    name: file.name,
    connection: {
      networkType: "IN",
      addressType,
      address: addressType === "IP6" ? "::" : "0.0.0.0",
    },
    timing: ["0", "0"],
    attributes: [
      ["tool", "deno-rtsp"],
      ["control", "*"],
      ["range", options.isLive ? "npt=now-" : `npt=0-${end}`],
    ],
    media: [{
      kind: "video",
      port: 0,
      protocol: "RTP/AVP",
      formats: ["26"],
      attributes: mediaAttributes(movie, control),
    }],
  });
  return {
    headers: [["Content-Base", base], ["Content-Type", "application/sdp"]],
    body: new TextEncoder().encode(body),
  };
}

/** Describes a movie to a lab client: the Java programs read other lines than the Python ones. */
export function describeLabMovie(
  movie: SharedMovie,
  lab: LabForm,
  options: {
    readonly sessionId: string;
    readonly clientPort: number;
    readonly localHostname: string;
  },
): Description {
  const lines = lab.lineEnd === "\r\n"
    ? [
      "v=0",
      `m=video ${options.clientPort} RTP/AVP 26`,
      `a=control:streamid=${options.sessionId}`,
      'a=mimetype:string;"video/MJPEG"',
    ]
    : [
      "v=0",
      `o=- ${options.sessionId} 1 IN IP4 ${options.localHostname}`,
      `s=${movie.file.name}`,
      `m=video ${options.clientPort} RTP/AVP 26`,
      `c=IN IP4 ${options.localHostname}`,
      "t=0 0",
      `a=control:streamid=${options.sessionId}`,
      'a=mimetype:string;"video/MJPEG"',
    ];
  const body = new TextEncoder().encode(lines.map((line) => line + lab.lineEnd).join(""));
  return {
    headers: [["Content-Base", movie.path], ["Content-Type", "application/sdp"]],
    body,
  };
}

/** The request's URL; `undefined` where it is a bare name, or names no host that can be. */
function urlOf(requestUri: string): RtspUrl | undefined {
  try {
    return parseRtspUrl(requestUri);
  } catch (error) {
    if (error instanceof RtspFormatError) return undefined;
    throw error;
  }
}

function mediaAttributes(movie: SharedMovie, control: string): SdpAttribute[] {
  const { width, height } = movie;
  return [
    ["rtpmap", "26 JPEG/90000"],
    // Players show frames evenly when they are told a rate.
    ...(movie.timeline.isConstant
      ? [["framerate", String(Math.round(movie.frameRateHz * 1000) / 1000)] as const]
      : []),
    ["x-dimensions", `${width},${height}`],
    ["framesize", `26 ${width}-${height}`],
    ["control", control],
  ];
}
