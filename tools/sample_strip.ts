/**
 * The frame number that a machine can read: a strip of black and white blocks along the lower edge of each frame of
 * `media/video.mjpeg`.
 *
 * Twenty-four cells, each one twenty-fourth of the width and one thirty-sixth of the height: white, black, sixteen bits
 * of the frame number (from 1, most significant first, white is 1), four bits of check (the exclusive or of the number's
 * four nibbles), black, white. Read it in the middle of each cell: a picture that is cut short, mixed from two frames or
 * no frame of this film gives no number.
 *
 * @module
 */

/** Number of cells in the strip. */
export const STRIP_CELLS = 24;
/** Height of the strip as a part of the picture's height. */
export const STRIP_HEIGHT_RATIO = 1 / 36;

const NUMBER_BITS = 16;
const CHECK_BITS = 4;
const FIRST_BIT_CELL = 2;
const DARK_BELOW = 96;
const BRIGHT_ABOVE = 160;

/** The cells for `frameNumber` (1 to 65535), left to right; true is white. */
export function stripCells(frameNumber: number): boolean[] {
  const bits: boolean[] = [];
  for (let i = NUMBER_BITS - 1; i >= 0; i--) bits.push((frameNumber >> i & 1) === 1);
  const check = checkOf(frameNumber);
  for (let i = CHECK_BITS - 1; i >= 0; i--) bits.push((check >> i & 1) === 1);
  return [true, false, ...bits, false, true];
}

/** A decoded picture: rows of interleaved 8-bit samples, the first three (or the only one) of each pixel being colour (or grey). */
export interface DecodedPicture {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Samples a pixel: 1 (grey), 3 (RGB) or 4 (RGBA). */
  readonly channels: 1 | 3 | 4;
  /** `width * height * channels` samples. */
  readonly samples: ArrayLike<number>;
}

/**
 * The frame number in a decoded picture of any size, or undefined when there is no strip, a cell is neither dark nor
 * bright (two frames mixed), or the check does not match.
 */
export function readFrameNumber(picture: DecodedPicture): number | undefined {
  const { width, height } = picture;
  const y = Math.min(height - 1, Math.floor(height * (1 - STRIP_HEIGHT_RATIO / 2)));
  const cells: boolean[] = [];
  for (let cell = 0; cell < STRIP_CELLS; cell++) {
    const brightness = brightnessAt(picture, Math.floor((cell + 0.5) * width / STRIP_CELLS), y);
    if (brightness >= DARK_BELOW && brightness <= BRIGHT_ABOVE) return undefined;
    cells.push(brightness > BRIGHT_ABOVE);
  }
  let number = 0;
  for (let i = 0; i < NUMBER_BITS; i++) number = number * 2 + Number(cells[FIRST_BIT_CELL + i]);
  const expected = stripCells(number);
  return cells.every((cell, i) => cell === expected[i]) ? number : undefined;
}

function brightnessAt(picture: DecodedPicture, x: number, y: number): number {
  const at = (y * picture.width + x) * picture.channels;
  const { samples } = picture;
  if (picture.channels === 1) return samples[at];
  return (samples[at] + samples[at + 1] + samples[at + 2]) / 3;
}

function checkOf(frameNumber: number): number {
  return (frameNumber ^ frameNumber >> 4 ^ frameNumber >> 8 ^ frameNumber >> 12) & 15;
}
