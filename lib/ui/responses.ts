/**
 * The kinds of answers that the preview gives, each with the headers that keep foreign pages out.
 *
 * Floor 3 (wall). RFC 9110.
 *
 * @module
 */
import { SECURITY_HEADERS } from "./request_guard.ts";

/** A value as JSON. */
export function jsonResponse(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value) + "\n", {
    status,
    headers: { ...SECURITY_HEADERS, "content-type": "application/json" },
  });
}

/** A sentence as plain text. */
export function textResponse(
  status: number,
  sentence: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(sentence + "\n", {
    status,
    headers: { ...SECURITY_HEADERS, ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}

/** Octets of a kind that the headers name. */
export function bytesResponse(bytes: Uint8Array, headers: Record<string, string>): Response {
  const body = bytes as Uint8Array<ArrayBuffer>; // never shared memory
  return new Response(body, { headers: { ...SECURITY_HEADERS, ...headers } });
}

/** A file to be saved. */
export function attachmentResponse(
  body: string | Blob,
  file: { readonly name: string; readonly contentType: string },
): Response {
  const { name, contentType } = file;
  return new Response(body, {
    headers: {
      ...SECURITY_HEADERS,
      "content-type": contentType,
      "content-disposition": `attachment; filename="${name}"`,
    },
  });
}

/** A stream that goes on; `open` returns `undefined` when there are too many. */
export function streamResponse(
  request: Request,
  headers: Record<string, string>,
  open: () => ReadableStream<Uint8Array> | undefined,
): Response {
  const allHeaders = { ...SECURITY_HEADERS, ...headers };
  if (request.method === "HEAD") return new Response(null, { headers: allHeaders });
  const stream = open();
  if (stream) return new Response(stream, { headers: allHeaders });
  return textResponse(503, "Too many viewers: close another window of the preview", {
    "retry-after": "5",
  });
}
