/**
 * Frames made ready for RTP/JPEG in threads of their own, as far as the server was told to.
 *
 * Floor 4 (assembly). It joins `lib/jpeg.ts`, which knows what is to be done, and the image workers, which do it.
 *
 * @module
 */

import type { ImageWorker } from "../image/image.ts";
import {
  actionText,
  isLossless,
  needsPreparation,
  type PreparationOptions,
  type PreparedJpeg,
  type RepairAction,
} from "../jpeg.ts";

/** How often each thing was done to the frames of a stream. */
export type RepairCounts = Readonly<Partial<Record<RepairAction, number>>>;

/** Makes frames ready. */
export class FramePreparation {
  readonly #images: Pick<ImageWorker, "prepare">;
  readonly #options: PreparationOptions;

  /** Works in the threads of `images`, by the same options for all frames. */
  constructor(images: Pick<ImageWorker, "prepare">, options: PreparationOptions) {
    this.#images = images;
    this.#options = options;
  }

  /**
   * The frame, ready: the same octets at once where nothing is to be done.
   *
   * @throws {JpegFormatError} (rejects) where it is damaged or cannot be made ready.
   */
  prepare(jpeg: Uint8Array): Promise<PreparedJpeg> {
    try {
      if (!needsPreparation(jpeg, this.#options)) return Promise.resolve({ jpeg, actions: [] });
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#images.prepare(jpeg, this.#options);
  }
}

/** One more frame to which `actions` were done. */
export function countRepairs(
  counts: Partial<Record<RepairAction, number>>,
  actions: readonly RepairAction[],
): void {
  for (const action of actions) counts[action] = (counts[action] ?? 0) + 1;
}

/** What was done to how many frames, in words; empty where nothing was. */
export function repairText(counts: RepairCounts): string {
  const entries = Object.entries(counts) as [RepairAction, number][];
  if (entries.length === 0) return "";
  const text = entries.map(([action, count]) => `${count} ${actionText(action)}`).join(", ");
  return `${text}, ${
    entries.every(([action]) => isLossless(action)) ? "lossless" : "with some loss"
  }`;
}

/** What is done to each frame, in words. */
export function actionsText(actions: readonly RepairAction[]): string {
  const isWithoutLoss = actions.every(isLossless);
  return `${actions.map(actionText).join(", ")}, ${isWithoutLoss ? "lossless" : "with some loss"}`;
}
