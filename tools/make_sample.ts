/**
 * Makes `media/video.mjpeg`: draws the frames, has ffmpeg code them as JPEG, writes them in the lab's format.
 *
 * Run `deno run --allow-run=ffmpeg --allow-write=media tools/make_sample.ts [FILE]`; made with ffmpeg 5.1.
 *
 * @module
 */
import { standardQuantizationTables, ZIGZAG } from "../lib/jpeg/tables.ts";
import { drawFrame, SAMPLE_FRAMES, SAMPLE_HEIGHT, SAMPLE_WIDTH } from "./sample_scene.ts";

const FRAME_RATE_HZ = 20;
/** The largest JPEG that the smallest common buffer of a lab client takes: 15,000 octets less the RTP header. */
const LARGEST_FRAME_BYTES = 14_988;
/** The quality of T.81's Annex K tables at which both DC steps are the 8 that ffmpeg fixes, so that they stay exact. */
const QUALITY = 76;

async function main(file: string): Promise<void> {
  const jpegs = await encode();
  if (jpegs.length !== SAMPLE_FRAMES) throw new Error(`Got ${jpegs.length} frames from ffmpeg`);
  const sizes = jpegs.map((jpeg) => jpeg.length).sort((a, b) => a - b);
  const parts = jpegs.flatMap((jpeg) => [lengthPrefix(jpeg.length), jpeg]);
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  await Deno.writeFile(file, bytes);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  console.log(`${file}: ${jpegs.length} frames, ${bytes.length} octets`);
  console.log(
    `frames of ${sizes[0]} to ${sizes[sizes.length - 1]} octets, median ${
      sizes[sizes.length >> 1]
    }`,
  );
  console.log(`SHA-256 ${digest}`);
  if (sizes[sizes.length - 1] > LARGEST_FRAME_BYTES) {
    throw new Error(
      `Largest frame: ${sizes[sizes.length - 1]} octets, at most ${LARGEST_FRAME_BYTES} wanted`,
    );
  }
}

/** Every frame as a JPEG: 4:2:0, standard Huffman tables, standard quantization tables. */
async function encode(): Promise<Uint8Array<ArrayBuffer>[]> {
  const child = new Deno.Command("ffmpeg", {
    args: encoderArguments(),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = new Response(child.stdout).arrayBuffer();
  const writer = child.stdin.getWriter();
  for (let n = 1; n <= SAMPLE_FRAMES; n++) await writer.write(drawFrame(n).toBytes());
  await writer.close();
  const { success } = await child.status;
  if (!success) throw new Error("Cannot code the frames: ffmpeg failed");
  return splitPictures(new Uint8Array(await output));
}

function encoderArguments(): string[] {
  const { luma, chroma } = standardQuantizationTables(QUALITY);
  return [
    ...["-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgb24"],
    ...["-video_size", `${SAMPLE_WIDTH}x${SAMPLE_HEIGHT}`, "-framerate", String(FRAME_RATE_HZ)],
    ...["-i", "pipe:0", "-sws_flags", "lanczos+accurate_rnd+full_chroma_int"],
    ...["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-huffman", "default", "-flags", "+bitexact"],
    // Quantizer scale 8 means the given matrices as they are.
    ...["-qmin", "8", "-qmax", "8", "-q:v", "8", "-threads", "1"],
    ...["-intra_matrix", rowByRow(luma), "-chroma_intra_matrix", rowByRow(chroma)],
    ...["-f", "mjpeg", "pipe:1"],
  ];
}

/** A table in zigzag order as ffmpeg wants it. */
function rowByRow(table: Uint8Array): string {
  const rows = new Uint8Array(64);
  table.forEach((step, place) => rows[ZIGZAG[place]] = step);
  return rows.join(",");
}

/** ffmpeg writes one picture after the other and no thumbnails: an EOI followed by an SOI is a border. */
function splitPictures(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const pictures: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] !== 0xd9) continue;
    pictures.push(bytes.subarray(start, at + 2));
    start = at + 2;
  }
  return pictures;
}

function lengthPrefix(length: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(String(length).padStart(5, "0"));
}

if (import.meta.main) await main(Deno.args[0] ?? "media/video.mjpeg");
