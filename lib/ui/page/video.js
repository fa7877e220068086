// @ts-check
/// <reference lib="dom" />
// Shows /stream.mjpeg on a canvas. An <img> could do that too, but it shows a frame only when the next one begins, does
// not say which one it shows, and keeps a queue when the page is slow. Here the newest frame wins.

/**
 * Plays the stream until `signal` is aborted, with a new connection one second after the old one has ended.
 * @param {HTMLCanvasElement} canvas
 * @param {AbortSignal} signal
 * @param {(frameNumber: number) => void} onShown called after each frame that is shown
 */
export async function playVideo(canvas, signal, onShown) {
  const screen = createScreen(canvas, onShown);
  while (!signal.aborted) {
    try {
      const response = await fetch("/stream.mjpeg", { signal });
      if (response.ok && response.body) await readParts(response.body, screen);
    } catch {
      // gone; the page says so
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(frameNumber: number) => void} onShown
 */
function createScreen(canvas, onShown) {
  const context = canvas.getContext("bitmaprenderer");
  /** @type {{ jpeg: Uint8Array<ArrayBuffer>, number: number } | undefined} */
  let next;
  let isBusy = false;

  async function showNewest() {
    isBusy = true;
    while (next) {
      const { jpeg, number } = next;
      next = undefined;
      try {
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
        if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
        if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
        context?.transferFromImageBitmap(bitmap);
        onShown(number);
      } catch {
        // a broken picture: the one before stays
      }
    }
    isBusy = false;
  }

  /** @param {Uint8Array<ArrayBuffer>} jpeg @param {number} number */
  return (jpeg, number) => {
    next = { jpeg, number };
    if (!isBusy) showNewest();
  };
}

/**
 * Cuts a multipart body into its parts by their Content-Length.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(jpeg: Uint8Array<ArrayBuffer>, number: number) => void} onPart
 */
async function readParts(body, onPart) {
  const reader = body.getReader();
  let pending = new Uint8Array(0);
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(pending.length + value.length);
    joined.set(pending);
    joined.set(value, pending.length);
    pending = joined;
    for (let part = takePart(pending); part; part = takePart(pending)) {
      onPart(pending.slice(part.start, part.end), part.number);
      pending = pending.subarray(part.end);
    }
  }
}

const MAX_HEAD_BYTES = 1024;
const text = new TextDecoder("latin1");

/** @param {Uint8Array} bytes */
function takePart(bytes) {
  const head = text.decode(bytes.subarray(0, MAX_HEAD_BYTES));
  const end = head.indexOf("\r\n\r\n");
  const length = head.slice(0, end + 2).match(/^content-length: (\d+)\r$/im);
  if (end < 0 || !length) return undefined;
  const start = end + 4;
  const number = Number(head.slice(0, end + 2).match(/^x-frame-number: (\d+)\r$/im)?.[1]);
  const partEnd = start + Number(length[1]);
  return bytes.length < partEnd ? undefined : { start, end: partEnd, number };
}
