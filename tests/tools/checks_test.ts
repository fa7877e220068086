import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { complaintsAbout } from "../../tools/check_docs.ts";
import { pureFiles } from "../../tools/check_purity.ts";
import { openedRooms, permissionsOf, ROOT, runFlagsOf } from "../../tools/repository.ts";
import { run } from "../support/process.ts";

const example = (code: string) => ({ jsDoc: { tags: [{ kind: "example", doc: code }] } });
const fileWith = (doc: string, declaration: object = {}) => ({
  module_doc: { doc },
  symbols: [{
    name: "f",
    declarations: [{ declarationKind: "export", kind: "function", ...declaration }],
  }],
});

Deno.test("complaintsAbout() asks for a header that names the right floor", () => {
  assertEquals(complaintsAbout("lib/net/x.ts", undefined), [
    "lib/net/x.ts: no header comment with @module",
  ]);
  assertEquals(complaintsAbout("lib/net/x.ts", fileWith("Sockets.\n\nFloor 2.")), [
    `lib/net/x.ts: the header does not name its floor ("Floor 3")`,
  ]);
  assertEquals(complaintsAbout("lib/net/x.ts", fileWith("Sockets.\n\nFloor 3 (wall).")), []);
});

Deno.test("complaintsAbout() asks opened formats for an example, and every example for an assertion", () => {
  assertEquals(complaintsAbout("lib/rtp.ts", fileWith("Floor 1.")), [
    "lib/rtp.ts: no export shows an @example",
  ]);
  assertEquals(complaintsAbout("lib/rtp.ts", fileWith("Floor 1.", example("f();"))), [
    "lib/rtp.ts: the example of f asserts nothing",
  ]);
  assertEquals(complaintsAbout("lib/rtp.ts", fileWith("Floor 1.", example("assert(f());"))), []);
});

Deno.test("pureFiles() are floors 0 to 2 and nothing else", () => {
  const files = pureFiles();
  for (const path of ["lib/errors.ts", "lib/rtp.ts", "lib/engine/receiver.ts"]) {
    assert(files.includes(path), path);
  }
  assertEquals(
    files.filter((path) => /^lib\/(net|ui|image|disk|server|client)|\.d\.ts$/.test(path)),
    [],
  );
});

Deno.test("tools/pure.json knows no timer, no clock, no console and no system", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const names = ["setTimeout", "performance", "console", "Deno", "crypto", "fetch"];
    const path = `${folder}/impure.ts`;
    Deno.writeTextFileSync(
      path,
      names.map((name) => `export const x${name} = ${name};\n`).join(""),
    );
    const result = await run(Deno.execPath(), {
      args: ["check", "--quiet", "--config", `${ROOT}tools/pure.json`, path],
      env: { NO_COLOR: "1" },
    });
    assertEquals(result.code, 1);
    for (const name of names) assertStringIncludes(result.stderr, `Cannot find name '${name}'`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("openedRooms() leaves out rooms that only lend a type", () => {
  const rooms = openedRooms();
  assert(rooms.includes("lib/rtp.ts"));
  assert(!rooms.includes("lib/server/options.ts"));
});

Deno.test("permissionsOf() reads what the tasks grant", () => {
  assertEquals(permissionsOf("start"), [
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-ffi",
  ]);
  assert(!permissionsOf("client").some((flag) => flag === "--allow-all"));
});

Deno.test("runFlagsOf() adds what tells V8 how to keep its memory, and nothing that only the task wants", () => {
  assertEquals(runFlagsOf("start"), [
    "--v8-flags=--max-semi-space-size=1",
    ...permissionsOf("start"),
  ]);
  assertEquals(runFlagsOf("client"), permissionsOf("client"));
});
