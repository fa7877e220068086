/**
 * The C programs of the load benchmark, compiled at need: the load generator, the floors, gst-rtsp-server, live555.
 *
 * @module
 */
import { fromFileUrl } from "@std/path/from-file-url";

/** Paths of the compiled programs. */
export interface NativePrograms {
  /** Plays with many readers at once. */
  readonly generator: string;
  /** The least a server can do. */
  readonly floor: string;
  /** gst-rtsp-server; `undefined` where its headers are missing. */
  readonly gst: string | undefined;
  /** live555; `undefined` where its headers are missing. */
  readonly live555: string | undefined;
}

const SOURCES = fromFileUrl(new URL("./native/", import.meta.url));

/** Path of the Python server of the lab. */
export const LAB_SERVER = `${SOURCES}lab_server.py`;

/**
 * Compiles all programs into a folder with `cc`, and live555's, which is C++, with `c++`.
 *
 * @throws {Error} when a compiler is missing or refuses what every machine should compile.
 */
export async function buildNative(folder: string): Promise<NativePrograms> {
  const generator = `${folder}/load_generator`;
  const floor = `${folder}/floor_server`;
  await compile("cc", generator, ["load_generator.c", "dialogue.c", "reception.c"]);
  await compile("cc", floor, ["floor_server.c"]);
  return {
    generator,
    floor,
    gst: await buildGst(`${folder}/gst_server`),
    live555: await buildLive555(`${folder}/live555_server`),
  };
}

async function buildGst(target: string): Promise<string | undefined> {
  const flags = await flagsOf("gstreamer-rtsp-server-1.0");
  if (flags === undefined) return undefined;
  await compile("cc", target, ["gst_server.c"], flags);
  return target;
}

async function buildLive555(target: string): Promise<string | undefined> {
  const flags = await flagsOf("live555");
  if (flags === undefined) return undefined;
  try {
    await compile("c++", target, ["live555_server.cpp", "jpeg_film.cpp"], flags);
    return target;
  } catch (error) {
    // Its interface changes from release to release: one that differs is no reason to measure nothing.
    console.error(`live555 is left out. ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** What a compiler must be told to use a library; `undefined` where it is missing. */
async function flagsOf(library: string): Promise<string[] | undefined> {
  const flags = await output("pkg-config", ["--cflags", "--libs", library]);
  return flags?.trim().split(/\s+/);
}

async function compile(
  compiler: string,
  target: string,
  sources: readonly string[],
  flags: readonly string[] = [],
) {
  const files = sources.map((name) => SOURCES + name);
  const { success, stderr } = await new Deno.Command(compiler, {
    args: ["-O2", "-Wall", "-Wextra", "-o", target, ...files, ...flags],
  }).output();
  if (!success) throw new Error(`Cannot compile ${target}: ${new TextDecoder().decode(stderr)}`);
}

/** What a program writes, or `undefined` when it fails or there is none. */
export async function output(program: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}
