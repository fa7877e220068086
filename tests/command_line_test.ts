import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  type CommandLineOption,
  decimalNumber,
  oneOf,
  optionLines,
  previewAddress,
  readWords,
  UsageError,
  wholeNumber,
} from "../lib/command_line.ts";

const OPTIONS: readonly CommandLineOption[] = [
  { name: "media", value: "DIR", effect: "folder" },
  { name: "no-fit", effect: "as it is" },
  { name: "help", letter: "h", effect: "this text" },
];

Deno.test("readWords() takes words as they were written, and options in every spelling", () => {
  const words = readWords(["007", "--media", "a", "1e3", "--media=b=c", "-h", "--", "-x"], OPTIONS);
  assertEquals(words.alone, ["007", "1e3", "-x"]);
  assertEquals([words.value("media"), words.values("media")], ["b=c", ["a", "b=c"]]);
  assertEquals([words.has("help"), words.has("no-fit"), words.has("media")], [true, false, true]);
  const none = readWords([], OPTIONS);
  assertEquals([none.alone, none.value("media"), none.values("media")], [[], undefined, []]);
  assertEquals(readWords(["--no-fit"], OPTIONS).has("no-fit"), true);
});

Deno.test("readWords() refuses in one sentence what the table does not know", () => {
  const cases: [words: string[], sentence: RegExp][] = [
    [["--colour=red"], /^There is no option "--colour"$/],
    [["--fit"], /no option "--fit"/],
    [["--no-media"], /no option "--no-media"/],
    [["-hx"], /no option "-hx"/],
    [["--__proto__"], /no option/],
    [["-1"], /"-1" is a negative number/],
    [["--media"], /^--media needs a value: --media DIR$/],
    [["--media="], /needs a value/],
    [["--media", "--help"], /needs a value/],
    [["--media", "a", "--media"], /needs a value/],
    [["--help=no"], /--help takes no value/],
  ];
  for (const [words, sentence] of cases) {
    assertMatch(assertThrows(() => readWords(words, OPTIONS), UsageError).message, sentence);
  }
});

Deno.test("values are what they must be, or the sentence says what they must be", () => {
  const bounds = { from: 1, to: 10 };
  assertEquals(wholeNumber("N", "010", bounds), 10);
  assertEquals(decimalNumber("N", "2.5", bounds), 2.5);
  assertEquals(oneOf("--way", "b", ["a", "b"]), "b");
  assertEquals(previewAddress("[::1]:81"), { hostname: "::1", port: 81 });
  for (const text of ["0", "11", "1.5", "0x5", "1e1", "", " 5", "99999999999999999999"]) {
    const { message } = assertThrows(() => wholeNumber("N", text, bounds), UsageError);
    assertEquals(message, `N is "${text}": it must be a whole number from 1 to 10`);
  }
  for (const text of ["0.9", "10.1", ".5", "5.", "NaN", "Infinity", "-1"]) {
    assertThrows(() => decimalNumber("N", text, bounds), UsageError, "a number from 1 to 10");
  }
  assertThrows(() => oneOf("--way", "d", ["a", "b", "c"]), UsageError, "must be a, b or c");
  assertThrows(() => previewAddress("1.2.3.4:65536"), UsageError, "from 0 to 65535");
});

Deno.test("optionLines() puts all effects in one column", () => {
  assertEquals(optionLines(OPTIONS), [
    "  --media DIR  folder",
    "  --no-fit     as it is",
    "  -h, --help   this text",
  ]);
});
