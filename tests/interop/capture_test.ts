/**
 * Our own captures in tshark: every packet dissected, none malformed, and the same counts, loss and jitter as our
 * statistics; written by the client, by the server, and exported by the button.
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { CaptureFile } from "../../lib/disk.ts";
import { joinTaps } from "../../lib/engine/wire_tap.ts";
import { createPreviewHandler } from "../../lib/ui/preview.ts";
import { ProtocolView } from "../../lib/ui/protocol_view.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { playToEnd } from "../support/played.ts";
import { runOk, textOf } from "../support/process.ts";
import { testWith } from "../support/programs.ts";
import { type Fate, RtspLink } from "../support/rtsp_link.ts";
import { TestServer } from "../support/test_server.ts";

const PROGRAMS = ["tshark"] as const;
const FRAMES = 40;

/** A file that tshark is asked about. */
class TsharkFile {
  readonly #path: string;
  readonly #ports: readonly number[];

  constructor(path: string, ...rtspPorts: number[]) {
    this.#path = path;
    this.#ports = rtspPorts;
  }

  /** Values of fields in every packet that passes the filter. */
  async fields(filter: string, ...names: string[]): Promise<string[][]> {
    const text = await this.#ask(
      ...["-2", "-Y", filter, "-T", "fields"],
      ...names.flatMap((name) => ["-e", name]),
    );
    return text.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  /** Packets and losses of the JPEG streams, by `-z rtp,streams`. */
  async streams(): Promise<{ packets: number; lost: number }[]> {
    const text = await this.#ask("-q", "-z", "rtp,streams");
    return [...text.matchAll(/\bJPEG\s+(\d+)\s+(-?\d+) \(/g)].map(([, packets, lost]) => ({
      packets: Number(packets),
      lost: Number(lost),
    }));
  }

  /** Nothing malformed, no dissector that gave up, every checksum right. */
  async assertSound(): Promise<void> {
    const bad = await this.fields(
      "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 || " +
        "tcp.checksum.status == 0 || udp.checksum.status == 0 || tcp.analysis.flags",
      ...["frame.number", "_ws.col.Protocol", "_ws.col.Info", "_ws.expert.message"],
    );
    assertEquals(bad, []);
  }

  async #ask(...args: string[]): Promise<string> {
    const checks = ["ip.check_checksum", "tcp.check_checksum", "udp.check_checksum"];
    const result = await runOk("tshark", {
      args: [
        ...["-r", this.#path, "--enable-heuristic", "rtp_udp"],
        ...this.#ports.flatMap((port) => ["-d", `tcp.port==${port},rtsp`]),
        ...checks.flatMap((name) => ["-o", `${name}:TRUE`]),
        ...args,
      ],
    });
    return textOf(result);
  }
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-capture-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function film(): Promise<TestServer> {
  return TestServer.start({}, { "movie.mjpeg": labFile(sampleFrames(FRAMES)) });
}

/** RFC 3550 A.8 over arrival times and timestamps as tshark reads them. */
async function jitterMs(file: TsharkFile): Promise<number> {
  const rows = await file.fields("rtp.p_type == 26", "frame.time_epoch", "rtp.timestamp");
  let jitter = 0;
  let transit: number | undefined;
  for (const [time, timestamp] of rows) {
    const next = Number(time) * 1000 - Number(timestamp) / 90;
    if (transit !== undefined) jitter += (Math.abs(next - transit) - jitter) / 16;
    transit = next;
  }
  return jitter;
}

for (const transport of ["udp", "tcp"] as const) {
  testWith(
    PROGRAMS,
    `tshark opens the client's capture of RTP/JPEG over ${transport}`,
    async () => {
      await withFolder(async (folder) => {
        await using served = await film();
        const path = `${folder}/client.pcapng`;
        const capture = await CaptureFile.open(path, { application: "test" });
        const url = served.url("movie.mjpeg");
        const { statistics } = await playToEnd({ url, transport, tap: capture.tap });
        await capture.close();
        assertEquals([capture.dropped, capture.fault], [0, undefined]);
        const file = new TsharkFile(path, served.port);
        await file.assertSound();
        assertEquals(await file.streams(), [{
          packets: statistics.packets,
          lost: statistics.lost,
        }]);
        assertAlmostEquals(await jitterMs(file), statistics.jitterMs, 0.05);
        const jpeg = await file.fields("jpeg && rtp.marker == 1", "frame.number");
        if (transport === "udp") assertEquals(jpeg.length, statistics.frames);
        const methods = await file.fields("rtsp.request", "rtsp.method");
        assertEquals(methods.flat(), ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]);
        assertEquals((await file.fields("rtsp.response", "rtsp.status")).flat().length, 5);
        assert((await file.fields("rtcp.pt == 200", "frame.number")).length > 0);
        assert((await file.fields("rtcp.pt == 201", "frame.number")).length > 0);
      });
    },
  );
}

testWith(PROGRAMS, "tshark counts the same loss as we do in the client's capture", async () => {
  await withFolder(async (folder) => {
    await using served = await film();
    const drops = new Set([45, 46, 61, 80]);
    const plan = (index: number): Fate => drops.has(index) ? "drop" : "pass";
    await using link = new RtspLink({ port: served.port, plan });
    const path = `${folder}/lossy.pcapng`;
    const capture = await CaptureFile.open(path, { application: "test" });
    const url = `rtsp://127.0.0.1:${link.port}/movie.mjpeg`;
    const { statistics } = await playToEnd({ url, transport: "udp", tap: capture.tap });
    await capture.close();
    assertEquals(statistics.lost, drops.size);
    const file = new TsharkFile(path, link.port);
    assertEquals(await file.streams(), [{ packets: statistics.packets, lost: statistics.lost }]);
  });
});

testWith(PROGRAMS, "tshark opens a capture of the lab's dialect, one JPEG a packet", async () => {
  await withFolder(async (folder) => {
    await using served = await film();
    const path = `${folder}/lab.pcapng`;
    const capture = await CaptureFile.open(path, { application: "test" });
    const url = { host: "127.0.0.1", port: served.port, file: "movie.mjpeg" };
    const { statistics } = await playToEnd({ url, dialect: "lab", tap: capture.tap });
    await capture.close();
    const file = new TsharkFile(path, served.port);
    await file.assertSound();
    const packets = await file.fields("rtp", "rtp.seq");
    assertEquals(packets.length, statistics.packets);
    const segments = await file.fields("tcp.len > 0", "tcp.payload");
    const text = segments.map(([hex]) => new TextDecoder().decode(Uint8Array.fromHex(hex))).join(
      "",
    );
    for (const word of ["SETUP movie.mjpeg", "PLAY", "TEARDOWN", "RTSP/1.0 200 OK"]) {
      assert(text.includes(word), word);
    }
  });
});

testWith(
  PROGRAMS,
  "tshark opens the server's capture of three readers at once, and its export",
  async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/server.pcapng`;
      const capture = await CaptureFile.open(path, { application: "test" });
      const view = new ProtocolView({ side: "server", application: "test", counters: () => [] });
      const tap = joinTaps([capture.tap, view.tap]);
      const files = { "movie.mjpeg": labFile(sampleFrames(FRAMES)) };
      let port: number;
      let counts: number[];
      {
        await using served = await TestServer.start({ tap }, files);
        port = served.port;
        const url = served.url("movie.mjpeg");
        const lab = { host: "127.0.0.1", port, file: "movie.mjpeg" };
        await Promise.all([
          playToEnd({ url, transport: "udp" }),
          playToEnd({ url, transport: "tcp" }),
          playToEnd({ url: lab, dialect: "lab" }),
        ]);
        while ((await served.server.sessions()).length > 0) await delay(10);
        const ended = served.events.filter((event) => event.type === "session-ended");
        counts = ended.map(({ packets }) => packets).sort();
      }
      await capture.close();
      const handler = createPreviewHandler({
        snapshot: () => ({}) as never,
        command: () => Promise.resolve(),
        latestFrame: () => undefined,
        onFrame: () => () => {},
        onChange: () => () => {},
      }, { png: (jpeg) => Promise.resolve(jpeg), allowedHosts: ["localhost"], protocol: view });
      const exported = await handler(new Request("http://localhost/export/capture.pcapng"));
      const exportPath = `${folder}/exported.pcapng`;
      await Deno.writeFile(exportPath, await exported.bytes());
      handler.close();
      for (const name of [path, exportPath]) {
        const file = new TsharkFile(name, port);
        await file.assertSound();
        const streams = await file.streams();
        assertEquals(streams.map(({ packets }) => packets).sort(), counts);
        assertEquals(streams.map(({ lost }) => lost), [0, 0, 0]);
      }
    });
  },
);

testWith(
  PROGRAMS,
  "a capture holds no password: logins are overwritten, and still dissected",
  async () => {
    await withFolder(async (folder) => {
      const files = { "movie.mjpeg": labFile(sampleFrames(5)) };
      const users = new Map([["ann", "open sesame"]]);
      const credentials = { username: "ann", password: "open sesame" };
      for (const offersBasic of [true, false]) {
        const path = `${folder}/login-${offersBasic}.pcapng`;
        const capture = await CaptureFile.open(path, { application: "test" });
        await using served = await TestServer.start(
          { users, offersBasic, offersSha256: !offersBasic, tap: capture.tap },
          files,
        );
        await playToEnd({ url: served.url("movie.mjpeg"), credentials, transport: "tcp" });
        await capture.close();
        const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
        assert(/Authorization: \w+ [\w="*]/.test(text));
        for (const secret of [btoa("ann:open sesame"), 'username="ann"', "open sesame"]) {
          assert(!text.includes(secret), secret);
        }
        assert(!/nonce="[^*"]/.test(text) && !/response="[^*"]/.test(text));
        await new TsharkFile(path, served.port).assertSound();
      }
    });
  },
);
