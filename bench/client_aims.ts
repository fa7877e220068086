/**
 * The aims of the formats that a client runs for each packet, in one run: our cost beside rtp.js and werift, RTP/JPEG in
 * Gbit/s, Huffman re-coding in MB/s.
 *
 *     deno run --allow-all bench/client_aims.ts
 *
 * It runs three of the micro-benchmarks and takes the best run of each, for a machine may have other work to do.
 *
 * @module
 */
import { ROOT } from "../tools/repository.ts";

/** What `deno bench --json` tells of a benchmark. */
interface Measured {
  readonly name: string;
  readonly group: string | null;
  readonly results: readonly { readonly ok?: { readonly min: number } }[];
}

const FILES = ["peers_bench.ts", "rtp_jpeg_bench.ts", "jpeg_bench.ts"];
/** Octets of the sample's frames. */
const FILM_BYTES = Deno.statSync(`${ROOT}media/video.mjpeg`).size;

const { stdout, success } = await new Deno.Command(Deno.execPath(), {
  args: ["bench", "--quiet", "--allow-all", "--json", ...FILES.map((name) => `bench/${name}`)],
  cwd: ROOT,
  stderr: "inherit",
}).output();
if (!success) Deno.exit(1);
const { benches } = JSON.parse(new TextDecoder().decode(stdout)) as { benches: Measured[] };

console.log("| Aim | Reached | Met |\n|---|---|---|");
for (const work of ["read RTP", "write RTP"]) {
  const [ours, rtpJs, werift] = ["ours", "rtp.js", "werift"].map((name) => bestOf(work, name));
  const shares = [ours / rtpJs, ours / werift];
  tell(
    `${work}: at most 1/5 of rtp.js and of werift`,
    `1/${(1 / shares[0]).toFixed(0)} and 1/${(1 / shares[1]).toFixed(0)}`,
    shares.every((share) => share <= 1 / 5),
  );
}
const gbit = FILM_BYTES * 8 / bestOf("film", "JpegDepacketizer");
tell("RTP/JPEG depacketizing: at least 4 Gbit/s a core", `${gbit.toFixed(1)} Gbit/s`, gbit >= 4);
const recoded = benches.find(({ name }) => name.startsWith("repairJpeg(), optimized"))!;
const megabytes = Number(/([\d.]+) MB/.exec(recoded.name)![1]);
const rate = megabytes * 1e9 / bestOf("optimized", "repairJpeg()");
const ffmpeg = megabytes * 1e9 / bestOf("optimized", "ffmpeg decodes");
tell(
  "Huffman re-coding: at least 60 MB/s a core",
  `${rate.toFixed(0)} MB/s (ffmpeg decodes ${ffmpeg.toFixed(0)} MB/s)`,
  rate >= 60,
);

/** Nanoseconds of the best run. */
function bestOf(group: string, name: string): number {
  const found = benches.find((bench) => bench.group === group && bench.name.startsWith(name));
  const best = found?.results[0]?.ok?.min;
  if (best === undefined) throw new Error(`Cannot measure "${name}": there is no such benchmark`);
  return best;
}

function tell(aim: string, reached: string, isMet: boolean): void {
  console.log(`| ${aim} | ${reached} | ${isMet ? "yes" : "no"} |`);
}
