/**
 * A folder of numbered JPEG pictures as a movie.
 *
 * Floor 3: lists a folder. A picture is a file whose name ends in `.jpg` or `.jpeg` and has a number in it, whatever else;
 * the last number is the one that counts: `shot2_0007.jpg` is number 7.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import { type FrameFileFault, type FrameIndex, FrameTable } from "../frames/frame_index.ts";

/** The pictures of a folder. */
export interface ImageFolder {
  /** Where each stands, in the order of their numbers. */
  readonly paths: readonly string[];
  /** Sizes; offsets are all 0. */
  readonly index: FrameIndex;
}

/** The number in a picture's name; `undefined` where it is no numbered picture. */
function imageNumberOf(name: string): number | undefined {
  const match = /(\d{1,15})\D*\.jpe?g$/i.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Lists the pictures of a folder.
 *
 * @throws {FrameFileError} `no-frame` when there are none.
 */
export async function readImageFolder(folder: string): Promise<ImageFolder> {
  const found: { readonly number: number; readonly name: string }[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const number = isFile ? imageNumberOf(name) : undefined;
    if (number !== undefined) found.push({ number, name });
  }
  found.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
  const table = new FrameTable();
  const paths: string[] = [];
  for (const { name } of found) {
    const path = `${folder}/${name}`;
    const { size } = await Deno.stat(path);
    if (size < 4) continue;
    table.add(0, size);
    paths.push(path);
  }
  if (paths.length > 0) return { paths, index: table.toIndex("images", { list: [], count: 0 }) };
  throw new FrameFileError<FrameFileFault>(
    "Cannot read folder as Motion-JPEG: it has no numbered .jpg pictures",
    { code: "no-frame", offset: 0, rfc: "T.81 Annex B" },
  );
}
