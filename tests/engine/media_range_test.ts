import { assertEquals, assertThrows } from "@std/assert";
import { filmRangeOf, formatPlayedRange } from "../../lib/engine/media_range.ts";
import { RtspFormatError } from "../../lib/errors.ts";

const FILM = { startUnixMs: Date.UTC(2026, 4, 1, 12) };

function answered(asked: string, film = {}): string {
  const { start, end } = filmRangeOf(asked, film)!;
  return formatPlayedRange(
    {
      startSeconds: start as number,
      endSeconds: end,
      mediaTicks: 0,
      scale: 1,
      speed: 1,
      isStep: false,
    },
    asked,
    film,
  );
}

Deno.test("filmRangeOf() and formatPlayedRange() agree in each kind of times", () => {
  for (
    const asked of [
      "npt=1.500-2.000",
      "smpte-25=00:00:10:05-00:01:00",
      "smpte=00:01:00:02-00:10:00",
      "smpte-30-drop=01:23:45:29-",
      "clock=20260501T120010Z-20260501T120020.500Z",
    ]
  ) assertEquals(answered(asked, FILM), asked);
});

Deno.test("filmRangeOf() drops the numbers 0 and 1 of each minute but every tenth", () => {
  const secondsOf = (code: string) => filmRangeOf(`smpte=${code}-`, {})!.start as number;
  assertEquals(secondsOf("00:00:00:00"), 0);
  assertEquals(Math.round(secondsOf("00:00:59:29") * 30 / 1.001), 1799);
  assertEquals(Math.round(secondsOf("00:01:00:02") * 30 / 1.001), 1800);
  assertEquals(Math.round(secondsOf("00:10:00:00") * 30 / 1.001), 17_982);
});

Deno.test("filmRangeOf() needs to know when a film was taken before it takes absolute times", () => {
  assertEquals(filmRangeOf("clock=20260501T120010Z-", {}), undefined);
  assertEquals(filmRangeOf("clock=20260501T120010Z-", FILM)?.start, 10);
});

Deno.test("filmRangeOf() refuses what is no range", () => {
  assertThrows(() => filmRangeOf("bytes=0-1", {}), RtspFormatError);
});
