/**
 * Who may talk to the preview: only pages of the preview itself, and programs of this machine.
 *
 * A browser will send requests to `127.0.0.1` for any page that asks it to, and a foreign name may be made to point
 * there (DNS rebinding). Such requests carry a foreign `Host`, `Origin` or `Sec-Fetch-Site`, and are refused.
 * Floor 3 (wall). RFC 6454 (origin), W3C Fetch Metadata, W3C CSP 3. It knows no users and no passwords.
 *
 * @module
 */

/** In a list of allowed hosts: any IP address in figures. A rebinding attack needs a name, so these are safe. */
export const ANY_ADDRESS = "*";

/**
 * The hosts that requests to a server bound to `hostname` may name: the loopback ones, and `hostname` itself; every
 * address when it is bound to all of them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(allowedHostsOf("127.0.0.1"), ["localhost", "127.0.0.1", "[::1]"]);
 * ```
 */
export function allowedHostsOf(hostname: string): string[] {
  if (hostname === "0.0.0.0" || hostname === "::") return [...LOOPBACK_HOSTS, ANY_ADDRESS];
  const host = hostname.includes(":") ? `[${hostname}]` : hostname.toLowerCase();
  return [...new Set([...LOOPBACK_HOSTS, host])];
}

/** Why a request is refused, in a sentence without foreign text; `undefined` if it is welcome. */
export function refusalOf(request: Request, allowedHosts: readonly string[]): string | undefined {
  const url = new URL(request.url);
  const host = (request.headers.get("host") ?? url.host).toLowerCase();
  if (!isAllowedHost(host, allowedHosts)) {
    return "Refused: the request names a host that is not this preview";
  }
  const origin = request.headers.get("origin")?.toLowerCase();
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return "Refused: the request comes from a page of another origin";
  }
  const site = request.headers.get("sec-fetch-site") ?? "none";
  if (site === "same-origin" || site === "none" || isNavigation(request, url)) return undefined;
  return "Refused: the request was made for a page of another site";
}

/** Somebody followed a link to the page; it shows them the page and does nothing. */
function isNavigation(request: Request, url: URL): boolean {
  return url.pathname === "/" && (request.method === "GET" || request.method === "HEAD") &&
    request.headers.get("sec-fetch-mode") === "navigate" &&
    request.headers.get("sec-fetch-dest") === "document";
}

function isAllowedHost(host: string, allowedHosts: readonly string[]): boolean {
  const name = host.replace(/:\d{1,5}$/, "");
  if (allowedHosts.includes(name)) return true;
  return allowedHosts.includes(ANY_ADDRESS) &&
    /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/.test(name);
}

const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/** Sent with every answer: nothing from elsewhere, nothing inline, no frames, no sniffing, nothing kept. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

/** Addresses that only programs of this machine can reach. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** A token that nobody guesses: 128 bits from the system's generator, in letters that need no escaping. */
export function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** Whether a request knows the token: by its cookie, by `?token=`, or as `Authorization: Bearer`. */
export function isTokenRight(request: Request, token: string): boolean {
  const { searchParams } = new URL(request.url);
  const name = cookieName(request);
  const cookies = (request.headers.get("cookie") ?? "").split(/;\s*/);
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const given = [
    searchParams.get("token"),
    ...cookies.filter((cookie) => cookie.startsWith(`${name}=`)).map((c) =>
      c.slice(name.length + 1)
    ),
    bearer,
  ];
  return given.some((text) => typeof text === "string" && isEqual(text, token));
}

/** The cookie by which the page's own requests carry the token; scripts cannot read it, other sites not send it. */
export function tokenCookie(request: Request, token: string): string {
  return `${cookieName(request)}=${token}; Path=/; HttpOnly; SameSite=Strict`;
}

/** Cookies do not know ports: two previews on one host must not take each other's. */
function cookieName(request: Request): string {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return `preview-${/:(\d{1,5})$/.exec(host)?.[1] ?? "80"}`;
}

/** Takes the same time wherever the difference is. */
function isEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) {
    difference |= a.charCodeAt(i % (a.length || 1)) ^ b.charCodeAt(i);
  }
  return difference === 0;
}
