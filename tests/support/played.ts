/**
 * Our own client, played from the first frame to the end of the film.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { RtspClient } from "../../lib/client/client.ts";
import type { RtspClientEvent } from "../../lib/client/events.ts";
import type { RtspClientOptions } from "../../lib/client/options.ts";
import type { ClientStatistics, ReceivedFrame } from "../../lib/client/statistics.ts";

/** What one client saw. */
export interface Played {
  /** Every frame it delivered. */
  readonly frames: readonly ReceivedFrame[];
  /** What it had counted when the film was over. */
  readonly statistics: ClientStatistics;
  /** Everything it told, frames excepted. */
  readonly events: readonly RtspClientEvent[];
}

/** Sets up, plays to the end of the film, tears down; fails when one of them takes longer than `limitMs`. */
export async function playToEnd(
  options: RtspClientOptions,
  { limitMs = 60_000, onFrame }: { limitMs?: number; onFrame?: () => void } = {},
): Promise<Played> {
  const events: RtspClientEvent[] = [];
  const frames: ReceivedFrame[] = [];
  await using client = new RtspClient(options);
  const stop = client.on((event) => {
    if (event.type === "frame") {
      frames.push(event.frame);
      onFrame?.();
    } else events.push(event);
  });
  const ended = new Promise<void>((resolve, reject) => {
    client.on((event) => {
      if (event.type === "end") resolve();
      if (event.type === "error") reject(event.error);
    });
  });
  // Nobody may be waiting yet when the film fails early.
  ended.catch(() => {});
  await deadline(client.setup(), limitMs);
  await deadline(client.play(), limitMs);
  await deadline(ended, limitMs);
  const statistics = client.statistics();
  await deadline(client.teardown(), limitMs);
  stop();
  return { frames, statistics, events };
}

/** The frames' octets alone. */
export function jpegsOf(played: Played): Uint8Array[] {
  return played.frames.map((frame) => frame.jpeg);
}
