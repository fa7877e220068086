/**
 * Writes tar archives that depend on nothing but their contents: no owner, no clock, entries in the order given.
 *
 * The format is ustar (POSIX.1-1988), which every `tar` reads. Only files and folders, names up to 100 octets.
 *
 * @module
 */

/** One file of an archive. */
export interface TarFile {
  /** Path inside the archive, with forward slashes, at most 100 octets. */
  readonly path: string;
  /** Contents. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Whether the file may be run. @default {false} */
  readonly isExecutable?: boolean;
}

/** Tar counts in blocks of 512 octets. */
const BLOCK_SIZE = 512;
/** One moment for all entries, 2000-01-01: the same input gives the same octets on every day. */
const TIME_OF_ALL_ENTRIES_S = 946_684_800;

/**
 * The octets of an archive, piece by piece: the large ones are the callers' own arrays, not copies.
 *
 * @throws {RangeError} where a path is longer than 100 octets.
 */
export function* tarPieces(files: readonly TarFile[]): Generator<Uint8Array<ArrayBuffer>> {
  const folders = new Set<string>();
  for (const file of files) {
    const parts = file.path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/") + "/";
      if (folders.has(folder)) continue;
      folders.add(folder);
      yield tarHeader({ path: folder, size: 0, mode: 0o755, type: "5" });
    }
    const mode = file.isExecutable ? 0o755 : 0o644;
    yield tarHeader({ path: file.path, size: file.data.length, mode, type: "0" });
    yield file.data;
    yield new Uint8Array((BLOCK_SIZE - file.data.length % BLOCK_SIZE) % BLOCK_SIZE);
  }
  yield new Uint8Array(2 * BLOCK_SIZE);
}

interface Entry {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly type: "0" | "5";
}

/** POSIX.1-1988 header: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, … magic at 257. */
function tarHeader({ path, size, mode, type }: Entry): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK_SIZE);
  const put = (offset: number, text: string) => header.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  const name = new TextEncoder().encode(path);
  if (name.length > 100) {
    throw new RangeError(`Cannot archive "${path}": name of ${name.length} octets, tar allows 100`);
  }
  header.set(name, 0);
  put(100, `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`);
  put(124, `${octal(size, 11)}\0${octal(TIME_OF_ALL_ENTRIES_S, 11)}\0`);
  put(148, "        "); // the checksum counts itself as blanks
  put(156, type);
  put(257, "ustar\0" + "00");
  put(148, `${octal(header.reduce((sum, octet) => sum + octet, 0), 6)}\0 `);
  return header;
}
