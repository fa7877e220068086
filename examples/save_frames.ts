/**
 * Plays a URL and saves each frame as a JPEG file: `save_frames.ts URL FOLDER [COUNT]`.
 *
 * @module
 */
import { RtspClient } from "@deno-rtsp/deno-rtsp";

/** Saves up to `count` frames, as they came from the network, and resolves to how many there were. */
export async function saveFrames(url: string, folder: string, count = Infinity): Promise<number> {
  await Deno.mkdir(folder, { recursive: true });
  await using client = new RtspClient({ url });
  await client.setup();
  const frames = client.frames();
  await client.play();
  let saved = 0;
  for await (const frame of frames) {
    const name = `frame-${String(frame.number).padStart(6, "0")}.jpg`;
    await Deno.writeFile(`${folder}/${name}`, frame.jpeg);
    if (++saved >= count) break;
  }
  return saved;
}

if (import.meta.main) {
  const [url, folder, count] = Deno.args;
  if (url === undefined || folder === undefined) {
    console.error("Usage: save_frames.ts URL FOLDER [COUNT]");
    Deno.exit(2);
  }
  console.log(
    `${await saveFrames(url, folder, count === undefined ? Infinity : Number(count))} frames`,
  );
}
