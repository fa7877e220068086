import { assert, assertEquals, assertRejects } from "@std/assert";
import { CaptureFile } from "../../lib/disk.ts";
import { TransportError } from "../../lib/errors.ts";
import type { WireFlow } from "../../lib/engine/wire_tap.ts";

const END = { hostname: "127.0.0.1", port: 5004 };
const FLOW: WireFlow = {
  session: 1,
  kind: "rtp",
  payload: "jpeg",
  connection: 1,
  channel: undefined,
  local: END,
  remote: { ...END, port: 6004 },
};

/** Types of the blocks of a file, which must be whole. */
async function blocksOf(path: string): Promise<number[]> {
  const file = await Deno.readFile(path);
  const view = new DataView(file.buffer);
  const types: number[] = [];
  for (let at = 0; at < file.length;) {
    const size = view.getUint32(at + 4, true);
    assertEquals(view.getUint32(at + size - 4, true), size);
    types.push(view.getUint32(at, true));
    at += size;
  }
  return types;
}

async function withFile(test: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    await test(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("CaptureFile can be read while it is being written, block by block", async () => {
  await withFile(async (path) => {
    await using capture = await CaptureFile.open(path, { application: "test" });
    for (let i = 0; i < 300; i++) capture.tap.packet!(FLOW, "in", new Uint8Array(1400), i);
    await new Promise((resolve) => setTimeout(resolve, 250));
    assertEquals((await blocksOf(path)).length, 2 + 300); // as a crash would leave it
    capture.tap.packet!(FLOW, "in", new Uint8Array(1400), 301);
    await capture.close();
    const types = await blocksOf(path);
    assertEquals([types.length, types.at(-1)], [2 + 301 + 1, 5]);
    assertEquals([capture.packets, capture.dropped], [301, 0]);
    assertEquals(capture.bytes, (await Deno.stat(path)).size);
  });
});

Deno.test("CaptureFile gives up media, not messages, when the file or the queue is full", async () => {
  await withFile(async (path) => {
    const options = { application: "test", maxBytes: 20_000, maxPendingBytes: 10_000 };
    await using capture = await CaptureFile.open(path, options);
    capture.tap.connectionOpened!({ id: 1, local: END, remote: END, isOpener: true }, 0);
    for (let i = 0; i < 100; i++) capture.tap.packet!(FLOW, "in", new Uint8Array(1400), i);
    assert(capture.dropped > 80);
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (let i = 0; i < 100; i++) capture.tap.packet!(FLOW, "in", new Uint8Array(1400), i);
    const bytes = new TextEncoder().encode("TEARDOWN");
    capture.tap.message!({ connection: 1, direction: "out", bytes, message: undefined }, 200);
    await capture.close();
    assert((await Deno.stat(path)).size < 25_000);
    const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
    assert(text.includes("TEARDOWN"));
    assertEquals((await blocksOf(path)).length, 2 + capture.packets + 1);
  });
});

Deno.test("CaptureFile names the file that cannot be written", async () => {
  const error = await assertRejects(
    () => CaptureFile.open("/no/such/folder/a.pcapng", { application: "test" }),
    TransportError,
  );
  assertEquals(error.message.includes('"a.pcapng"'), true);
});

Deno.test({
  name: "CaptureFile tells of a full disk, and does not throw",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const capture = await CaptureFile.open("/dev/full", { application: "test" });
    for (let i = 0; i < 100; i++) capture.tap.packet!(FLOW, "in", new Uint8Array(1400), i);
    await capture.close();
    assert(capture.fault instanceof TransportError);
  },
});
