import { assertAlmostEquals, assertEquals } from "@std/assert";
import { compactNtp, ntpFromUnixMs, unixMsFromNtp } from "../lib/ntp_time.ts";

Deno.test("ntpFromUnixMs() and unixMsFromNtp() agree to a microsecond", () => {
  for (const ms of [0, 1, 0.25, 999.999, 1_767_225_600_000, 1_767_225_600_123.456]) {
    assertAlmostEquals(unixMsFromNtp(ntpFromUnixMs(ms)), ms, 1e-3);
  }
});

Deno.test("ntpFromUnixMs() carries a fraction that rounds up into the seconds", () => {
  assertEquals(ntpFromUnixMs(999.9999999999), { seconds: 2_208_988_801, fraction: 0 });
});

Deno.test("unixMsFromNtp() takes small seconds for the era that begins in 2036", () => {
  const in2036 = Date.UTC(2036, 1, 7, 6, 28, 16);
  assertEquals(unixMsFromNtp({ seconds: 0, fraction: 0 }), in2036);
  assertEquals(ntpFromUnixMs(in2036 + 5000), { seconds: 5, fraction: 0 });
  assertEquals(unixMsFromNtp({ seconds: 2_208_988_800, fraction: 0 }), 0);
});

Deno.test("compactNtp() is the middle of the timestamp", () => {
  assertEquals(compactNtp({ seconds: 0xb44d_b705, fraction: 0x2000_0000 }), 0xb705_2000);
});
