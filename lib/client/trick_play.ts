/**
 * What keys of a film player mean: skip, faster, slower, the other way.
 *
 * RFC 2326 s12.29, s12.34. Floor 4 (client assembly): turns a wish into a PLAY; only standard servers understand it.
 *
 * @module
 */

import { StateError } from "../errors.ts";
import type { RtspClient } from "./client.ts";
import type { FilmPosition } from "./conversation.ts";

/** What trick play needs of a client. */
export type TrickPlayer = Pick<RtspClient, "film" | "play" | "step" | "state" | "allowed">;

/** Does what a key means; `undefined` for keys that mean nothing here. */
export function trickOf(key: string, player: TrickPlayer): Promise<void> | undefined {
  const { scale } = player.film;
  switch (key) {
    case ".":
      return player.step(1);
    case ",":
      return player.step(-1);
    case "left":
      return skipFilm(player, -SKIP_SECONDS);
    case "right":
      return skipFilm(player, SKIP_SECONDS);
    case "+":
      return playAtScale(player, scaleBeside(scale, 1));
    case "-":
      return playAtScale(player, scaleBeside(scale, -1));
    case "r":
      return playAtScale(player, -scale);
  }
}

/**
 * Goes so many seconds on (below 0: back), at the speed it plays.
 *
 * @throws {StateError} (rejects) where nobody can tell where the film stands.
 */
async function skipFilm(player: TrickPlayer, seconds: number): Promise<void> {
  const film = seekable(player, "skip");
  const end = (film.endSeconds ?? Infinity) - END_MARGIN_SECONDS;
  const startSeconds = Math.max(film.startSeconds, Math.min(end, film.positionSeconds! + seconds));
  await player.play({ startSeconds, scale: film.scale === 1 ? undefined : film.scale });
}

/**
 * Plays on from where the film stands, so fast and that way round.
 *
 * @throws {StateError} (rejects) where nobody can tell where the film stands.
 */
async function playAtScale(player: TrickPlayer, scale: number): Promise<void> {
  seekable(player, "change the speed");
  await player.play({ scale });
}

/** The next faster (1) or slower (-1) of the usual speeds, the same way round. */
export function scaleBeside(scale: number, direction: 1 | -1): number {
  const size = Math.abs(scale);
  const next = direction === 1
    ? SIZES.find((other) => other > size * 1.01)
    : SIZES.findLast((other) => other < size * 0.99);
  return Math.sign(scale) * (next ?? size);
}

function seekable(player: TrickPlayer, action: string): FilmPosition {
  const { film } = player;
  if (film.isSeekable && film.positionSeconds !== null) return film;
  throw new StateError(`Cannot ${action}: the server does not tell where in the film it is`, {
    state: player.state,
    allowed: player.allowed,
  });
}

const SIZES: readonly number[] = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
const SKIP_SECONDS = 5;
const END_MARGIN_SECONDS = 0.1;
