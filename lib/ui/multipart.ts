/**
 * A motion JPEG for browsers: `multipart/x-mixed-replace`, each part one JPEG, untouched.
 *
 * Floor 3 (wall). RFC 2046 s5.1 for the parts; the subtype is Netscape's and in no RFC. A viewer who reads too slowly
 * loses frames, and gets the newest one as soon as there is room again; nobody else notices.
 *
 * @module
 */
import type { ReceivedFrame } from "../client/statistics.ts";

/** Where the frames come from. */
export interface FrameSource {
  /** The newest frame, `undefined` before the first. */
  latestFrame(): ReceivedFrame | undefined;
  /** Calls `listener` with each frame from now on; returns what ends that. */
  onFrame(listener: (frame: ReceivedFrame) => void): () => void;
}

/** The `Content-Type` of {@linkcode FrameStreams.open}. */
export const STREAM_CONTENT_TYPE = "multipart/x-mixed-replace; boundary=frame";

interface Viewer {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Number of the newest frame handed to the viewer. */
  sentNumber: number | undefined;
}

/** The viewers of one source. It listens to the source only while somebody watches. */
export class FrameStreams {
  readonly #source: FrameSource;
  readonly #maxViewers: number;
  readonly #viewers = new Set<Viewer>();
  #stopListening: (() => void) | undefined;
  #newestPart: { readonly frame: ReceivedFrame; readonly bytes: Uint8Array } | undefined;
  #skipped = 0;

  /** At most `maxViewers` at a time. */
  constructor(source: FrameSource, maxViewers: number) {
    this.#source = source;
    this.#maxViewers = maxViewers;
  }

  /** Streams open now. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Frames that were not sent to some viewer because it reads too slowly. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * A stream of parts for one more viewer, the newest frame first; `undefined` if there are too many. It ends when it
   * is cancelled or {@linkcode FrameStreams.close} is called.
   */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#viewers.size >= this.#maxViewers) return undefined;
    let viewer: Viewer;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        viewer = { controller, sentNumber: undefined };
        this.#viewers.add(viewer);
        this.#stopListening ??= this.#source.onFrame((frame) => this.#offerToAll(frame));
        controller.enqueue(FIRST_BOUNDARY);
        const latest = this.#source.latestFrame();
        if (latest) this.#offer(viewer, latest);
      },
      pull: () => {
        const latest = this.#source.latestFrame();
        if (latest && latest.number !== viewer.sentNumber) this.#offer(viewer, latest);
      },
      cancel: () => this.#remove(viewer),
    }, { highWaterMark: QUEUED_FRAMES });
  }

  /** Ends all streams. */
  close(): void {
    for (const viewer of this.#viewers) {
      this.#remove(viewer);
      viewer.controller.close();
    }
  }

  #offerToAll(frame: ReceivedFrame): void {
    for (const viewer of this.#viewers) this.#offer(viewer, frame);
  }

  #offer(viewer: Viewer, frame: ReceivedFrame): void {
    if ((viewer.controller.desiredSize ?? 0) <= 0) {
      this.#skipped++;
      return;
    }
    viewer.sentNumber = frame.number;
    viewer.controller.enqueue(this.#partOf(frame));
  }

  #remove(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#newestPart = undefined;
  }

  /** One chunk a frame, made once for all viewers. */
  #partOf(frame: ReceivedFrame): Uint8Array {
    if (this.#newestPart?.frame !== frame) {
      this.#newestPart = { frame, bytes: formatPart(frame) };
    }
    return this.#newestPart.bytes;
  }
}

/** The boundary follows its part at once: browsers show a part when they have seen its end. */
function formatPart(frame: ReceivedFrame): Uint8Array {
  const head = encoder.encode(
    `Content-Type: image/jpeg\r\nContent-Length: ${frame.jpeg.length}\r\n` +
      `X-Frame-Number: ${frame.number}\r\nX-Timestamp: ${frame.timestamp}\r\n\r\n`,
  );
  const part = new Uint8Array(head.length + frame.jpeg.length + NEXT_BOUNDARY.length);
  part.set(head);
  part.set(frame.jpeg, head.length);
  part.set(NEXT_BOUNDARY, head.length + frame.jpeg.length);
  return part;
}

const encoder = new TextEncoder();
const FIRST_BOUNDARY = encoder.encode("--frame\r\n");
const NEXT_BOUNDARY = encoder.encode("\r\n--frame\r\n");
// The system's socket buffer holds some megabytes more; a third frame here would only add delay.
const QUEUED_FRAMES = 2;
