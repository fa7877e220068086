/**
 * Reads a preview's video as a browser does, and notes when each frame was there whole.
 *
 * @module
 */
import { openLibc } from "../../lib/net/libc.ts";
import { CLOCK, readClockMs } from "../../lib/net/receive_work.ts";

/** Frame numbers, and when their last octet was read, on the system's monotonic clock in ms; until the stream ends. */
export async function readPreview(port: number): Promise<ReadonlyMap<number, number>> {
  const libc = openLibc()!;
  const shown = new Map<number, number>();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `GET /stream.mjpeg HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(1 << 20);
  const decoder = new TextDecoder("latin1");
  let text = "";
  let current: { readonly number: number; left: number } | undefined;
  try {
    for (let size; (size = await connection.read(buffer)) !== null;) {
      const now = readClockMs(libc, CLOCK.monotonic);
      for (let at = 0; at < size;) {
        if (current !== undefined) {
          const taken = Math.min(current.left, size - at);
          current.left -= taken;
          at += taken;
          if (current.left > 0) continue;
          shown.set(current.number, now);
          current = undefined;
          continue;
        }
        text += decoder.decode(buffer.subarray(at, Math.min(at + 256, size)));
        const head = /Content-Length: (\d+)\r\nX-Frame-Number: (\d+)\r\n.*\r\n\r\n/.exec(text);
        if (head === null) {
          at += 256;
          text = text.slice(-512);
          continue;
        }
        // What was read beyond the head belongs to the picture.
        at = Math.min(at + 256, size) - (text.length - head.index - head[0].length);
        text = "";
        current = { number: Number(head[2]), left: Number(head[1]) };
      }
    }
  } catch {
    // The client has ended.
  } finally {
    libc.close();
  }
  return shown;
}
