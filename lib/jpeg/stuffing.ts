/**
 * Byte stuffing: behind each FF of entropy-coded data stands a 00, so that no marker comes about by chance.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 F.1.2.3, B.1.1.5}.
 *
 * Floor 1. Both loops look at each octet once, which measured faster than searching for FF and copying pieces.
 *
 * @module
 */

/**
 * Copies the data that starts at `start` into `target`, which must have room for them, without the stuffing.
 *
 * @returns how many octets were written, and where the marker stands that ends the data, or the end of `data`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { copyUnstuffed } from "./stuffing.ts";
 *
 * const target = new Uint8Array(4), data = Uint8Array.of(1, 0xff, 0x00, 2, 0xff, 0xd9);
 * assertEquals(copyUnstuffed(data, 0, target), { size: 3, end: 4 });
 * assertEquals(target, Uint8Array.of(1, 0xff, 2, 0));
 * ```
 */
export function copyUnstuffed(
  data: Uint8Array,
  start: number,
  target: Uint8Array,
): { size: number; end: number } {
  let size = 0, end = start;
  for (; end < data.length; end++) {
    const octet = data[end];
    if (octet === 0xff) {
      let marker = end + 1;
      while (marker < data.length && data[marker] === 0xff) marker++;
      if (marker < data.length && data[marker] !== 0) break;
      end = marker;
    }
    target[size++] = octet;
  }
  return { size, end };
}

/**
 * Copies `data` into `target` from `at` on, with stuffing: it must have room for twice as many.
 *
 * @returns the place behind the last octet written.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { copyStuffed } from "./stuffing.ts";
 *
 * const target = new Uint8Array(4);
 * assertEquals(copyStuffed(Uint8Array.of(0xff, 7), target, 1), 4);
 * assertEquals(target, Uint8Array.of(0, 0xff, 0, 7));
 * ```
 */
export function copyStuffed(data: Uint8Array, target: Uint8Array, at: number): number {
  let end = at;
  for (let i = 0; i < data.length; i++) {
    const octet = data[i];
    target[end++] = octet;
    if (octet === 0xff) target[end++] = 0;
  }
  return end;
}

/** Where the data that start at `start` end: at a marker, restart markers included, or at the end of `data`. */
export function stuffedEnd(data: Uint8Array, start: number): number {
  let end = data.indexOf(0xff, start);
  while (end >= 0) {
    let after = end + 1;
    while (data[after] === 0xff) after++;
    if (after < data.length && data[after] !== 0) return end;
    end = data.indexOf(0xff, after + 1);
  }
  return data.length;
}
