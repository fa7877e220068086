/**
 * The four buttons of the lab, and which of them each state allows.
 *
 * RFC 2326 App. A.1. Floor 4 (client assembly), data only.
 *
 * @module
 */

import type { ClientState } from "./statistics.ts";

/** What a person (or a program) can ask of a client: the four buttons of the lab. */
export type ClientVerb = "setup" | "play" | "pause" | "teardown";

/** Which verbs each state allows (RFC 2326 App. A.1, as the lab's window has it). */
export const CLIENT_VERBS: Readonly<Record<ClientState, readonly ClientVerb[]>> = {
  INIT: ["setup"],
  READY: ["play", "teardown"],
  PLAYING: ["pause", "teardown"],
};
