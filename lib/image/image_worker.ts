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
import { ImageCodec } from "./codec.ts";
import { fitJpeg } from "./fit.ts";
import type { ImageAnswer, ImageJob } from "./image.ts";

const loading = ImageCodec.load();
loading.catch(() => {}); // told to whoever asks for the first picture

self.addEventListener("message", async (event: MessageEvent<ImageJob>) => {
  const { id } = event.data;
  try {
    const bytes = run(await loading, event.data);
    const answer: ImageAnswer = { id, bytes };
    self.postMessage(answer, [bytes.buffer as ArrayBuffer]);
  } catch (error) {
    const answer: ImageAnswer = {
      id,
      error: error instanceof Error ? error.message : String(error),
      code: error instanceof JpegFormatError ? error.code : undefined,
    };
    self.postMessage(answer);
  }
});

function run(codec: ImageCodec, job: ImageJob): Uint8Array {
  if (job.kind === "fit") return fitJpeg(codec, job.jpeg, job.maxBytes);
  return codec.encodePng(codec.decode(job.jpeg));
}
