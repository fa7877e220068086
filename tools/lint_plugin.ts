/**
 * The floors of this house as lint rules: who may import whom, and what the rooms without windows may not touch.
 *
 * Floor 0 is the ground, 1 the formats, 2 the engines, 3 the walls (the only files that meet the system), 4 the
 * assemblies and programs that connect rooms. Wired into `deno lint` by `deno.json`. It does not check types: that
 * floors 0 to 2 compile without any host is `tools/check_purity.ts`.
 *
 * @module
 */

/** Number of a floor, 0 to 4. */
type Floor = 0 | 1 | 2 | 3 | 4;

/** Where a file of this repository stands, or `undefined` for tests, tools, benches and examples. */
export interface Room {
  /** The floor the file stands on. */
  readonly floor: Floor;
  /** The folder or file whose members may import each other on floor 3. */
  readonly name: string;
}

const GROUND = new Set(["lib/byte_cache.ts", "lib/serial.ts", "lib/latin1.ts", "lib/errors.ts"]);
/** Folders under `lib/` and the floor of everything in them. A file straight under `lib/` is a format unless named here. */
const FLOOR_OF: Readonly<Record<string, Floor>> = {
  "lib/frames": 1,
  "lib/engine": 2,
  "lib/net": 3,
  "lib/ui": 3,
  "lib/image": 3,
  "lib/disk": 3,
  "lib/command_line": 4,
  "lib/server": 4,
  "lib/client": 4,
};
/** Files that are shapes, not walls, and the lowest floor that may import them although they stand higher. */
const SHAPES: Readonly<Record<string, Floor>> = {
  "lib/net/socket.ts": 2,
  "lib/client/statistics.ts": 3,
};
const PROGRAMS = new Set(["server.ts", "client.ts", "mod.ts"]);
const OUTSIDE_LIB = /^(tests|tools|bench|examples)\//;

/** Names of the host that a pure room may not say. */
const HOST_NAMES: Readonly<Record<string, string>> = {
  Deno: "the system",
  console: "the console",
  setTimeout: "a timer",
  setInterval: "a timer",
  clearTimeout: "a timer",
  clearInterval: "a timer",
  queueMicrotask: "a timer",
  performance: "a clock",
  crypto: "randomness",
  fetch: "the network",
  Worker: "a thread",
  localStorage: "the disk",
  process: "the system",
};

/**
 * Tells where a file stands.
 *
 * @param path Path relative to the repository, with forward slashes.
 * @example The floors by their folders
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { roomOf } from "./lint_plugin.ts";
 * assertEquals(roomOf("lib/engine/pacer.ts"), { floor: 2, name: "lib/engine" });
 * assertEquals(roomOf("tests/rtp_test.ts"), undefined);
 * ```
 */
export function roomOf(path: string): Room | undefined {
  if (PROGRAMS.has(path)) return { floor: 4, name: path };
  if (!path.startsWith("lib/")) return undefined;
  if (GROUND.has(path)) return { floor: 0, name: path };
  const [lib, second] = path.split("/");
  // A file beside a folder of its own name is the door to it, and belongs to it.
  const door = `${lib}/${second.replace(/\.ts$/, "")}`;
  const name = door in FLOOR_OF ? door : `${lib}/${second}`;
  return { floor: FLOOR_OF[name] ?? 1, name };
}

/**
 * Judges one import.
 *
 * @param from Path of the importing file, relative to the repository.
 * @param specifier What stands in the import statement.
 * @returns Why the import is forbidden, or `undefined` where it is allowed.
 */
