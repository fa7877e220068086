/** Octets as base64 (RFC 4648 s4), for what the fakes tell a page. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (octet) => String.fromCharCode(octet)).join(""));
}
