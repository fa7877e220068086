import { assert, assertEquals } from "@std/assert";
import {
  allowedMethods,
  CLIENT_STATE_TABLE,
  LAB_SERVER_STATE_TABLE,
  renderStateDiagram,
  renderStateTable,
  RTSP_METHODS,
  RTSP_STATES,
  type RtspState,
  type RtspStateTable,
  SERVER_STATE_TABLE,
  transitionOf,
} from "../../lib/engine/rtsp_state.ts";

/** One letter a cell: the first of the next state, or `x` for 455. Columns as in RTSP_METHODS. */
const EXPECTED: [string, RtspStateTable, Record<RtspState, string>][] = [
  ["SERVER_STATE_TABLE", SERVER_STATE_TABLE, {
    //         OPTIONS DESCRIBE ANNOUNCE GET_ SET_ SETUP PLAY PAUSE RECORD TEARDOWN
    INIT: "IIIII R xxx I",
    READY: "RRRRR R P x r I",
    PLAYING: "PPPPP P P R x I",
    RECORDING: "rrrrr r x R r I",
  }],
  ["CLIENT_STATE_TABLE", CLIENT_STATE_TABLE, {
    INIT: "IIIII R xxx I",
    READY: "RRRRR R P x r I",
    PLAYING: "PPPPP P P R x I",
    RECORDING: "rrrrr r x R r I",
  }],
  ["LAB_SERVER_STATE_TABLE", LAB_SERVER_STATE_TABLE, {
    INIT: "IIIII R xxx I",
    READY: "RRRRR R P R r I",
    PLAYING: "PPPPP P P R x I",
    RECORDING: "rrrrr r x R r I",
  }],
];

const LETTERS: Record<string, RtspState | undefined> = {
  I: "INIT",
  R: "READY",
  P: "PLAYING",
  r: "RECORDING",
};

for (const [name, table, rows] of EXPECTED) {
  for (const state of RTSP_STATES) {
    const letters = rows[state].replaceAll(" ", "");
    RTSP_METHODS.forEach((method, column) => {
      const next = LETTERS[letters[column]];
      const outcome = next === undefined ? "is refused with 455" : `leads to ${next}`;
      Deno.test(`${name} ${method} in ${state} ${outcome}`, () => {
        const cell = transitionOf(table, state, method);
        assertEquals(cell, next === undefined ? { statusCode: 455 } : { next });
      });
    });
  }
}

Deno.test("transitionOf() has no cell for other methods, nor for names that every object has", () => {
  for (const method of ["JUMP", "setup", "", "toString", "__proto__", "constructor"]) {
    assertEquals(transitionOf(SERVER_STATE_TABLE, "READY", method), undefined, method);
  }
});

Deno.test("allowedMethods() names what a state allows, for the Allow header", () => {
  assertEquals(allowedMethods("INIT"), [
    "OPTIONS",
    "DESCRIBE",
    "ANNOUNCE",
    "GET_PARAMETER",
    "SET_PARAMETER",
    "SETUP",
    "TEARDOWN",
  ]);
  assert(!allowedMethods("READY").includes("PAUSE"));
  assert(allowedMethods("READY", LAB_SERVER_STATE_TABLE).includes("PAUSE"));
});

Deno.test("renderStateTable(), renderStateDiagram() draw the table", () => {
  const markdown = renderStateTable(SERVER_STATE_TABLE).trimEnd().split("\n");
  assertEquals(markdown.length, 2 + RTSP_STATES.length);
  assertEquals(
    markdown[4],
    "| **PLAYING** | stay | stay | stay | stay | stay | stay | stay | READY | 455 | INIT |",
  );
  assertEquals(
    renderStateDiagram(SERVER_STATE_TABLE),
    `stateDiagram-v2
    [*] --> INIT
    INIT --> READY : SETUP
    INIT --> INIT : TEARDOWN
    READY --> READY : SETUP
    READY --> PLAYING : PLAY
    READY --> RECORDING : RECORD
    READY --> INIT : TEARDOWN
    PLAYING --> PLAYING : SETUP, PLAY
    PLAYING --> READY : PAUSE
    PLAYING --> INIT : TEARDOWN
    RECORDING --> RECORDING : SETUP, RECORD
    RECORDING --> READY : PAUSE
    RECORDING --> INIT : TEARDOWN
`,
  );
});
