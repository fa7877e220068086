/**
 * Command lines: a table of options, the words of a command line read by it, values taken out of words.
 *
 * Floor 4 (assembly), without I/O; both programs use it. The words are split by `@std/cli`; this room adds what that
 * leaves open: which options there are, that each gets the value it needs, and one sentence for what cannot be meant.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { parsePreviewAddress } from "./ui/http.ts";

/** A command line that cannot be carried out; the message is one sentence that says what to write. */
export class UsageError extends Error {
  /** Name of the class. */
  override name = "UsageError";
}

/** One option. */
export interface CommandLineOption {
  /** Long name, without the two hyphens. */
  readonly name: string;
  /** One letter that means the same. */
  readonly letter?: string;
  /** What its value is called in the help; an option without one takes no value. */
  readonly value?: string;
  /** What it does. */
  readonly effect: string;
}

/** The words of a command line, sorted. */
export interface CommandLineWords {
  /** The words that belong to no option, as they were written. */
  readonly alone: readonly string[];
  /** Whether the option was given. */
  has(name: string): boolean;
  /** The value of the option, the last one where it was given several times. */
  value(name: string): string | undefined;
  /** All values of the option, in order. */
  values(name: string): readonly string[];
}

/**
 * Sorts the words of a command line by a table of options: `--name value`, `--name=value`, `-n`; all behind `--`
 * stands alone.
 *
 * @throws {UsageError} for an option that is not in the table, one without the value it needs, and one with a value
 * that it does not take.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readWords } from "./command_line.ts";
 * const words = readWords(["1025", "--media", "films"], [{ name: "media", value: "DIR", effect: "" }]);
 * assertEquals([words.alone, words.value("media")], [["1025"], "films"]);
 * ```
 */
export function readWords(
  words: readonly string[],
  options: readonly CommandLineOption[],
): CommandLineWords {
  const withValue = options.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const without = options.filter(({ value }) => value === undefined);
  refuseValues(words, without);
  const given = parseArgs(words, {
    boolean: without.map(({ name }) => name),
    string: [...withValue, "_"], // "_": a file may be called 007
    collect: withValue,
    alias: Object.fromEntries(
      options.flatMap(({ name, letter }) => letter === undefined ? [] : [[name, letter]]),
    ),
    unknown: refuseUnknown,
  });
  const values = (name: string) => (given[name] ?? []) as readonly string[];
  for (const { name, value } of options) {
    if (value !== undefined && values(name).includes("")) {
      throw new UsageError(`--${name} needs a value: --${name} ${value}`);
    }
  }
  return {
    alone: given._.map(String),
    has: (name) => withValue.includes(name) ? values(name).length > 0 : given[name] === true,
    value: (name) => values(name).at(-1),
    values,
  };
}

/** The lines of a help text, one for each option, with the effects in one column. */
export function optionLines(
  options: readonly CommandLineOption[],
  width = widthOf(options),
): string[] {
  return options.map((option) => `  ${headOf(option).padEnd(width)}  ${option.effect}`);
}

/** Columns that the names of the options take, for {@linkcode optionLines} of several tables. */
export function widthOf(options: readonly CommandLineOption[]): number {
  return Math.max(...options.map((option) => headOf(option).length));
}

/** Smallest and largest value. */
export interface Bounds {
  /** Smallest value. */
  readonly from: number;
  /** Largest value. */
  readonly to: number;
}

/**
 * The whole number that a text says.
 *
 * @throws {UsageError} when it is none, or outside the bounds.
 */
export function wholeNumber(name: string, text: string, { from, to }: Bounds): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new UsageError(`${name} is "${text}": it must be a whole number from ${from} to ${to}`);
}

/**
 * The number that a text says, with or without a fraction.
 *
 * @throws {UsageError} when it is none, or outside the bounds.
 */
export function decimalNumber(name: string, text: string, { from, to }: Bounds): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new UsageError(`${name} is "${text}": it must be a number from ${from} to ${to}`);
}

/**
 * The one of the words that a text is.
 *
 * @throws {UsageError} when it is none of them.
 */
export function oneOf<Word extends string>(
  name: string,
  text: string,
  words: readonly Word[],
): Word {
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  const last = words[words.length - 1];
  throw new UsageError(
    `${name} is "${text}": it must be ${words.slice(0, -1).join(", ")} or ${last}`,
  );
}

/**
 * Where a preview listens: `PORT` or `ADDR:PORT`.
 *
 * @throws {UsageError} when the text is neither.
 */
export function previewAddress(
  text: string,
): { readonly hostname: string; readonly port: number } {
  const address = parsePreviewAddress(text);
  if (address) return address;
  throw new UsageError(
    `--preview is "${text}": it must be PORT or ADDR:PORT, with a port from 0 to 65535`,
  );
}

/** `--json=no` would be taken for `--json`. */
function refuseValues(words: readonly string[], flags: readonly CommandLineOption[]): void {
  for (const word of words) {
    if (word === "--") return;
    const flag = flags.find(({ name }) => word.startsWith(`--${name}=`));
    if (flag) throw new UsageError(`--${flag.name} takes no value`);
  }
}

function refuseUnknown(word: string): true {
  if (!word.startsWith("-") || word === "-") return true;
  if (/^-[\d.]+$/.test(word)) {
    throw new UsageError(`"${word}" is a negative number: none is taken here`);
  }
  throw new UsageError(`There is no option "${word.split("=")[0]}"`);
}

function headOf({ name, letter, value }: CommandLineOption): string {
  return `${letter === undefined ? "" : `-${letter}, `}--${name}${
    value === undefined ? "" : ` ${value}`
  }`;
}
