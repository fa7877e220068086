/**
 * The state machines of RTSP as data: which method is valid in which state, and where it leads.
 *
 * Floor 2. Pure tables; sessions look a cell up before they act on a request and enter the next state once it has
 * succeeded. What a method does stands elsewhere.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#appendix-A
 * @module
 */

/** State of one session (RFC 2326 App. A); `"INIT"` is also a connection without a session. */
export type RtspState = "INIT" | "READY" | "PLAYING" | "RECORDING";

/** All states, in the order of the appendix. */
export const RTSP_STATES: readonly RtspState[] = ["INIT", "READY", "PLAYING", "RECORDING"];

/** The methods of RFC 2326 s10 that the tables have a column for. */
export const RTSP_METHODS = [
  "OPTIONS",
  "DESCRIBE",
  "ANNOUNCE",
  "GET_PARAMETER",
  "SET_PARAMETER",
  "SETUP",
  "PLAY",
  "PAUSE",
  "RECORD",
  "TEARDOWN",
] as const;

/** A method that the tables have a column for. */
export type RtspMethod = typeof RTSP_METHODS[number];

/** One cell: the state after success, or the status code of the refusal. */
export type RtspTransition = { readonly next: RtspState } | { readonly statusCode: 455 };

/** A whole state machine: one cell for each state and method. */
export type RtspStateTable = Readonly<
  Record<RtspState, Readonly<Record<RtspMethod, RtspTransition>>>
>;

/** The server's machine (RFC 2326 A.2). */
export const SERVER_STATE_TABLE: RtspStateTable = {
  INIT: row("INIT", { SETUP: "READY", TEARDOWN: "INIT" }),
  READY: row("READY", { SETUP: "READY", PLAY: "PLAYING", RECORD: "RECORDING", TEARDOWN: "INIT" }),
  PLAYING: row("PLAYING", { SETUP: "PLAYING", PLAY: "PLAYING", PAUSE: "READY", TEARDOWN: "INIT" }),
  RECORDING: row("RECORDING", {
    SETUP: "RECORDING",
    RECORD: "RECORDING",
    PAUSE: "READY",
    TEARDOWN: "INIT",
  }),
};

/** The client's machine (RFC 2326 A.1): what a client may ask for, and its state once the answer is a 2xx. */
export const CLIENT_STATE_TABLE: RtspStateTable = {
  INIT: row("INIT", { SETUP: "READY", TEARDOWN: "INIT" }),
  READY: row("READY", { SETUP: "READY", PLAY: "PLAYING", RECORD: "RECORDING", TEARDOWN: "INIT" }),
  PLAYING: row("PLAYING", { SETUP: "PLAYING", PLAY: "PLAYING", PAUSE: "READY", TEARDOWN: "INIT" }),
  RECORDING: row("RECORDING", {
    SETUP: "RECORDING",
    RECORD: "RECORDING",
    PAUSE: "READY",
    TEARDOWN: "INIT",
  }),
};

/**
 * The server's machine for peers of the streaming lab: PAUSE while ready and PLAY while playing are no mistakes
 * there, and TEARDOWN is answered in every state, since a refused lab client stays where it is for ever.
 */
export const LAB_SERVER_STATE_TABLE: RtspStateTable = {
  ...SERVER_STATE_TABLE,
  READY: { ...SERVER_STATE_TABLE.READY, PAUSE: { next: "READY" } },
};

/**
 * The cell of a state and a method, or `undefined` where the table has no column for the method (501).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SERVER_STATE_TABLE, transitionOf } from "./rtsp_state.ts";
 * assertEquals(transitionOf(SERVER_STATE_TABLE, "READY", "PLAY"), { next: "PLAYING" });
 * assertEquals(transitionOf(SERVER_STATE_TABLE, "INIT", "PLAY"), { statusCode: 455 });
 * assertEquals(transitionOf(SERVER_STATE_TABLE, "INIT", "JUMP"), undefined);
 * ```
 */
export function transitionOf(
  table: RtspStateTable,
  state: RtspState,
  method: string,
): RtspTransition | undefined {
  const cells = table[state];
  return Object.hasOwn(cells, method) ? cells[method as RtspMethod] : undefined;
}

/** The methods that a state allows, in the order of {@linkcode RTSP_METHODS}; for the `Allow` header of a 455. */
export function allowedMethods(
  state: RtspState,
  table: RtspStateTable = SERVER_STATE_TABLE,
): RtspMethod[] {
  return RTSP_METHODS.filter((method) => "next" in table[state][method]);
}

/** A table as Markdown: one row a state, one column a method. */
export function renderStateTable(table: RtspStateTable): string {
  const lines = [
    `| State | ${RTSP_METHODS.join(" | ")} |`,
    `|---${"|---".repeat(RTSP_METHODS.length)}|`,
  ];
  for (const state of RTSP_STATES) {
    const cells = RTSP_METHODS.map((method) => {
      const cell = table[state][method];
      return "next" in cell ? (cell.next === state ? "stay" : cell.next) : String(cell.statusCode);
    });
    lines.push(`| **${state}** | ${cells.join(" | ")} |`);
  }
  return lines.join("\n") + "\n";
}

/** A table as a Mermaid state diagram; the methods that are valid everywhere and change nothing are left out. */
export function renderStateDiagram(table: RtspStateTable): string {
  const lines = ["stateDiagram-v2", "    [*] --> INIT"];
  for (const state of RTSP_STATES) {
    const arrows = new Map<RtspState, string[]>();
    for (const method of RTSP_METHODS) {
      const cell = table[state][method];
      if (isStateless(method) || !("next" in cell)) continue;
      arrows.set(cell.next, [...arrows.get(cell.next) ?? [], method]);
    }
    for (const [next, methods] of arrows) {
      lines.push(`    ${state} --> ${next} : ${methods.join(", ")}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** Valid in every state and without effect on it (RFC 2326 App. A: "do not have any effect on the state"). */
const STATELESS_METHODS = [
  "OPTIONS",
  "DESCRIBE",
  "ANNOUNCE",
  "GET_PARAMETER",
  "SET_PARAMETER",
] as const;

type StatelessMethod = typeof STATELESS_METHODS[number];

function isStateless(method: RtspMethod): method is StatelessMethod {
  return (STATELESS_METHODS as readonly string[]).includes(method);
}

/** One row: the stateless methods stay, the named ones lead on, the rest is refused. */
function row(
  state: RtspState,
  next: Partial<Record<Exclude<RtspMethod, StatelessMethod>, RtspState>>,
): Readonly<Record<RtspMethod, RtspTransition>> {
  const stay: RtspTransition = { next: state };
  const cell = (target: RtspState | undefined): RtspTransition =>
    target === undefined ? { statusCode: 455 } : { next: target };
  return {
    OPTIONS: stay,
    DESCRIBE: stay,
    ANNOUNCE: stay,
    GET_PARAMETER: stay,
    SET_PARAMETER: stay,
    SETUP: cell(next.SETUP),
    PLAY: cell(next.PLAY),
    PAUSE: cell(next.PAUSE),
    RECORD: cell(next.RECORD),
    TEARDOWN: cell(next.TEARDOWN),
  };
}
