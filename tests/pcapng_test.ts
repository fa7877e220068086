import { assertEquals } from "@std/assert";
import {
  encodePcapngHead,
  encodePcapngPacket,
  encodePcapngStatistics,
  LINKTYPE_RAW,
} from "../lib/pcapng.ts";

interface Block {
  readonly type: number;
  readonly body: DataView<ArrayBuffer>;
}

/** Splits a file into blocks, and sees to it that both lengths agree. */
function blocksOf(file: Uint8Array<ArrayBuffer>): Block[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const blocks: Block[] = [];
  for (let at = 0; at < file.length;) {
    const size = view.getUint32(at + 4, true);
    assertEquals(size % 4, 0);
    assertEquals(view.getUint32(at + size - 4, true), size);
    const body = new DataView(file.buffer, file.byteOffset + at + 8, size - 12);
    blocks.push({ type: view.getUint32(at, true), body });
    at += size;
  }
  return blocks;
}

/** The options behind the fixed fields, as text where they are printable. */
function optionsOf({ body }: Block, fixed: number): [code: number, value: string][] {
  const options: [number, string][] = [];
  for (let at = fixed; at + 4 <= body.byteLength;) {
    const code = body.getUint16(at, true);
    const length = body.getUint16(at + 2, true);
    if (code === 0) break;
    const value = new Uint8Array(body.buffer, body.byteOffset + at + 4, length);
    options.push([
      code,
      code === 1 || code === 4 ? new TextDecoder().decode(value) : value.toHex(),
    ]);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return options;
}

Deno.test("encodePcapngHead() begins a section with one interface of raw IP", () => {
  const [section, interfaceBlock, ...more] = blocksOf(
    encodePcapngHead({ application: "rtsp-client 1", interfaceName: "rtsp", comment: "seven b" }),
  );
  assertEquals(more, []);
  assertEquals(section.type, 0x0a0d0d0a);
  assertEquals(section.body.getUint32(0, true), 0x1a2b3c4d);
  assertEquals(section.body.getBigInt64(8, true), -1n);
  assertEquals(optionsOf(section, 16), [[1, "seven b"], [4, "rtsp-client 1"]]);
  assertEquals(interfaceBlock.type, 1);
  assertEquals(interfaceBlock.body.getUint16(0, true), LINKTYPE_RAW);
  assertEquals(optionsOf(interfaceBlock, 8), [[2, "72747370"], [9, "06"]]);
});

Deno.test("encodePcapngPacket() keeps octets, time to the microsecond and direction", () => {
  for (const size of [0, 1, 2, 3, 4, 1500]) {
    const bytes = new Uint8Array(size).fill(7);
    const unixMs = 1_795_349_253_337.527;
    const [block] = blocksOf(encodePcapngPacket({ unixMs, bytes, direction: "in", comment: "c" }));
    assertEquals(block.type, 6);
    const high = block.body.getUint32(4, true);
    assertEquals(high * 2 ** 32 + block.body.getUint32(8, true), 1_795_349_253_337_527);
    assertEquals([block.body.getUint32(12, true), block.body.getUint32(16, true)], [size, size]);
    const at = block.body.byteOffset + 20;
    assertEquals(new Uint8Array(block.body.buffer, at, size), bytes);
    assertEquals(optionsOf(block, 20 + Math.ceil(size / 4) * 4), [[1, "c"], [2, "01000000"]]);
  }
});

Deno.test("encodePcapngStatistics() tells how many packets are missing", () => {
  const [block] = blocksOf(encodePcapngStatistics({ unixMs: 1, received: 258, dropped: 3 }));
  assertEquals(block.type, 5);
  assertEquals(optionsOf(block, 12).map(([code]) => code), [4, 5]);
  assertEquals(block.body.getBigUint64(16, true), 258n);
  assertEquals(optionsOf(block, 12)[1], [5, "0300000000000000"]);
});
