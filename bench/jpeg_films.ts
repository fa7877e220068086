/**
 * Films for the benchmarks of JPEG: 20 frames of 640x480 each, drawn by ffmpeg, coded by cjpeg.
 *
 * @module
 */

const SWITCHES = {
  optimized: ["-optimize"],
  progressive: ["-progressive"],
  full: ["-sample", "1x1"],
} as const;

/** The frames of a film: a zoom into the Mandelbrot set with noise on it, at quality 85. */
export async function framesOf(name: keyof typeof SWITCHES): Promise<Uint8Array[]> {
  const drawn = await run("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", "mandelbrot=size=640x480:rate=25,noise=c0s=10"],
    ...["-frames:v", String(FRAMES), "-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "-"],
  ]);
  const pictureBytes = drawn.length / FRAMES, frames: Uint8Array[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const picture = drawn.subarray(i * pictureBytes, (i + 1) * pictureBytes);
    frames.push(await run("cjpeg", ["-quality", "85", ...SWITCHES[name]], picture));
  }
  return frames;
}

async function run(
  program: string,
  args: readonly string[],
  input?: Uint8Array,
): Promise<Uint8Array> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.output();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(input);
    await writer.close();
  }
  const { success, stdout } = await output;
  if (!success) throw new Error(`Cannot run ${program}`);
  return stdout;
}

const FRAMES = 20;
