import { assertEquals, assertStringIncludes } from "@std/assert";
import plugin, { forbiddenImport, roomOf } from "../../tools/lint_plugin.ts";

/** Lints `source` as if it stood at `path` in the repository. */
function lint(path: string, source: string): string[] {
  const file = new URL(`../../${path}`, import.meta.url).pathname;
  return Deno.lint.runPlugin(plugin, file, source).map((d) => d.message);
}

Deno.test("roomOf() knows the floor of each folder", () => {
  const floors = [
    ["lib/serial.ts", 0],
    ["lib/rtp.ts", 1],
    ["lib/frames/lab_file.ts", 1],
    ["lib/engine/receiver.ts", 2],
    ["lib/net/udp.ts", 3],
    ["lib/disk.ts", 3],
    ["lib/image/image_worker.ts", 3],
    ["lib/server/rtsp_server.ts", 4],
    ["server.ts", 4],
    ["tools/build.ts", undefined],
  ] as const;
  for (const [path, floor] of floors) assertEquals(roomOf(path)?.floor, floor, path);
});

Deno.test("forbiddenImport() allows what goes down and stays at home", () => {
  const allowed = [
    ["lib/rtp.ts", "./errors.ts"],
    ["lib/rtp_jpeg.ts", "./rtp.ts"],
    ["lib/frames/lab_file.ts", "../errors.ts"],
    ["lib/engine/sender.ts", "../rtp.ts"],
    ["lib/engine/sender.ts", "../net/socket.ts"],
    ["lib/engine/sender.ts", "@std/bytes/concat"],
    ["lib/net/udp.ts", "./socket.ts"],
    ["lib/ui/preview.ts", "./page/page.html"],
    ["lib/server/rtsp_server.ts", "../net/udp.ts"],
    ["server.ts", "./lib/server/rtsp_server.ts"],
    ["lib/image/image_worker.ts", "imagescript/wasm/node/jpeg.js"],
    ["tests/e2e/x_test.ts", "../../server.ts"],
  ];
  for (const [from, to] of allowed) {
    assertEquals(forbiddenImport(from, to), undefined, `${from} -> ${to}`);
  }
});

Deno.test("forbiddenImport() refuses what climbs, crosses or drags in a package", () => {
  const refused = [
    ["lib/rtp.ts", "./engine/sender.ts"],
    ["lib/engine/sender.ts", "../net/udp.ts"],
    ["lib/engine/sender.ts", "../server/rtsp_server.ts"],
    ["lib/net/udp.ts", "../disk.ts"],
    ["lib/ui/preview.ts", "../image/image.ts"],
    ["lib/errors.ts", "./rtp.ts"],
    ["lib/server/rtsp_server.ts", "../../server.ts"],
    ["lib/server/rtsp_server.ts", "../../tests/support/pair.ts"],
    ["lib/rtp.ts", "node:buffer"],
    ["lib/engine/sender.ts", "@std/async/delay"],
    ["lib/disk.ts", "imagescript"],
    ["lib/disk.ts", "@std/assert"],
  ];
  for (const [from, to] of refused) {
    assertEquals(typeof forbiddenImport(from, to), "string", `${from} -> ${to}`);
  }
});

Deno.test("floors/no-windows reports the clock, chance, timers, console and the system below floor 3", () => {
  const refused: [string, string][] = [
    ["export const t = Date.now();", "Date.now"],
    ["export const t = new Date();", "new Date()"],
    ["export const r = Math.random();", "Math.random"],
    ["export const r = crypto.randomUUID();", "crypto"],
    ["console.log(1);", "console"],
    ["Deno.exit(1);", "Deno"],
    ["setTimeout(() => {}, 5);", "setTimeout"],
    ["export const now = () => performance.now();", "performance"],
    ["const f = fetch; export { f };", "fetch"],
  ];
  for (const [source, name] of refused) {
    const messages = lint("lib/engine/x.ts", source);
    assertEquals(messages.length, 1, source);
    assertStringIncludes(messages[0], name);
    assertEquals(lint("lib/net/x.ts", source), [], `a wall may: ${source}`);
  }
});

Deno.test("floors/no-windows leaves fields, keys and pure dates alone", () => {
  const source = `
    export const a = { crypto: 1, process: 2 };
    export const b = a.crypto + a.process;
    export const c = (unixMs: number) => new Date(unixMs).toUTCString();
    export class D { fetch = 1; process(): number { return this.fetch; } }
  `;
  assertEquals(lint("lib/engine/x.ts", source), []);
});

Deno.test("floors/no-climbing reports static, re-exported and dynamic imports", () => {
  assertEquals(lint("lib/rtp.ts", `import { x } from "./net/udp.ts"; x();`).length, 1);
  assertEquals(lint("lib/rtp.ts", `export { x } from "./net/udp.ts";`).length, 1);
  assertEquals(lint("lib/rtp.ts", `export const x = await import("./net/udp.ts");`).length, 1);
  assertEquals(lint("lib/rtp.ts", `export const x = 1;`), []);
  assertEquals(lint("mod.ts", `export * from "./lib/rtp.ts";`).length, 1);
});
