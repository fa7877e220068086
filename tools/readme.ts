/**
 * The parts of README.md that come from the code: the option tables of both programs, the server's state
 * table, the odd streams that the tests play.
 * `deno task readme` writes them; a test compares them, so they cannot drift.
 *
 * @module
 */
import { renderStateTable, SERVER_STATE_TABLE } from "../lib/engine/rtsp_state.ts";
import { RECIPES } from "../tests/support/odd_recipes.ts";
import { ROOT } from "./repository.ts";

/** One row of an option table: how the option is written, and what it does. */
export type OptionRow = readonly [option: string, text: string];

if (import.meta.main) {
  let readme = Deno.readTextFileSync(`${ROOT}README.md`);
  for (const [name, content] of await madeSections()) readme = withSection(readme, name, content);
  Deno.writeTextFileSync(`${ROOT}README.md`, readme);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", `${ROOT}README.md`] })
    .output();
}

/** Every made section, by the name in its markers. */
export async function madeSections(): Promise<Map<string, string>> {
  const sections = new Map<string, string>();
  for (const program of ["server", "client"]) {
    const rows = optionRows(await helpOf(program));
    const escaped = (text: string) => text.replaceAll("|", "\\|");
    const lines = rows.map(([option, text]) => `| \`${escaped(option)}\` | ${escaped(text)} |`);
    sections.set(`${program} options`, ["| Option | Effect |", "|---|---|", ...lines].join("\n"));
  }
  const streams = RECIPES.map(({ name, oddity, outcome }) =>
    `| ${name} | ${oddity} | ${outcome} |`
  );
  const head = ["| Stream | What is odd about it | What RTSP clients get |", "|---|---|---|"];
  sections.set("odd streams", [...head, ...streams].join("\n"));
  sections.set("server states", renderStateTable(SERVER_STATE_TABLE).trim());
  return sections;
}

/**
 * The rows of a `--help`: lines of two blanks, the option, two or more blanks and the text; lines that are indented
 * deeper continue the text.
 */
export function optionRows(help: string): OptionRow[] {
  const rows: [string, string][] = [];
  for (const line of help.split("\n")) {
    const row = /^ {2,6}(-\S*(?: \S+)*?)(?: {2,}(\S.*))?$/.exec(line);
    if (row) rows.push([row[1], row[2] ?? ""]);
    else if (/^ {8,}\S/.test(line) && rows.length > 0) {
      const last = rows[rows.length - 1];
      last[1] = `${last[1]} ${line.trim()}`.trim();
    }
  }
  return rows;
}

/** The cells of the table between the markers of a section, with blanks and padding gone. */
export function tableIn(readme: string, name: string): string[][] {
  const [begin, end] = markersOf(name);
  const start = readme.indexOf(begin);
  const stop = readme.indexOf(end);
  if (start < 0 || stop < start) throw new Error(`Cannot find "${begin}" and its end in README.md`);
  return cellsOf(readme.slice(start + begin.length, stop));
}

/** The cells of a Markdown table, without its rule. */
export function cellsOf(table: string): string[][] {
  return table.trim().split("\n").filter((line) => !/^\|[\s|:-]+\|$/.test(line)).map((line) =>
    line.replaceAll("\\|", "\0").split("|").slice(1, -1).map((cell) =>
      cell.replaceAll("\0", "\\|").trim()
    )
  );
}

function withSection(readme: string, name: string, content: string): string {
  tableIn(readme, name);
  const [begin, end] = markersOf(name);
  const start = readme.indexOf(begin) + begin.length;
  return `${readme.slice(0, start)}\n\n${content}\n\n${readme.slice(readme.indexOf(end))}`;
}

function markersOf(name: string): [string, string] {
  return [`<!-- begin ${name}: made by deno task readme -->`, `<!-- end ${name} -->`];
}

async function helpOf(program: string): Promise<string> {
  const result = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      `${ROOT}${program}.ts`,
      "--help",
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!result.success) throw new Error(new TextDecoder().decode(result.stderr));
  return new TextDecoder().decode(result.stdout);
}
