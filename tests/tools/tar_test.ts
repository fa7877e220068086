import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { tarPieces } from "../../tools/tar.ts";
import { runOk, textOf } from "../support/process.ts";

const FILES = [
  { path: "deno", data: new TextEncoder().encode("#!/bin/sh\necho ran\n"), isExecutable: true },
  { path: "app/media/picture.bin", data: new Uint8Array(1000).map((_, i) => i) },
  { path: "app/empty", data: new Uint8Array(0) },
];

Deno.test("tarPieces() makes an archive that tar unpacks octet for octet", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await runOk("tar", { args: ["-xf", "-", "-C", folder], stdin: concat([...tarPieces(FILES)]) });
    for (const { path, data } of FILES) assertEquals(Deno.readFileSync(`${folder}/${path}`), data);
    assertEquals(textOf(await runOk(`${folder}/deno`)), "ran\n");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("tarPieces() gives the same octets each time, in whole blocks", () => {
  const archive = concat([...tarPieces(FILES)]);
  assertEquals(concat([...tarPieces(FILES)]), archive);
  assertEquals(archive.length % 512, 0);
});

Deno.test("tarPieces() refuses a name that the format cannot hold", () => {
  const path = "a/".repeat(50) + "b";
  const error = assertThrows(
    () => [...tarPieces([{ path, data: new Uint8Array(1) }])],
    RangeError,
  );
  assertEquals(error.message, `Cannot archive "${path}": name of 101 octets, tar allows 100`);
});
