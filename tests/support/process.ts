/**
 * Runs other programs in tests: always with a time limit, always ended by their own process id.
 *
 * It knows no program by name (see `programs.ts`) and never looks for processes it did not start.
 *
 * @module
 */

/** How a program is started. */
export interface RunOptions {
  /** Arguments, not seen by any shell. */
  readonly args?: readonly string[];
  /** Milliseconds until the program is told to end. @default {60_000} */
  readonly timeoutMs?: number;
  /** Working directory. */
  readonly cwd?: string;
  /** Further environment variables. */
  readonly env?: Record<string, string>;
  /** Octets for its standard input; without them the input is empty. */
  readonly stdin?: Uint8Array;
}

/** What became of a program. */
export interface RunResult {
  /** Exit code; 128 + n after signal n. */
  readonly code: number;
  /** All it wrote to its standard output. */
  readonly stdout: Uint8Array;
  /** All it wrote to its standard error, as text. */
  readonly stderr: string;
  /** Whether the time limit ended it. */
  readonly timedOut: boolean;
  /** Milliseconds from start to end. */
  readonly durationMs: number;
}

/** Milliseconds between the polite signal and the one that cannot be ignored. */
const GRACE_MS = 3_000;

/** Runs a program to its end, or to the time limit: first SIGTERM, later SIGKILL, to its own id alone. */
export async function run(program: string, options: RunOptions = {}): Promise<RunResult> {
  const started = performance.now();
  await using child = new RunningProgram(program, options);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.end();
  }, options.timeoutMs ?? 60_000);
  try {
    const code = await child.code;
    return {
      code,
      stdout: child.stdout(),
      stderr: new TextDecoder().decode(child.stderr()),
      timedOut,
      durationMs: performance.now() - started,
    };
  } finally {
    clearTimeout(limit);
  }
}

/** Runs a program that must succeed; throws with the end of what it wrote when it does not. */
export async function runOk(program: string, options: RunOptions = {}): Promise<RunResult> {
  const result = await run(program, options);
  if (result.code !== 0 || result.timedOut) {
    const why = result.timedOut ? "did not end in time" : `ended with code ${result.code}`;
    throw new Error(
      `Cannot run ${program} ${(options.args ?? []).join(" ")}: it ${why}\n` +
        result.stderr.slice(-4_000),
    );
  }
  return result;
}

/** Text of a result's standard output. */
export function textOf(result: RunResult): string {
  return new TextDecoder().decode(result.stdout);
}

/** Gathers a stream and lets others wait for a text in it. */
class Gathered {
  readonly #parts: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();
  #text = "";
  #ended = false;

  /** Reads to the end of the stream. */
  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const part of stream) {
      this.#parts.push(part);
      // Only the beginning is kept as text: nobody waits for a line behind megabytes of video.
      if (this.#text.length < 1_000_000) this.#text += decoder.decode(part, { stream: true });
      for (const wake of this.#waiting) wake();
    }
    this.#ended = true;
    for (const wake of this.#waiting) wake();
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  text(): string {
    return this.#text;
  }

  match(pattern: RegExp, timeoutMs: number): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#text.match(pattern);
        if (found === null && !this.#ended) return;
        stop();
        if (found !== null) resolve(found);
        else reject(new Error(`Cannot find ${pattern}: the program ended after "${this.#text}"`));
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`Cannot find ${pattern} in ${timeoutMs} ms: only "${this.#text}"`));
      }, timeoutMs);
      const stop = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** A program that runs beside the test; `await using` ends it. */
export class RunningProgram implements AsyncDisposable {
  /** Resolves to the exit code. */
  readonly code: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #stdout = new Gathered();
  readonly #stderr = new Gathered();
  #hasEnded = false;
  #killTimer: ReturnType<typeof setTimeout> | undefined;

  /** Starts the program; the time limit in `options` is the caller's business here. */
  constructor(program: string, options: RunOptions = {}) {
    this.#child = new Deno.Command(program, {
      args: [...options.args ?? []],
      cwd: options.cwd,
      env: options.env,
      stdin: options.stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.code = this.#finish(options.stdin);
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All octets of the standard output so far. */
  stdout(): Uint8Array {
    return this.#stdout.bytes();
  }

  /** All octets of the standard error so far. */
  stderr(): Uint8Array {
    return this.#stderr.bytes();
  }

  /** Waits for a text on the standard output. */
  outputMatching(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpMatchArray> {
    return this.#stdout.match(pattern, timeoutMs);
  }

  /** Waits for a text on the standard error. */
  errorMatching(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpMatchArray> {
    return this.#stderr.match(pattern, timeoutMs);
  }

  /** Sends a signal to this process alone; nothing happens when it has ended. */
  signal(signal: Deno.Signal): void {
    if (this.#hasEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
    }
  }

  /** SIGTERM now, SIGKILL when that did not help. */
  end(): void {
    if (this.#hasEnded || this.#killTimer !== undefined) return;
    this.signal("SIGTERM");
    this.#killTimer = setTimeout(() => this.signal("SIGKILL"), GRACE_MS);
  }

  /** Ends the program and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    await this.code;
  }

  async #finish(stdin: Uint8Array | undefined): Promise<number> {
    const child = this.#child;
    const [status] = await Promise.all([
      child.status,
      this.#stdout.read(child.stdout),
      this.#stderr.read(child.stderr),
      stdin && feed(child.stdin, stdin),
    ]);
    this.#hasEnded = true;
    clearTimeout(this.#killTimer);
    return status.code;
  }
}

/** Writes all octets and closes; a program that stops reading early is no error of ours. */
async function feed(stream: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
