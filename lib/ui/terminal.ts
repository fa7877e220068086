/**
 * The terminal: one status line that rewrites itself, lines above it, keys, and questions without an echo.
 *
 * Floor 3 (wall). Everything goes to standard error, so that standard output stays free for results. Where there is no
 * terminal, lines are written plainly and the rest does nothing. It knows nothing of what the lines and keys mean.
 *
 * @module
 */

/** Colours that a line may have; they show only on a terminal, and not where `NO_COLOR` is set. */
export type Paint = "plain" | "dim" | "bold" | "green" | "yellow" | "red" | "cyan";

/** What a {@linkcode Terminal} needs of its surroundings; replaced in tests. */
export interface TerminalDevice {
  /** Whether keys can be read and the status line can be rewritten. */
  readonly isInteractive: boolean;
  /** Whether colours may be shown. */
  readonly hasColors: boolean;
  /** Width in columns as of now. */
  columns(): number;
  /** Writes text as it is. */
  write(text: string): void;
  /** Switches keys that come one by one on or off; signals from keys stay. */
  setRaw(isRaw: boolean): void;
  /** Reads some keys; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** The terminal this program was started in. */
export class Terminal implements Disposable {
  readonly #device: TerminalDevice;
  readonly #keyListeners = new Set<(key: string) => void>();
  #status = "";
  #isReading = false;
  #isClosed = false;
  #question: { readonly take: (key: string) => void } | undefined;

  /** Nothing is written or read yet. */
  constructor(device: TerminalDevice = systemDevice()) {
    this.#device = device;
  }

  /** Whether there is a person with a keyboard. */
  get isInteractive(): boolean {
    return this.#device.isInteractive;
  }

  /** `text` in a colour, or as it is where colours are unwanted. */
  paint(text: string, paint: Paint): string {
    return this.#device.hasColors ? `\x1b[${PAINT_CODES[paint]}m${text}\x1b[0m` : text;
  }

  /** Writes one line; the status line moves down. */
  log(line: string): void {
    this.#clearStatus();
    this.#device.write(`${line}\n`);
    this.#drawStatus();
  }

  /** Replaces the status line: cut to the width of the terminal, nothing without one. `""` takes it away. */
  status(line: string): void {
    if (!this.isInteractive || this.#isClosed) return;
    this.#clearStatus();
    this.#status = line;
    this.#drawStatus();
  }

  /** Calls `listener` for each key (arrows by name: "left") until the returned function is called. Keys are read from the first listener on. */
  onKey(listener: (key: string) => void): () => void {
    this.#keyListeners.add(listener);
    this.#startReading();
    return () => void this.#keyListeners.delete(listener);
  }

  /**
   * Asks a question and waits for a line; `undefined` without a person or when the line was given up (Ctrl-D).
   * A secret answer is not shown.
   *
   * Not `promptSecret` of `@std/cli`: it reads synchronously, so that nothing else would happen until the answer is
   * there (no signal, no preview, no keepalive), and cannot read at all while a read for keys is under way.
   */
  ask(
    question: string,
    options: { readonly isSecret?: boolean } = {},
  ): Promise<string | undefined> {
    if (!this.isInteractive || this.#isClosed) return Promise.resolve(undefined);
    this.#clearStatus();
    this.#device.write(question);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    let answer = "";
    const finish = (result: string | undefined) => {
      this.#question = undefined;
      this.#device.write("\n");
      this.#drawStatus();
      resolve(result);
    };
    const take = (key: string) => {
      if (key === "\r" || key === "\n") return finish(answer);
      if (key === "\x04") return finish(undefined);
      if (key === "\x7f" || key === "\b") {
        if (answer !== "" && !options.isSecret) this.#device.write("\b \b");
        answer = [...answer].slice(0, -1).join("");
      } else if (key >= " ") {
        answer += key;
        if (!options.isSecret) this.#device.write(key);
      }
    };
    this.#question = { take };
    this.#startReading();
    return promise;
  }

  /** Takes the status line away and gives the keyboard back as it was. Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#question) this.#device.write("\n");
    this.#question = undefined;
    this.status("");
    this.#isClosed = true;
    this.#keyListeners.clear();
    if (this.#isReading) this.#device.setRaw(false);
  }

  /** The same as {@linkcode Terminal.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #clearStatus(): void {
    if (this.#status !== "" && !this.#question) this.#device.write("\r\x1b[2K");
  }

  #drawStatus(): void {
    if (this.#status === "" || this.#isClosed || this.#question) return;
    this.#device.write(cut(this.#status, Math.max(20, this.#device.columns() - 1)));
  }

  #startReading(): void {
    if (this.#isReading || !this.isInteractive || this.#isClosed) return;
    this.#isReading = true;
    this.#device.setRaw(true);
    void this.#read();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const count = await this.#device.read(buffer);
        if (count === null || this.#isClosed) return;
        const keys = decoder.decode(buffer.subarray(0, count), { stream: true });
        // Arrows and other keys of several characters; a lone escape means nothing.
        for (const [key] of keys.matchAll(KEYS)) {
          if (key.startsWith("\x1b")) this.#pressNamed(NAMED_KEYS[key.at(-1)!]);
          else this.#press(key);
        }
      }
    } catch {
      // The terminal is gone: no more keys.
    }
  }

  #pressNamed(name: string | undefined): void {
    if (name === undefined || this.#question) return;
    for (const listener of this.#keyListeners) listener(name);
  }

  #press(key: string): void {
    if (this.#question) return this.#question.take(key);
    for (const listener of this.#keyListeners) listener(key);
  }
}

/** Cuts a line to so many columns; colour codes take none. */
function cut(line: string, columns: number): string {
  let width = 0;
  let result = "";
  // deno-lint-ignore no-control-regex -- the codes that colours are made of
  for (const [part] of line.matchAll(/\x1b\[\d*m|[^]/gu)) {
    const isCode = part.length > 1 && part.startsWith("\x1b");
    if (!isCode && ++width > columns) continue;
    result += part;
  }
  return result;
}

// deno-lint-ignore no-control-regex -- what terminals send for keys
const KEYS = /\x1b(?:[\[O][\d;]*[A-Za-z~])?|[^]/gu;
/** By the last letter of what a terminal sends. */
const NAMED_KEYS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
};

const PAINT_CODES: Readonly<Record<Paint, number>> = {
  plain: 0,
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
};

function systemDevice(): TerminalDevice {
  const encoder = new TextEncoder();
  const isTerminal = Deno.stderr.isTerminal();
  return {
    isInteractive: isTerminal && Deno.stdin.isTerminal(),
    hasColors: isTerminal && !Deno.noColor,
    columns() {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return 80;
      }
    },
    write(text) {
      const bytes = encoder.encode(text);
      try {
        for (let offset = 0; offset < bytes.length;) {
          offset += Deno.stderr.writeSync(bytes.subarray(offset));
        }
      } catch {
        // Nobody reads any more, which is no reason to stop playing.
      }
    },
    setRaw(isRaw) {
      try {
        Deno.stdin.setRaw(isRaw, { cbreak: isRaw });
      } catch {
        // The terminal is gone.
      }
    },
    read: (buffer) => Deno.stdin.read(buffer),
  };
}
