/**
 * ffmpeg as a reader of our streams.
 *
 * @module
 */
import { type Crop, digestsIn, framemd5Options, picturesOf } from "./pictures.ts";
import { run, type RunResult, textOf } from "./process.ts";

/** How ffmpeg is to receive. */
export interface FfmpegOptions {
  /** Value of `-rtsp_transport`: `udp`, `tcp`, `udp+tcp`, `http`. */
  readonly transport: string;
  /** Where to cut the decoded pictures before naming them. */
  readonly crop?: Crop;
  /** Further options before the URL. */
  readonly input?: readonly string[];
  /** Further options of both outputs, for example `-t 3`. */
  readonly output?: readonly string[];
  /** Milliseconds until it is ended. @default {60_000} */
  readonly timeoutMs?: number;
}

/** What ffmpeg received. */
export interface FfmpegReceived extends RunResult {
  /** Digests of the pictures it decoded itself while it received them. */
  readonly pictures: readonly string[];
  /** Digests of the pictures in the file it wrote with `-c copy`. */
  readonly copied: readonly string[];
  /** What it complained about. */
  readonly complaints: string;
}

/** Receives a stream to its end, copied to a file and decoded at the same time. */
export async function receiveWithFfmpeg(
  url: string,
  options: FfmpegOptions,
): Promise<FfmpegReceived> {
  const copy = await Deno.makeTempFile({ prefix: "deno-rtsp-ffmpeg-", suffix: ".mjpeg" });
  try {
    const result = await run("ffmpeg", {
      args: [
        ...["-y", "-nostdin", "-v", "warning", "-rtsp_transport", options.transport],
        ...(options.input ?? []),
        ...["-i", url],
        ...["-map", "0:v", "-c", "copy", ...(options.output ?? []), "-f", "mjpeg", copy],
        ...["-map", "0:v", ...(options.output ?? []), ...framemd5Options(options.crop)],
      ],
      timeoutMs: options.timeoutMs,
    });
    const hasCopy = (await Deno.stat(copy)).size > 0;
    return {
      ...result,
      pictures: digestsIn(textOf(result)),
      copied: hasCopy ? await picturesOf(copy, options.crop) : [],
      complaints: result.stderr.split("\n").filter((line) => !HARMLESS.test(line)).join("\n"),
    };
  } finally {
    await Deno.remove(copy);
  }
}

/**
 * What ffmpeg says about every Motion-JPEG stream, right or wrong; and of each pair of ports that was not free when it
 * looked for one.
 */
const HARMLESS =
  /^$|deprecated pixel format|Timestamps are unset|last message repeated|bind failed: Address already in use/i;
