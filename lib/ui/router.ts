/**
 * From a request to the route that answers it: who may ask, by which method, and with which proof.
 *
 * Floor 3 (wall). RFC 9110, RFC 6265 (the cookie that carries the token). It knows no route by name.
 *
 * @module
 */
import { PAGE_FILES, type PageFile } from "./page_files.ts";
import { isTokenRight, refusalOf, SECURITY_HEADERS, tokenCookie } from "./request_guard.ts";
import { textResponse } from "./responses.ts";

/** One thing that can be asked for. */
export interface Route {
  /** The one method; `GET` includes `HEAD`. */
  readonly method: "GET" | "POST";
  /** Answers. */
  readonly answer: (request: Request) => Response | Promise<Response>;
  /**
   * Whether only pages of the preview itself may ask: by JSON and the header `X-Preview: 1`, which no page of another
   * origin can send. @default {false}
   */
  readonly isForPageOnly?: boolean;
}

/** Who may ask. */
export interface RouterOptions {
  /** Hosts that requests may name, see `allowedHostsOf()`. */
  readonly allowedHosts: readonly string[];
  /** What everybody has to know, where the preview is bound to more than this machine. @default {nothing} */
  readonly token?: string;
  /** Told of errors that are our own; the browser only sees "Internal error". */
  readonly onError?: (error: unknown) => void;
}

/** A route that is asked for with GET. */
export function get(answer: Route["answer"]): Route {
  return { method: "GET", answer };
}

/** A route that is asked for with POST. */
export function post(answer: Route["answer"]): Route {
  return { method: "POST", answer };
}

/** The page's own files as routes. */
export function pageRoutes(): [path: string, route: Route][] {
  return PAGE_FILES.map((file) => [file.path, get(() => fileResponse(file))]);
}

/** Answers requests by these routes; never rejects. */
export function createRouter(
  routes: ReadonlyMap<string, Route>,
  options: RouterOptions,
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await answer(request, routes, options);
    } catch (error) {
      options.onError?.(error);
      return textResponse(500, "Internal error");
    }
  };
}

async function answer(
  request: Request,
  routes: ReadonlyMap<string, Route>,
  { allowedHosts, token }: RouterOptions,
): Promise<Response> {
  const refusal = refusalOf(request, allowedHosts);
  if (refusal !== undefined) return textResponse(403, refusal);
  if (token !== undefined && !isTokenRight(request, token)) {
    return textResponse(403, "Refused: use the whole address that the program printed");
  }
  const { pathname, searchParams } = new URL(request.url);
  const route = routes.get(pathname);
  if (!route) return textResponse(404, "Nothing here; the preview is at /");
  const isHead = request.method === "HEAD";
  if (request.method !== route.method && !(isHead && route.method === "GET")) {
    const allow = route.method === "GET" ? "GET, HEAD" : "POST";
    return textResponse(405, `Use ${allow} here`, { allow });
  }
  if (route.isForPageOnly && !isFromPage(request)) {
    return textResponse(403, "Refused: send JSON and the header X-Preview: 1");
  }
  const response = await route.answer(request);
  if (token !== undefined && pathname === "/" && searchParams.has("token")) {
    response.headers.append("set-cookie", tokenCookie(request, token));
  }
  return isHead ? new Response(null, response) : response;
}

function isFromPage({ headers }: Request): boolean {
  const type = headers.get("content-type") ?? "";
  return headers.get("x-preview") === "1" && /^application\/json\b/i.test(type);
}

/** The JSON of a request, of an object; `undefined` for anything else, and for more than 16 KiB. */
export async function jsonOf(request: Request): Promise<Record<string, unknown> | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.length;
    if (size > MAX_BODY_BYTES) return undefined;
    pieces.push(piece);
  }
  try {
    const value: unknown = JSON.parse(await new Blob(pieces as BlobPart[]).text());
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

const MAX_BODY_BYTES = 16_384;

function fileResponse({ text, contentType }: PageFile): Response {
  return new Response(text, { headers: { ...SECURITY_HEADERS, "content-type": contentType } });
}
