/** A player without a network: the tests say what comes and what the server answers. */
import type { ReceivedFrame } from "../../lib/client/statistics.ts";
import { StateError } from "../../lib/errors.ts";
import type { PreviewPlayer, PreviewSnapshot, PreviewVerb } from "../../lib/ui/preview.ts";

const ALLOWED = {
  INIT: ["setup"],
  READY: ["play", "teardown"],
  PLAYING: ["pause", "teardown"],
} as const;
const NEXT_STATE = { setup: "READY", play: "PLAYING", pause: "READY", teardown: "INIT" } as const;

export class FakePlayer implements PreviewPlayer {
  state: "INIT" | "READY" | "PLAYING" = "INIT";
  frame: ReceivedFrame | undefined;
  /** Fields of the statistics that differ from those of a player that has just started. */
  statistics: Partial<PreviewSnapshot> = {};
  /** Commands in the order they were carried out. */
  readonly commands: PreviewVerb[] = [];
  /** What the server does with the next command. */
  serverAnswers: (verb: PreviewVerb) => Promise<void> = () => Promise.resolve();
  /** Step mode, where a test wants one. */
  step: PreviewPlayer["step"];
  readonly frameListeners = new Set<(frame: ReceivedFrame) => void>();
  readonly changeListeners = new Set<() => void>();

  snapshot(): PreviewSnapshot {
    return {
      state: this.state,
      allowed: ALLOWED[this.state],
      frames: 0,
      packets: 0,
      bytes: 0,
      lost: 0,
      duplicates: 0,
      reordered: 0,
      late: 0,
      lossRatio: 0,
      jitterMs: 0,
      frameRate: 0,
      bitRate: 0,
      firstFrameMs: null,
      durationSeconds: 0,
      errors: [],
      framesDropped: 0,
      malformed: 0,
      url: "rtsp://127.0.0.1:8554/video.mjpeg",
      dialect: "lab",
      transport: "udp",
      width: this.frame ? 320 : null,
      height: this.frame ? 240 : null,
      ...this.statistics,
    };
  }

  async command(verb: PreviewVerb): Promise<void> {
    const allowed: readonly PreviewVerb[] = ALLOWED[this.state];
    if (!allowed.includes(verb)) {
      throw new StateError(`Cannot ${verb}`, { state: this.state, allowed });
    }
    await this.serverAnswers(verb);
    this.commands.push(verb);
    this.state = NEXT_STATE[verb];
    this.change();
  }

  latestFrame(): ReceivedFrame | undefined {
    return this.frame;
  }

  onFrame(listener: (frame: ReceivedFrame) => void): () => void {
    this.frameListeners.add(listener);
    return () => this.frameListeners.delete(listener);
  }

  onChange(listener: () => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  /** Something may have changed. */
  change(): void {
    for (const listener of this.changeListeners) listener();
  }

  /** A frame comes from the network. */
  receive(jpeg: Uint8Array, number = (this.frame?.number ?? 0) + 1): ReceivedFrame {
    const frame = { jpeg, number, timestamp: number * 3600, arrivalMs: number * 40 };
    this.frame = frame;
    for (const listener of this.frameListeners) listener(frame);
    return frame;
  }
}
