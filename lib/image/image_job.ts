/**
 * What the program and its image workers say to one another.
 *
 * Floor 3 (wall), types and a name.
 *
 * @module
 */

import type { PreparationOptions, RepairAction } from "../jpeg.ts";

/** Name of workers that other threads come before. */
export const BACKGROUND = "background";

/** What a worker is asked for. The bytes are the worker's from then on. */
export type ImageJob =
  | { readonly id: number; readonly kind: "png"; readonly jpeg: Uint8Array }
  | {
    readonly id: number;
    readonly kind: "fit";
    readonly jpeg: Uint8Array;
    readonly maxBytes: number;
  }
  | {
    readonly id: number;
    readonly kind: "prepare";
    readonly jpeg: Uint8Array;
    readonly options: PreparationOptions;
  };

/** The picture that a worker made, and what was done to it where that is asked. */
export interface ImageResult {
  /** The job's number. */
  readonly id: number;
  /** The picture. */
  readonly bytes: Uint8Array;
  /** What was done to make it ready for RTP/JPEG. */
  readonly actions?: readonly RepairAction[];
}

/** What a worker answers: the picture, or a sentence; `code` marks a fault of the picture, at `offset`. */
export type ImageAnswer = ImageResult | {
  readonly id: number;
  readonly error: string;
  readonly code: string | undefined;
  readonly offset: number;
};
