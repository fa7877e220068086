/**
 * RTSP URLs: taking them apart, joining control URLs (client), finding the medium of a request (server).
 *
 * Floor 1. It resolves no names and opens no file: whether a path exists is the disk's business.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-3.2
 * @module
 */
import { RtspFormatError } from "./errors.ts";
import type { RtspFormatCode } from "./rtsp/message.ts";

/** An absolute RTSP URL. */
export interface RtspUrl {
  /** `"rtsp"`, `"rtspu"` or `"rtsps"`. */
  readonly scheme: "rtsp" | "rtspu" | "rtsps";
  /** Host name or address; an IPv6 address stands without brackets. */
  readonly host: string;
  /** Port, 1 to 65535; 554 (`rtsps`: 322) where the URL names none. */
  readonly port: number;
  /** Path as written, with its leading slash; empty where there is none. */
  readonly path: string;
  /** Query as written, without the question mark; absent where there is none. */
  readonly query?: string;
  /** User name, decoded; absent where the URL has no credentials. */
  readonly username?: string;
  /** Password, decoded; absent where the URL has none. */
  readonly password?: string;
  /** The URL without credentials and fragment: what may be sent and logged. */
  readonly href: string;
}

/** How a media control attribute is joined to its base: as FFmpeg and live555 do, or as RFC 3986 says. */
export type ControlUrlStrategy = "append" | "rfc3986";

/** What a request's target means on this server. */
export interface MediaPath {
  /** Decoded path below the media folder, `/` between its parts, none at its ends; empty for the root. */
  readonly path: string;
  /** The stream, from a last part such as `trackID=0`, `streamid=0` or `stream=0`: what follows the equals sign. */
  readonly track?: string;
}

/**
 * Takes an absolute RTSP URL apart.
 *
 * Throws `RtspFormatError` (`code` `"url"`) where it is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseRtspUrl } from "./rtsp_url.ts";
 * const url = parseRtspUrl("rtsp://ann:p%40ss@127.0.0.1:8554/movie.mjpeg?x=1");
 * assertEquals([url.host, url.port, url.path, url.query], ["127.0.0.1", 8554, "/movie.mjpeg", "x=1"]);
 * assertEquals([url.username, url.password], ["ann", "p@ss"]);
 * assertEquals(url.href, "rtsp://127.0.0.1:8554/movie.mjpeg?x=1");
 * ```
 */
export function parseRtspUrl(text: string): RtspUrl {
  const match = /^(rtsp[us]?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i.exec(text.trim());
  if (match === null) throw urlError(text, 'wanted "rtsp://host[:port]/path"');
  const scheme = match[1].toLowerCase() as RtspUrl["scheme"];
  const at = match[2].lastIndexOf("@");
  const authority = match[2].slice(at + 1);
  const place = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:\[\]@]+))(?::(\d{0,5}))?$/i.exec(
    authority,
  );
  if (place === null) throw urlError(text, `"${authority}" is no host and port`);
  const port = place[3] === undefined || place[3] === "" ? undefined : Number(place[3]);
  if (port !== undefined && (port < 1 || port > 65535)) {
    throw urlError(text, `port is ${port}, wanted 1 to 65535`);
  }
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(text.trim())) throw urlError(text, "it holds a control character");
  const path = match[3];
  const query = match[4];
  const shownPort = port === undefined ? "" : `:${port}`;
  const shownHost = place[1] === undefined ? place[2] : `[${place[1]}]`;
  const shownQuery = query === undefined ? "" : `?${query}`;
  return {
    scheme,
    host: place[1] ?? place[2],
    port: port ?? (scheme === "rtsps" ? 322 : 554),
    path,
    ...(query === undefined ? {} : { query }),
    ...(at < 0 ? {} : credentialsOf(match[2].slice(0, at))),
    href: `${scheme}://${shownHost}${shownPort}${path}${shownQuery}`,
  };
}

/** A URL, or any text with one at its start, without user name and password: for logs. */
export function withoutCredentials(text: string): string {
  return text.replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1");
}

/**
 * The URL of one stream: the SDP's media-level `a=control` joined to the base (RFC 2326 App. C.1.1).
 *
 * `"append"` puts a missing slash between both and nothing else, even behind a query, as FFmpeg and live555 do;
 * `"rfc3986"` is what GStreamer does. An absolute control is taken as it is; none, or `*`, means the base itself.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { controlUrl } from "./rtsp_url.ts";
 * assertEquals(controlUrl("rtsp://h/live", "trackID=0", "append"), "rtsp://h/live/trackID=0");
 * assertEquals(controlUrl("rtsp://h/live", "trackID=0", "rfc3986"), "rtsp://h/trackID=0");
 * ```
 */
export function controlUrl(
  base: string,
  control: string | undefined,
  strategy: ControlUrlStrategy,
): string {
  const relative = control?.trim() ?? "";
  if (relative === "" || relative === "*") return base;
  if (isAbsolute(relative)) return relative;
  if (strategy === "rfc3986") return resolveReference(base, relative);
  return (base.endsWith("/") ? base : `${base}/`) + relative.replace(/^\/+/, "");
}

/** Where the base of a presentation's control URLs may come from. */
export interface BaseUrlSources {
  /** The URL that was described; absolute. */
  readonly requestUrl: string;
  /** The session-level `a=control` of the SDP. */
  readonly sessionControl?: string;
  /** The Content-Base header; cameras leave out the scheme, or everything before the path. */
  readonly contentBase?: string;
  /** The Content-Location header. */
  readonly contentLocation?: string;
}

