import { assertEquals, assertStringIncludes } from "@std/assert";
import { cellsOf, madeSections, optionRows, tableIn } from "../../tools/readme.ts";
import { filesUnder, permissionsOf, ROOT } from "../../tools/repository.ts";

const readme = Deno.readTextFileSync(`${ROOT}README.md`);

Deno.test("README.md has the option tables of --help and the state table of the code", async () => {
  for (const [name, content] of await madeSections()) {
    assertEquals(tableIn(readme, name), cellsOf(content), `run deno task readme: ${name}`);
  }
});

Deno.test("README.md names every permission that a task gives to a program", () => {
  for (const flag of [...permissionsOf("start"), ...permissionsOf("client")]) {
    assertStringIncludes(readme, `\`${flag}\``);
  }
});

Deno.test("README.md points at files that exist", () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)].map((m) => m[1]);
  for (const link of links) Deno.statSync(ROOT + link);
});

Deno.test("README.md names every room under lib/", () => {
  const rooms = filesUnder("lib", ".ts").filter((path) => !path.endsWith(".d.ts")).map((path) => {
    const [, second, third] = path.split("/");
    return third === undefined ? `lib/${second}` : `lib/${second}/`;
  });
  assertEquals([...new Set(rooms)].filter((room) => !readme.includes(room)), []);
});

Deno.test("optionRows() reads options, their values and texts over several lines", () => {
  const help = [
    "Usage: x [PORT]",
    "",
    "Options:",
    "  --fps N           Frames a second",
    "                    (default: 20)",
    "  -h, --help        This text",
    "  --users FILE",
    "                    One name:password a line",
    "Exit codes: 0",
  ];
  assertEquals(optionRows(help.join("\n")), [
    ["--fps N", "Frames a second (default: 20)"],
    ["-h, --help", "This text"],
    ["--users FILE", "One name:password a line"],
  ]);
});
