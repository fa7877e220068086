/**
 * JPEG pictures turned into PNG, into smaller JPEGs, or into such as RTP/JPEG can carry, by worker threads, so that this
 * never delays a socket.
 *
 * Floor 3 (wall). imagescript is loaded by the workers alone, never by the program; they start with the first picture.
 * What it does not do: it writes no files, and it cannot be used for JPEGs that RFC 2435 shall carry (see
 * {@linkcode ImageWorker.fit}).
 *
 * @module
 */
import { JpegFormatError, StateError, TransportError } from "../errors.ts";
import type { PreparationOptions, PreparedJpeg } from "../jpeg.ts";
import { BACKGROUND, type ImageAnswer, type ImageJob, type ImageResult } from "./image_job.ts";

/** Settings of {@linkcode ImageWorker}. */
export interface ImageWorkerOptions {
  /** Threads, at least 1. @default {processors - 1, at least 1} */
  readonly threads?: number;
  /** Whether other threads come first where processors are short: Linux, `--allow-ffi`. @default {false} */
  readonly isBackground?: boolean;
}

interface PendingJob {
  readonly job: ImageJob;
  readonly resolve: (result: ImageResult) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  current: PendingJob | undefined;
}

/**
 * A small pool of threads for pictures. Jobs start in the order they were given.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { JpegFormatError } from "../errors.ts";
 * using images = new ImageWorker();
 * await assertRejects(() => images.toPng(new Uint8Array([0xff, 0xd8])), JpegFormatError);
 * ```
 */
export class ImageWorker implements Disposable {
  readonly #maxThreads: number;
  readonly #name: string | undefined;
  readonly #threads = new Set<Thread>();
  readonly #queue: PendingJob[] = [];
  #nextId = 1;
  #isClosed = false;

  /** Makes a pool without threads; they are started when pictures come. */
  constructor(options: ImageWorkerOptions = {}) {
    this.#maxThreads = Math.max(1, options.threads ?? navigator.hardwareConcurrency - 1);
    this.#name = options.isBackground ? BACKGROUND : undefined;
  }

  /**
   * The picture as PNG, without loss: the pixels are those of imagescript's `Image.decode`. `jpeg` is copied at once
   * and stays the caller's.
   *
   * @throws {JpegFormatError} (rejects) if the picture cannot be decoded or has too many pixels.
   * @throws {TransportError} (rejects) if the thread cannot be started or ended unexpectedly.
   * @throws {StateError} (rejects) if the pool is closed before the picture is done.
   */
  async toPng(jpeg: Uint8Array): Promise<Uint8Array> {
    return (await this.#submit({ id: this.#nextId++, kind: "png", jpeg: jpeg.slice() })).bytes;
  }

  /**
   * A JPEG of the same picture that is at most `maxBytes` long: `jpeg` again if it fits already, otherwise encoded
   * anew, coarser and at last smaller. The same arguments give the same bytes. The new JPEG is not subsampled (4:4:4),
   * a form that RFC 2435 cannot describe: it is for the lab's dialect, where a datagram holds a whole picture.
   *
   * @throws {JpegFormatError} (rejects) if the picture cannot be decoded or cannot be made to fit.
   * @throws {TransportError} (rejects) as {@linkcode ImageWorker.toPng}.
   * @throws {StateError} (rejects) as {@linkcode ImageWorker.toPng}.
   */
  async fit(jpeg: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    if (jpeg.length <= maxBytes) return jpeg;
    const job: ImageJob = { id: this.#nextId++, kind: "fit", jpeg: jpeg.slice(), maxBytes };
    return (await this.#submit(job)).bytes;
  }

  /**
   * The picture made ready for RTP/JPEG, as `prepareJpeg()` of `lib/jpeg.ts` does it.
   *
   * @throws {JpegFormatError} (rejects) if the picture is damaged or cannot be made ready at this level.
   * @throws {TransportError} (rejects) as {@linkcode ImageWorker.toPng}.
   * @throws {StateError} (rejects) as {@linkcode ImageWorker.toPng}.
   */
  async prepare(jpeg: Uint8Array, options: PreparationOptions = {}): Promise<PreparedJpeg> {
    const job: ImageJob = { id: this.#nextId++, kind: "prepare", jpeg: jpeg.slice(), options };
    const { bytes, actions = [] } = await this.#submit(job);
    return { jpeg: bytes, actions };
  }

  /** Ends all threads. Pictures that are not done are rejected. */
  close(): void {
    this.#isClosed = true;
    const unfinished = [...this.#threads].map((thread) => thread.current).concat(this.#queue);
    for (const thread of this.#threads) thread.worker.terminate();
    this.#threads.clear();
    this.#queue.length = 0;
    for (const pending of unfinished) pending?.reject(closedError());
  }

  /** See {@linkcode ImageWorker.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #submit(job: ImageJob): Promise<ImageResult> {
    if (this.#isClosed) return Promise.reject(closedError());
    const { promise, resolve, reject } = Promise.withResolvers<ImageResult>();
    this.#queue.push({ job, resolve, reject });
    this.#dispatch();
    return promise;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idleThread();
      if (!thread) return;
      const pending = this.#queue.shift()!;
      thread.current = pending;
      thread.worker.postMessage(pending.job, [pending.job.jpeg.buffer as ArrayBuffer]);
    }
  }

  #idleThread(): Thread | undefined {
    for (const thread of this.#threads) if (!thread.current) return thread;
    return this.#threads.size < this.#maxThreads ? this.#startThread() : undefined;
  }

  #startThread(): Thread {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"; // a bundle's worker is JavaScript
    const url = new URL(`./image_worker.${extension}`, import.meta.url);
    const worker = new Worker(url, { type: "module", name: this.#name });
    const thread: Thread = { worker, current: undefined };
    thread.worker.addEventListener("message", (event: MessageEvent<ImageAnswer>) => {
      const pending = thread.current;
      thread.current = undefined;
      if (pending) settle(pending, event.data);
      this.#dispatch();
    });
    thread.worker.addEventListener("error", (event) => {
      event.preventDefault(); // otherwise the error ends the program
      this.#threads.delete(thread);
      thread.worker.terminate();
      thread.current?.reject(
        new TransportError(`Cannot decode picture: the worker ended, ${event.message}`, {
          operation: "decode",
          cause: event.error,
        }),
      );
      thread.current = undefined;
      if (!this.#isClosed) this.#dispatch();
    });
    this.#threads.add(thread);
    return thread;
  }
}

function settle(pending: PendingJob, answer: ImageAnswer): void {
  if ("bytes" in answer) return pending.resolve(answer);
  if (answer.code === undefined) {
    return pending.reject(new TransportError(answer.error, { operation: "decode" }));
  }
  const { code, offset } = answer;
  pending.reject(new JpegFormatError(answer.error, { code, offset, rfc: "T.81" }));
}

function closedError(): StateError {
  return new StateError("Cannot convert picture: the image workers are closed", {
    state: "closed",
    allowed: [],
  });
}