export function forbiddenImport(from: string, specifier: string): string | undefined {
  const room = roomOf(from);
  if (room === undefined) return undefined;
  if (!specifier.startsWith(".")) return forbiddenPackage(from, room, specifier);
  const to = resolve(from, specifier);
  if (OUTSIDE_LIB.test(to)) return `"${from}" ships, "${to}" does not`;
  const target = roomOf(to);
  if (target === undefined) return undefined;
  if (PROGRAMS.has(to)) return `"${to}" is a program, nothing imports it but tests`;
  if (to in SHAPES && room.floor >= SHAPES[to]) return undefined;
  if (target.floor > room.floor) {
    return `floor ${room.floor} ("${from}") cannot import floor ${target.floor} ("${to}")`;
  }
  if (room.floor === 3 && target.floor === 3 && target.name !== room.name) {
    return `walls do not know each other: "${from}" imports "${to}"; a program wires them`;
  }
  return undefined;
}

const plugin: Deno.lint.Plugin = {
  name: "floors",
  rules: {
    "no-climbing": {
      create(context) {
        const from = pathInRepository(context.filename);
        const check = (node: { source: Deno.lint.StringLiteral | null }) => {
          if (node.source === null) return;
          const reason = forbiddenImport(from, node.source.value);
          if (reason) context.report({ node: node.source, message: `Forbidden import: ${reason}` });
        };
        return {
          ImportDeclaration: check,
          ExportNamedDeclaration: check as (node: Deno.lint.ExportNamedDeclaration) => void,
          ExportAllDeclaration(node) {
            check(node);
            if (from === "mod.ts") {
              context.report({ node, message: "mod.ts names each export: no `export *`" });
            }
          },
          ImportExpression(node) {
            if (node.source.type === "Literal" && typeof node.source.value === "string") {
              check({ source: node.source as Deno.lint.StringLiteral });
            }
          },
        };
      },
    },
    "no-windows": {
      create(context) {
        const room = roomOf(pathInRepository(context.filename));
        if (room === undefined || room.floor > 2) return {};
        const say = (node: Deno.lint.Node, what: string) =>
          context.report({
            node,
            message: `Floor ${room.floor} has no windows: ${what} must come in as an argument`,
          });
        return {
          Identifier(node) {
            const what = HOST_NAMES[node.name];
            if (what !== undefined && isReference(node)) say(node, `${what} (\`${node.name}\`)`);
          },
          MemberExpression(node) {
            if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
            const name = `${node.object.name}.${node.property.name}`;
            if (name === "Date.now") say(node, "a clock (`Date.now`)");
            if (name === "Math.random") say(node, "randomness (`Math.random`)");
          },
          NewExpression(node) {
            if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
            if (node.arguments.length === 0) say(node, "a clock (`new Date()`)");
          },
        };
      },
    },
  },
};
export default plugin;

function forbiddenPackage(from: string, room: Room, specifier: string): string | undefined {
  if (room.floor <= 2 && !/^@std\/bytes(\/|$)/.test(specifier)) {
    return `floors 0 to 2 know no package but @std/bytes, not "${specifier}"`;
  }
  if (specifier.startsWith("imagescript") && !from.startsWith("lib/image/")) {
    return `imagescript lives in lib/image/ only`;
  }
  if (/^(fast-check|playwright-core|@std\/assert)/.test(specifier)) {
    return `"${specifier}" is for tests, "${from}" ships`;
  }
  return undefined;
}

/** Whether an identifier reads a name of the scope, not a field, a key or a declaration of its own. */
function isReference(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as Deno.lint.Node & Record<string, unknown>;
  switch (parent.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed === true;
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.value === node;
    case "CallExpression":
    case "NewExpression":
    case "VariableDeclarator":
    case "AssignmentExpression":
    case "BinaryExpression":
    case "LogicalExpression":
    case "UnaryExpression":
    case "ArrowFunctionExpression":
    case "ReturnStatement":
    case "TSTypeQuery":
      return parent.id !== node;
    default:
      return false;
  }
}

/** Path below the repository's root: the folder that holds this file's folder. */
function pathInRepository(filename: string): string {
  const root = new URL("../", import.meta.url).pathname;
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(root) ? path.slice(root.length) : path.replace(/^\/+/, "");
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}
