/**
 * The one writer of an RTSP connection: answers in order, and between them the newest frame of each interleaved stream.
 *
 * Floor 4 (assembly). RFC 2326 s10.12. A reader that is slower than the film gets fewer frames, never torn or stale
 * ones: a frame that could not be begun before the next one is ready is given up. It knows nothing of RTP.
 *
 * @module
 */

import type { ByteStream } from "../net/socket.ts";

/** Something that has bytes to write when the connection is free: one stream's newest frame. */
export interface WriteSource {
  /** The bytes, borrowed until anything else happens; `undefined` when there is nothing (any more). */
  takeBytes(): Uint8Array | undefined;
}

interface Message {
  readonly bytes: Uint8Array;
  readonly whenSent: (() => void) | undefined;
}

/** Writes to a connection, one write at a time. */
export class ConnectionWriter {
  readonly #stream: ByteStream;
  readonly #onBroken: (error: unknown) => void;
  readonly #now: () => number;
  readonly #onWait: (() => void) | undefined;
  readonly #messages: Message[] = [];
  readonly #sources: WriteSource[] = [];
  #queuedBytes = 0;
  #isPumping = false;
  /** Others need not know their descriptor. */
  #carriesFrames = false;
  #isClosed = false;
  #writeBeganMs: number | undefined;
  readonly #whenIdle: (() => void)[] = [];
  /** What the system has not taken at once of a frame: others stamp the frame before it is written. */
  #rest = NOTHING;

  /**
   * `onBroken` is called once, when a write fails or too much waits to be written; `onWait` when a write begins that
   * promises must settle for.
   */
  constructor(
    stream: ByteStream,
    options: {
      readonly now: () => number;
      readonly onBroken: (error: unknown) => void;
      readonly onWait?: () => void;
    },
  ) {
    this.#stream = stream;
    this.#now = options.now;
    this.#onWait = options.onWait;
    this.#onBroken = options.onBroken;
  }

  /** For how long the write under way has been waiting at `now`, in ms; 0 when none is. */
  stalledMs(now: number): number {
    return this.#writeBeganMs === undefined ? 0 : now - this.#writeBeganMs;
  }

  /** Octets of messages that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Writes a message after those that wait already, in a write of its own. The bytes must not change any more.
   *
   * @param whenSent Called once the system has taken the bytes.
   */
  write(bytes: Uint8Array, whenSent?: () => void): void {
    if (this.#isClosed) return;
    if (this.#queuedBytes + bytes.length > MAX_QUEUED_BYTES) {
      this.#break(new Error(`More than ${MAX_QUEUED_BYTES} bytes wait to be read by the client`));
      return;
    }
    this.#queuedBytes += bytes.length;
    this.#messages.push({ bytes, whenSent });
    this.#pump();
  }

  /** Says that a source has something newer to write; it is asked once the connection is free. */
  offer(source: WriteSource): void {
    if (this.#isClosed || this.#sources.includes(source)) return;
    this.#carriesFrames = true;
    this.#sources.push(source);
    this.#pump();
  }

  /** Takes back an offer. */
  withdraw(source: WriteSource): void {
    const index = this.#sources.indexOf(source);
    if (index >= 0) this.#sources.splice(index, 1);
  }

  /** Settles once everything given so far has been written, or the writer is closed. */
  async flushed(): Promise<void> {
    if (!this.#isPumping || this.#isClosed) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Writes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#messages.length = 0;
    this.#sources.length = 0;
    this.#tellIdle();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    const next = this.#carriesFrames ? this.#writeNow() : this.#next();
    if (next === undefined) return this.#becomeIdle();
    this.#onWait?.();
    this.#pumpFrom(next);
  }

  /**
   * What the system takes at once, the ordinary case, needs no promise: no frame waits for one to settle.
   *
   * @returns what could not be written at once.
   */
  #writeNow(): Message | undefined {
    if (this.#stream.writeNow === undefined) return this.#next();
    for (let message = this.#nextMessage(); message !== undefined; message = this.#nextMessage()) {
      const { bytes, whenSent } = message;
      const taken = this.#stream.writeNow(bytes);
      if (taken < bytes.length) return { bytes: bytes.subarray(taken), whenSent };
      if (whenSent !== undefined) queueMicrotask(whenSent);
    }
    for (let bytes = this.#nextFrame(); bytes !== undefined; bytes = this.#nextFrame()) {
      const taken = this.#stream.writeNow(bytes);
      if (taken < bytes.length) return this.#keep(bytes.subarray(taken));
    }
    return undefined;
  }

  async #pumpFrom(first: Message): Promise<void> {
    try {
      for (let next: Message | undefined = first; next !== undefined; next = this.#next()) {
        this.#writeBeganMs = this.#now();
        await this.#stream.write(next.bytes);
        this.#writeBeganMs = undefined;
        next.whenSent?.();
      }
    } catch (error) {
      this.#break(error);
    } finally {
      this.#writeBeganMs = undefined;
      this.#becomeIdle();
    }
  }

  #becomeIdle(): void {
    this.#isPumping = false;
    // What takes frames at once seldom leaves a rest: memory for one is not kept for each reader.
    if (this.#stream.writeNow !== undefined) this.#rest = NOTHING;
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #next(): Message | undefined {
    if (this.#isClosed) return undefined;
    const message = this.#nextMessage();
    if (message !== undefined) return message;
    const bytes = this.#nextFrame();
    return bytes && this.#keep(bytes);
  }

  #keep(bytes: Uint8Array): Message {
    if (this.#rest.length < bytes.length) this.#rest = new Uint8Array(bytes.length * 1.25);
    this.#rest.set(bytes);
    return { bytes: this.#rest.subarray(0, bytes.length), whenSent: undefined };
  }

  #nextMessage(): Message | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#queuedBytes -= message.bytes.length;
    return message;
  }

  #nextFrame(): Uint8Array | undefined {
    while (this.#sources.length > 0) {
      const bytes = this.#sources.shift()!.takeBytes();
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  #break(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#onBroken(error);
  }
}

const NOTHING = new Uint8Array(0);
/** Answers and reports that wait; far more than a client that reads ever leaves. */
const MAX_QUEUED_BYTES = 256 << 10;
