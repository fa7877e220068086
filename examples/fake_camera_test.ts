/**
 * A camera for a test: a server on a port of its own, with pictures of the test's choice, that is gone when the test
 * ends. Here the pictures come from the bundled sample; any baseline JPEGs will do, one after the other in one file.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { RtspClient, RtspServer } from "@deno-rtsp/deno-rtsp";

/** Starts a camera that shows `pictures` over and over, 50 a second. */
async function startCamera(
  pictures: readonly Uint8Array[],
): Promise<AsyncDisposable & { readonly url: string }> {
  const media = await Deno.makeTempDir();
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => Deno.remove(media, { recursive: true }));
  await Deno.writeFile(
    `${media}/live.mjpeg`,
    new Uint8Array(await new Blob([...pictures] as BlobPart[]).arrayBuffer()),
  );
  const server = cleanUp.use(
    await RtspServer.start({ media, hostname: "127.0.0.1", port: 0, frameRateHz: 50, loop: true }),
  );
  const url = server.url("live.mjpeg");
  const stack = cleanUp.move();
  return { url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("the program under test sees what the camera shows", async () => {
  const pictures = await samplePictures(5);
  await using camera = await startCamera(pictures);

  // Put your own program here. This one takes the first five frames.
  await using client = new RtspClient({ url: camera.url });
  await client.setup();
  const frames = client.frames();
  await client.play();
  const seen: Uint8Array[] = [];
  for await (const frame of frames) {
    seen.push(frame.jpeg);
    if (seen.length === pictures.length) break;
  }
  assertEquals(seen.map((jpeg) => scanOf(jpeg)), pictures.map((jpeg) => scanOf(jpeg)));
});

/** The first frames of the bundled sample: five digits of length, then a JPEG, and so on. */
async function samplePictures(count: number): Promise<Uint8Array[]> {
  const file = await Deno.readFile(new URL("../media/video.mjpeg", import.meta.url));
  const pictures: Uint8Array[] = [];
  for (let offset = 0; pictures.length < count;) {
    const length = Number(new TextDecoder().decode(file.subarray(offset, offset + 5)));
    pictures.push(file.subarray(offset + 5, offset + 5 + length));
    offset += 5 + length;
  }
  return pictures;
}

/** The compressed pixels, after the "start of scan" marker: RTP/JPEG sends them as they are and rebuilds the headers. */
function scanOf(jpeg: Uint8Array): Uint8Array {
  const marker = jpeg.findIndex((octet, i) => octet === 0xff && jpeg[i + 1] === 0xda);
  return jpeg.subarray(marker);
}
