/**
 * What is wrong with a container, as an error; four characters as text; numbers of either byte order.
 *
 * Floor 1: shapes only.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import type { FrameFileFault } from "./frame_index.ts";

/** An error that names the container, the reason and the place. */
export function containerFault(
  container: string,
  reason: string,
  place: { readonly code: FrameFileFault; readonly offset: number },
): FrameFileError {
  return new FrameFileError(`Cannot read file as ${container}: ${reason}`, {
    ...place,
    rfc: container,
  });
}

/** Four octets as the characters they stand for; what cannot be shown becomes a question mark. */
export function fourCharacters(octets: Uint8Array, at: number): string {
  let text = "";
  for (let i = at; i < at + 4; i++) {
    const octet = octets[i] ?? 0;
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : "?";
  }
  return text;
}

/** 32 bits, least significant octet first; 0 beyond the end. */
export function littleEndian32(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) | (octets[at + 1] ?? 0) << 8 | (octets[at + 2] ?? 0) << 16 |
    (octets[at + 3] ?? 0) << 24) >>> 0;
}

/** 16 bits, least significant octet first; 0 beyond the end. */
export function littleEndian16(octets: Uint8Array, at: number): number {
  return (octets[at] ?? 0) | (octets[at + 1] ?? 0) << 8;
}

/** 64 bits, least significant octet first; exact below 2^53. */
export function littleEndian64(octets: Uint8Array, at: number): number {
  return littleEndian32(octets, at + 4) * 2 ** 32 + littleEndian32(octets, at);
}

/** 32 bits, most significant octet first; 0 beyond the end. */
export function bigEndian32(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 24 | (octets[at + 1] ?? 0) << 16 | (octets[at + 2] ?? 0) << 8 |
    (octets[at + 3] ?? 0)) >>> 0;
}

/** 64 bits, most significant octet first; exact below 2^53. */
export function bigEndian64(octets: Uint8Array, at: number): number {
  return bigEndian32(octets, at) * 2 ** 32 + bigEndian32(octets, at + 4);
}
