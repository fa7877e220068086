/**
 * The thread in which pictures are decoded and encoded; the only one that loads imagescript.
 *
 * Floor 3. Started by `image.ts` and spoken to by {@linkcode ImageJob} and {@linkcode ImageAnswer} alone.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { JpegFormatError } from "../errors.ts";
import { prepareJpeg, ScanRecoder, withHuffmanTables } from "../jpeg.ts";
import { stepBehind } from "./background_linux.ts";
import { ImageCodec } from "./codec.ts";
import { fitJpeg } from "./fit.ts";
import { BACKGROUND, type ImageAnswer, type ImageJob, type ImageResult } from "./image_job.ts";

let loading: Promise<ImageCodec> | undefined;
const recoder = new ScanRecoder();
if (self.name === BACKGROUND) stepBehind();

self.addEventListener("message", async (event: MessageEvent<ImageJob>) => {
  const { id } = event.data;
  try {
    const answer = await run(event.data);
    self.postMessage(answer, [answer.bytes.buffer as ArrayBuffer]);
  } catch (error) {
    const answer: ImageAnswer = {
      id,
      error: error instanceof Error ? error.message : String(error),
      code: error instanceof JpegFormatError ? error.code : undefined,
      offset: error instanceof JpegFormatError ? error.offset : 0,
    };
    self.postMessage(answer);
  }
});

async function run(job: ImageJob): Promise<ImageResult> {
  const { id } = job;
  if (job.kind === "prepare") {
    const { jpeg, actions } = prepareJpeg(job.jpeg, { ...job.options, recoder });
    return { id, bytes: jpeg, actions };
  }
  // Only these need imagescript: repairing alone shall not wait for it.
  const codec = await (loading ??= ImageCodec.load());
  const jpeg = withHuffmanTables(job.jpeg);
  if (job.kind === "fit") return { id, bytes: fitJpeg(codec, jpeg, job.maxBytes) };
  return { id, bytes: codec.encodePng(codec.decode(jpeg)) };
}