/**
 * The base of a presentation's control URLs: an absolute session control, else Content-Base, else
 * Content-Location, else the request's URL (RFC 2326 App. C.1.1).
 */
export function baseUrlOf(sources: BaseUrlSources): string {
  const { requestUrl } = sources;
  for (const source of [sources.sessionControl, sources.contentBase, sources.contentLocation]) {
    const text = source?.trim() ?? "";
    if (text === "" || text === "*") continue;
    if (isAbsolute(text)) return text;
    if (source === sources.sessionControl) continue;
    const scheme = /^[^:]*:/.exec(requestUrl)?.[0] ?? "rtsp:";
    if (text.startsWith("//")) return scheme + text;
    if (text.startsWith("/")) return resolveReference(requestUrl, text);
    if (/^(?:[\w-]+(?:\.[\w-]+)+|\[[0-9a-f:]+\])(?::\d+)?\//i.test(text)) {
      return `${scheme}//${text}`;
    }
    return resolveReference(requestUrl, text);
  }
  return requestUrl;
}

/**
 * Finds the medium and the stream of a request's target, leniently: URL or bare name, with or without slash at the
 * end, doubled slashes, query, `./`. Names of a path are percent-decoded.
 *
 * Throws `RtspFormatError`: `code` `"url"` (400) for a malformed escape in a URL, `code` `"forbidden-path"` (404)
 * for `..`, a backslash, a control character or an encoded slash.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resolveMediaPath } from "./rtsp_url.ts";
 * assertEquals(resolveMediaPath("rtsp://h:8554/a%20b//movie.mjpeg/trackID=0"), {
 *   path: "a b/movie.mjpeg",
 *   track: "0",
 * });
 * ```
 */
export function resolveMediaPath(requestUri: string): MediaPath {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*([^]*)$/i.exec(requestUri);
  const target = absolute === null ? requestUri : absolute[1];
  if (target === "*") return { path: "" };
  const question = target.indexOf("?");
  const pathText = question < 0 ? target : target.slice(0, question);
  const parts = pathText.split("/").filter((part) => part !== "" && part !== ".");
  let track: string | undefined;
  const last = TRACK.exec(parts.at(-1) ?? "");
  if (last !== null) {
    track = last[1];
    parts.pop();
  } else if (question >= 0) {
    // Players that append the control behind the query: /movie?x=1/trackID=0
    track = TRACK.exec(target.split("/").filter((part) => part !== "").at(-1) ?? "")?.[1];
  }
  const path = parts.map((part) => decodePart(part, requestUri, absolute !== null)).filter((part) =>
    part !== "."
  ).join("/");
  return track === undefined ? { path } : { path, track };
}

/** The last part of a control URL as servers name their streams. */
const TRACK = /^(?:trackid|streamid|stream|track)=([\w.-]{1,32})$/i;

function decodePart(part: string, requestUri: string, isUrl: boolean): string {
  let decoded = part;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    // A bare name of the lab is no URL and is taken word for word: "100%.mjpeg".
    if (isUrl) throw urlError(requestUri, `"${part}" holds a malformed escape`);
  }
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (decoded === ".." || /[\x00-\x1f\x7f\\/]/.test(decoded)) {
    throw new RtspFormatError<RtspFormatCode>(
      `Cannot serve "${withoutCredentials(requestUri)}": the path leaves the media folder`,
      {
        code: "forbidden-path",
        offset: Math.max(requestUri.indexOf(part), 0),
        rfc: "RFC 3986 s5.2.4",
        value: part,
        statusCode: 404,
      },
    );
  }
  return decoded;
}

function credentialsOf(userinfo: string): { username: string; password?: string } {
  const colon = userinfo.indexOf(":");
  const username = decodeOrKeep(colon < 0 ? userinfo : userinfo.slice(0, colon));
  return colon < 0 ? { username } : { username, password: decodeOrKeep(userinfo.slice(colon + 1)) };
}

function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isAbsolute(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** RFC 3986 s5.2.2 for a base with an authority and a reference without a scheme. */
function resolveReference(base: string, reference: string): string {
  const match = /^([a-z][a-z0-9+.-]*:)\/\/([^/?#]*)([^?#]*)/i.exec(base);
  if (match === null) return reference;
  const [, scheme, authority, basePath] = match;
  if (reference.startsWith("//")) return scheme + reference;
  const parts = /^([^?#]*)(\?[^#]*)?/.exec(reference);
  const path = parts?.[1] ?? "";
  const query = parts?.[2] ?? "";
  if (path === "") {
    return `${scheme}//${authority}${basePath}${query || (/\?[^#]*/.exec(base)?.[0] ?? "")}`;
  }
  const merged = path.startsWith("/") ? path : basePath.replace(/[^/]*$/, "") + path;
  return `${scheme}//${authority}${
    removeDotSegments(
      merged.startsWith("/") ? merged : `/${merged}`,
    )
  }${query}`;
}

/** RFC 3986 s5.2.4. */
function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.split("/").slice(1);
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === "..") output.pop();
    else if (segment !== ".") output.push(segment);
    if (isLast && (segment === "." || segment === "..")) output.push("");
  });
  return `/${output.join("/")}`;
}

function urlError(text: string, reason: string) {
  return new RtspFormatError<RtspFormatCode>(
    `Cannot read URL "${withoutCredentials(text)}": ${reason}`,
    { code: "url", offset: 0, rfc: "RFC 2326 s3.2" },
  );
}
