import { assert, assertEquals } from "@std/assert";
import { decodeRtp } from "../../lib/rtp.ts";
import { type ProbeResponse, RtspProbe } from "../support/rtsp_probe.ts";
import { TestServer } from "../support/test_server.ts";

const TCP = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };

function numbersOf(response: ProbeResponse): { seq: number; rtptime: number } {
  const match = /seq=(\d+);rtptime=(\d+)$/.exec(response.headers.get("rtp-info") ?? "")!;
  return { seq: Number(match[1]), rtptime: Number(match[2]) };
}

Deno.test("RtspServer answers the Range, Scale and Speed that are really used", async () => {
  await using test = await TestServer.start({ frameRateHz: 20 });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = await probe.ask("SETUP", url, TCP);
  const session = { Session: setup.headers.get("session")!.split(";")[0] };
  const cases: readonly [Record<string, string>, Record<string, string | undefined>][] = [
    [{ Range: "npt=0.5-", Scale: "2" }, { range: "npt=0.500-1.000", scale: "2.0" }],
    [{ Range: "npt=0.5-", Scale: "-0.5" }, { range: "npt=0.500-0.000", scale: "-0.5" }],
    [{ Range: "npt=1-0.3", Scale: "-100" }, { range: "npt=1.000-0.300", scale: "-32.0" }],
    [{ Range: "npt=0.5-", Speed: "4" }, { range: "npt=0.500-1.000", speed: "4.0" }],
    [{ Range: "npt=0.52-0.52" }, { range: "npt=0.500-0.550" }],
    [{ Range: "smpte-25=0:00:00:05-" }, { range: "smpte-25=00:00:00:05-00:00:01" }],
    [{ Range: "npt=0-" }, { range: "npt=0.000-1.000" }],
  ];
  for (const [asked, wanted] of cases) {
    const { headers, statusCode } = await probe.ask("PLAY", url, { ...session, ...asked });
    assertEquals(
      [statusCode, headers.get("range"), headers.get("scale"), headers.get("speed")],
      [200, wanted.range, wanted.scale, wanted.speed],
      JSON.stringify(asked),
    );
  }
  for (
    const [name, value] of [["Scale", "0"], ["Scale", "fast"], ["Speed", "0"], ["Speed", "-1"]]
  ) {
    const refused = await probe.ask("PLAY", url, { ...session, [name]: value });
    assertEquals(refused.statusCode, 400, `${name}: ${value}`);
  }
});

Deno.test("RtspServer sends one frame for a step, no goodbye, and goes on from there", async () => {
  await using test = await TestServer.start({ frameRateHz: 20 });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = await probe.ask("SETUP", url, TCP);
  const session = { Session: setup.headers.get("session")!.split(";")[0] };
  let last: { seq: number; rtptime: number } | undefined;
  for (const moment of ["0.31", "0.36", "0.2"]) {
    const play = await probe.ask("PLAY", url, { ...session, Range: `npt=${moment}-${moment}` });
    const announced = numbersOf(play);
    // Behind the frame before: one interval on, whatever the jump (RFC 2326 App. B).
    if (last !== undefined) assertEquals((announced.rtptime - last.rtptime) >>> 0, 4500);
    last = announced;
    await new Promise((resolve) => setTimeout(resolve, 150));
    assertEquals((await probe.ask("PAUSE", url, session)).statusCode, 200);
  }
  assertEquals(test.events.filter(({ type }) => type === "stream-ended"), []);
  const resumed = await probe.ask("PLAY", url, session);
  assertEquals(resumed.headers.get("range"), "npt=0.250-1.000");
  const timestamps = new Set<number>();
  for (const packet of await probe.interleaved(0, 5)) timestamps.add(decodeRtp(packet).timestamp);
  assert(timestamps.size >= 1);
});
