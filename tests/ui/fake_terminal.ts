/**
 * A terminal without a screen: what was written is kept, and the test types.
 *
 * @module
 */
import type { TerminalDevice } from "../../lib/ui/terminal.ts";

/** A terminal for tests. */
export class FakeTerminal implements TerminalDevice {
  isInteractive = true;
  hasColors = false;
  width = 200;
  isRaw = false;
  /** What was written and not yet looked at. */
  written = "";
  /** All that was ever written. */
  everything = "";
  #typed = "";
  #wake: (() => void) | undefined;

  columns(): number {
    return this.width;
  }

  write(text: string): void {
    this.written += text;
    this.everything += text;
  }

  setRaw(isRaw: boolean): void {
    this.isRaw = isRaw;
    if (!isRaw) this.#wake?.();
  }

  /** Presses these keys. */
  type(keys: string): void {
    this.#typed += keys;
    this.#wake?.();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#typed === "") {
      await new Promise<void>((resolve) => this.#wake = resolve);
      if (!this.isRaw) return null;
    }
    const bytes = new TextEncoder().encode(this.#typed).subarray(0, buffer.length);
    this.#typed = "";
    buffer.set(bytes);
    return bytes.length;
  }
}
