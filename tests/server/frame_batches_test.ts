import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path/from-file-url";
import { packetAt, type PacketBatch } from "../../lib/rtp.ts";
import { type FrameBatch, FrameBatches, isUnsendable } from "../../lib/server/frame_batches.ts";
import { FramePreparation } from "../../lib/server/frame_preparation.ts";
import { MediaLibrary, type SharedMovie } from "../../lib/server/media_library.ts";

const FOLDER = fromFileUrl(new URL("../../media/", import.meta.url));

async function withMovie(
  play: (batches: FrameBatches, movie: SharedMovie) => Promise<void>,
): Promise<void> {
  const unneeded = () => Promise.reject(new Error("no frame of the sample needs it"));
  const preparation = new FramePreparation({ prepare: unneeded }, {});
  const batches = new FrameBatches({ preparation, emit: () => {} });
  const library = new MediaLibrary({ folder: FOLDER, preparation, emit: () => {} });
  try {
    const movie = await library.open("video.mjpeg");
    await play(batches, movie!);
    movie!.release();
  } finally {
    await library.close();
  }
}

function packetsOf(batch: PacketBatch): Uint8Array[] {
  return Array.from({ length: batch.packetCount }, (_, i) => packetAt(batch, i));
}

function sendable(batch: ReturnType<FrameBatches["peek"]>): FrameBatch {
  assert(batch !== undefined && !isUnsendable(batch));
  return batch;
}

Deno.test("FrameBatches keeps one form of a frame for readers over TCP alone, and both where both are there", async () => {
  await withMovie(async (batches, movie) => {
    await batches.load(movie, "jpeg", 3, "TCP");
    assertEquals(batches.peek(movie, "jpeg", 3, "UDP"), undefined);
    const interleaved = sendable(batches.peek(movie, "jpeg", 3, "TCP"));
    assertEquals(interleaved.bytes[0], 0x24);
    await batches.load(movie, "jpeg", 3, "UDP");
    const plain = sendable(batches.peek(movie, "jpeg", 3, "UDP"));
    assertEquals(packetsOf(interleaved), packetsOf(plain));
    // Now the form for UDP is wanted, and stays.
    await batches.load(movie, "jpeg", 4, "UDP");
    await batches.load(movie, "jpeg", 4, "TCP");
    assert(batches.peek(movie, "jpeg", 4, "UDP") && batches.peek(movie, "jpeg", 4, "TCP"));
    batches.forget(movie.id);
    assertEquals(batches.peek(movie, "jpeg", 4, "TCP"), undefined);
  });
});

Deno.test("FrameBatches makes both forms at once where both are asked for at once", async () => {
  await withMovie(async (batches, movie) => {
    await Promise.all([
      batches.load(movie, "jpeg", 5, "UDP"),
      batches.load(movie, "jpeg", 5, "TCP"),
    ]);
    sendable(batches.peek(movie, "jpeg", 5, "UDP"));
    sendable(batches.peek(movie, "jpeg", 5, "TCP"));
  });
});
