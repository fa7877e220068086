/**
 * The law of doc comments. `deno doc --lint` sees that every export and every public member says what it is; this
 * file adds what it cannot see: each room has a header that names its floor, each format and each engine that `mod.ts`
 * opens shows at least one example, and every example asserts something (they run with `deno test --doc`).
 *
 * @module
 */
import { roomOf } from "./lint_plugin.ts";
import { filesUnder, openedRooms, ROOT } from "./repository.ts";

/** The part of `deno doc --json` that is read here. */
interface DocumentedFile {
  readonly module_doc?: { readonly doc?: string };
  readonly symbols?: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}
interface Declaration {
  readonly declarationKind: string;
  readonly jsDoc?: JsDoc;
  readonly def?: { readonly methods?: readonly { readonly jsDoc?: JsDoc }[] };
}
interface JsDoc {
  readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
}

if (import.meta.main) {
  const files = filesUnder("lib", ".ts").filter((path) => !path.endsWith(".d.ts"));
  const lints = [await deno(["doc", "--lint", ...files])];
  // By itself, as its users see it: what it names but does not export would otherwise pass.
  for (const entry of existing(["mod.ts"])) lints.push(await deno(["doc", "--lint", entry]));
  for (const lint of lints) if (!lint.success) await Deno.stderr.write(lint.stderr);
  const json = await deno(["doc", "--json", ...files]);
  if (!json.success) {
    await Deno.stderr.write(json.stderr);
    Deno.exit(1);
  }
  const { nodes } = JSON.parse(new TextDecoder().decode(json.stdout));
  const complaints = files.flatMap((path) => complaintsAbout(path, nodes[`file://${ROOT}${path}`]));
  for (const complaint of complaints) console.error(complaint);
  const good = lints.every(({ success }) => success) && complaints.length === 0;
  if (good) console.log(`Docs: ${files.length} files under lib/ say what they are`);
  Deno.exit(good ? 0 : 1);
}

/**
 * What is wrong with the doc comments of one file, each as one line.
 *
 * @param path Path relative to the repository.
 * @param file What `deno doc --json` says of it; nothing where the file exports nothing.
 */
export function complaintsAbout(path: string, file: DocumentedFile | undefined): string[] {
  const floor = roomOf(path)?.floor;
  const header = file?.module_doc?.doc ?? "";
  const complaints: string[] = [];
  if (!header) complaints.push(`${path}: no header comment with @module`);
  else if (!new RegExp(`\\bfloor ${floor}\\b`, "i").test(header)) {
    complaints.push(`${path}: the header does not name its floor ("Floor ${floor}")`);
  }
  const examples = examplesOf(file);
  for (const { name, code } of examples) {
    if (!/\bassert/.test(code)) complaints.push(`${path}: the example of ${name} asserts nothing`);
  }
  if (
    (floor === 1 || floor === 2) && openedRooms().includes(path) && examples.length === 0 &&
    exportsCode(file)
  ) {
    complaints.push(`${path}: no export shows an @example`);
  }
  return complaints;
}

function examplesOf(file: DocumentedFile | undefined): { name: string; code: string }[] {
  return (file?.symbols ?? []).flatMap(({ name, declarations }) =>
    declarations
      .flatMap((d) => [d.jsDoc, ...(d.def?.methods ?? []).map((m) => m.jsDoc)])
      .flatMap((jsDoc) => jsDoc?.tags ?? [])
      .filter((tag) => tag.kind === "example")
      .map((tag) => ({ name, code: tag.doc ?? "" }))
  );
}

/** Whether a file exports a function or a class of its own, not only types and tables. */
function exportsCode(file: DocumentedFile | undefined): boolean {
  return (file?.symbols ?? []).some(({ declarations }) =>
    declarations.some((d) =>
      d.declarationKind === "export" &&
      ["function", "class"].includes((d as { kind?: string }).kind ?? "")
    )
  );
}

function existing(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    try {
      return Deno.statSync(ROOT + path).isFile;
    } catch {
      return false;
    }
  });
}

function deno(args: string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).output();
}
