/**
 * What is left of a heap after V8's full collections of garbage: memory that grows there is held by someone, memory that
 * grows between them is only not collected yet.
 *
 * @module
 */

/** One full collection of garbage. */
export interface Collection {
  /** Which of the process's threads: V8 gives each a heap of its own. */
  readonly heap: string;
  /** Seconds since that heap was made. */
  readonly second: number;
  /** Octets left. */
  readonly bytes: number;
}

/** Environment of a Deno program that shall write a line for each full collection. */
export const TRACING: Readonly<Record<string, string>> = {
  DENO_V8_FLAGS: "--trace-gc,--trace-gc-ignore-scavenger",
};

/** Reads what a traced program writes, until it ends. */
export async function readCollections(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  onCollection: (collection: Collection) => void,
): Promise<void> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const found = LINE.exec(line);
      if (found === null) continue;
      const [, heap, ms, megabytes] = found;
      onCollection({ heap, second: Number(ms) / 1000, bytes: Number(megabytes) * 2 ** 20 });
    }
  }
}

/** `[PID:heap]  168 ms: Mark-Compact 4.1 (6.2) -> 2.7 (6.2) MB, …` */
const LINE = /^\[\d+:(\w+)\] +(\d+) ms: .*Mark-Compact .*-> ([\d.]+) \(/;
