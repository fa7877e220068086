/**
 * A movie file that grows while it is read: looks for what was appended, and notices when it is no longer the same file.
 *
 * Floor 3: reads files; when to look is the caller's to decide. It does not wait, and keeps no octets.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import { type GrowingFileIndexer, growingIndexerFor } from "../frames/growing_file.ts";
import { HEAD_BYTES } from "../frames/frame_format.ts";
import type { FrameIndex } from "../frames/frame_index.ts";
import { readFully } from "./frame_reader.ts";

/** Indexes a file again and again, each time what was appended to it. */
export class FollowedFile {
  readonly #path: string | URL;
  readonly #file: Deno.FsFile;
  readonly #indexer: GrowingFileIndexer;
  readonly #identity: string;
  #size = 0;

  private constructor(
    path: string | URL,
    file: Deno.FsFile,
    indexer: GrowingFileIndexer,
    info: Deno.FileInfo,
  ) {
    this.#path = path;
    this.#file = file;
    this.#indexer = indexer;
    this.#identity = identityOf(info);
  }

  /**
   * Indexes what there is of an open file; `undefined` where its format cannot be followed.
   *
   * @throws {FrameFileError} `no-frame` when no frame of it is whole yet.
   */
  static async open(
    path: string | URL,
    file: Deno.FsFile,
    options: { readonly boundary?: string } = {},
  ): Promise<FollowedFile | undefined> {
    const info = await file.stat();
    const head = new Uint8Array(Math.min(HEAD_BYTES, info.size));
    const headSize = await readFully(file, 0, head);
    const indexer = growingIndexerFor(head.subarray(0, headSize), options);
    if (indexer === undefined) return undefined;
    const followed = new FollowedFile(path, file, indexer, info);
    await followed.#read(info.size);
    if (indexer.index.frameCount > 0) return followed;
    throw new FrameFileError(
      `Cannot read file as Motion-JPEG: none of its frames is whole yet, it has ${info.size} octets`,
      { code: "no-frame", offset: 0, rfc: "T.81 Annex B" },
    );
  }

  /** Where its frames stand: one object, whose numbers grow. */
  get index(): FrameIndex {
    return this.#indexer.index;
  }

  /**
   * Indexes what was appended. One call at a time, and none while its frames are read: they share a file position.
   *
   * @returns whether there are more frames than before.
   * @throws {FrameFileError} `file-changed` when it was truncated, written anew, removed or replaced.
   */
  async grow(): Promise<boolean> {
    const info = await this.#stat();
    if (identityOf(info) !== this.#identity) this.#complain("another file took its place");
    const { size } = info;
    if (size < this.#size) this.#complain(`it shrank from ${this.#size} to ${size} octets`);
    if (size === this.#size) return false;
    if (!(await this.#hasLastFrame())) this.#complain("it was written anew");
    const before = this.index.frameCount;
    await this.#read(size);
    return this.index.frameCount > before;
  }

  async #read(size: number): Promise<void> {
    const indexer = this.#indexer;
    this.#size = size;
    indexer.grow(size);
    const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(0, size - indexer.position)));
    while (indexer.position < size) {
      const at = indexer.position;
      const rest = buffer.length > 0 ? buffer : new Uint8Array(READ_BYTES);
      const got = await readFully(
        this.#file,
        at,
        rest.subarray(0, Math.min(rest.length, size - at)),
      );
      if (got === 0) this.#complain(`it ends at octet ${at} of ${size}`);
      indexer.push(rest.subarray(0, got));
    }
  }

  /** Whether the newest frame still begins where it did: a file that is written anew rarely has one just there. */
  async #hasLastFrame(): Promise<boolean> {
    const { index } = this, last = index.frameCount - 1;
    const start = new Uint8Array(2);
    await readFully(this.#file, index.offsetOf(last), start);
    return start[0] === 0xff && start[1] === 0xd8;
  }

  async #stat(): Promise<Deno.FileInfo> {
    try {
      return await Deno.stat(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return this.#complain("it was removed");
    }
  }

  #complain(reason: string): never {
    throw new FrameFileError(`Cannot read file further: ${reason}`, {
      ...{ code: "file-changed", offset: this.#size, rfc: "Motion-JPEG" },
    });
  }
}

/** Empty where the system does not tell files apart by numbers. */
function identityOf({ dev, ino }: Deno.FileInfo): string {
  return ino === null ? "" : `${dev} ${ino}`;
}

/** Octets read at once. */
const READ_BYTES = 1 << 20;
