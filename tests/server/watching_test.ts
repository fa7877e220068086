/** `rtsp-server --preview` and `--capture`: the page of a running server, and what it tells of its sessions. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { RtspClient } from "../../lib/client/client.ts";
import { ServerWatching } from "../../lib/server/watching.ts";
import type { ProtocolBatch } from "../../lib/ui/protocol_events.ts";
import { TestServer } from "../support/test_server.ts";

interface Options {
  readonly hostname?: string;
  readonly capturePath?: string;
}

async function watched({ hostname = "127.0.0.1", capturePath }: Options = {}) {
  const warnings: string[] = [];
  const watching = await ServerWatching.open({
    application: "test",
    preview: { hostname, port: 0 },
    capturePath,
    warn: (sentence) => warnings.push(sentence),
  });
  return { watching, warnings };
}

/** The first batch of the events, which holds everything. */
async function snapshot(address: string): Promise<ProtocolBatch> {
  const response = await fetch(new URL("/protocol/events", address));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    text += (await reader.read()).value;
    const data = /^data: (.*)$/m.exec(text);
    if (data === null || !text.includes("\n\n", data.index)) continue;
    await reader.cancel();
    return JSON.parse(data[1]);
  }
}

Deno.test("ServerWatching shows each session with its dialogue, packets, frames and seconds", async () => {
  const { watching, warnings } = await watched();
  {
    await using served = await TestServer.start({ tap: watching.tap, loop: true });
    const address = watching.show(served.single)!;
    const url = served.url("movie.mjpeg");
    const lab = { host: "127.0.0.1", port: served.port, file: "movie.mjpeg" };
    await using udp = new RtspClient({ url, transport: "udp" });
    await using tcp = new RtspClient({ url, transport: "tcp" });
    await using old = new RtspClient({ url: lab, dialect: "lab" });
    for (const client of [udp, tcp, old]) {
      await client.setup();
      await client.play();
    }
    await delay(1300);
    await tcp.teardown();
    const batch = await snapshot(address);
    assertEquals(batch.side, "server");
    assertEquals(
      batch.sessions.map(({ transport, dialect, state, url }) => [transport, dialect, state, url]),
      [
        ["udp", "rtsp", "PLAYING", "movie.mjpeg"],
        ["tcp", "rtsp", "INIT", "movie.mjpeg"],
        ["udp", "lab", "PLAYING", "movie.mjpeg"],
      ],
    );
    assertEquals(batch.sessions[1].endReason, "TEARDOWN");
    for (const { id, sample } of batch.sessions) {
      assert(batch.messages.some(({ session, method }) => session === id && method === "SETUP"));
      assert(batch.frames.some(({ session, status }) => session === id && status === "sent"));
      assert(sample !== null && sample.packetRate > 0 && sample.frameRate > 30, String(id));
      const file = await fetch(new URL(`/export/dialogue.txt?session=${id}`, address));
      assert(/SETUP .*movie\.mjpeg/.test(await file.text()));
    }
    assertEquals(batch.transitions.filter(({ to }) => to === "PLAYING").length, 3);
    for (const { cause, message, to } of batch.transitions) {
      const request = batch.messages.find(({ id }) => id === message);
      assertEquals([request?.method, request?.direction], [cause, "in"], `to ${to}`);
    }
    const state = await (await fetch(new URL("/state", address))).json();
    assertEquals([state.side, state.sessions.length], ["server", 2]);
    // The secret of a session is in its dialogue only, which its client knows anyway.
    assert(!JSON.stringify(state).includes(batch.messages.find((m) => m.sessionId)!.sessionId!));
  }
  await watching.close();
  assertEquals([warnings, watching.summary()], [[], undefined]);
});

Deno.test("ServerWatching blanks credentials in events and exports", async () => {
  const { watching } = await watched();
  {
    await using served = await TestServer.start({
      users: new Map([["ann", "open-sesame"]]),
      offersSha256: false,
      tap: watching.tap,
    });
    const address = watching.show(served.single)!;
    await using client = new RtspClient({
      url: served.url("movie.mjpeg"),
      credentials: { username: "ann", password: "open-sesame" },
    });
    await client.setup();
    const { messages } = await snapshot(address);
    assert(messages.some(({ isMasked, method }) => isMasked && method === "SETUP"));
    const texts = messages.map(({ bytes }) => atob(bytes));
    for (const name of ["dialogue.txt", "dialogue.mmd", "capture.pcapng", "statistics.json"]) {
      const file = await fetch(new URL(`/export/${name}`, address));
      texts.push(new TextDecoder("latin1").decode(await file.bytes()));
    }
    for (const text of texts) {
      assert(!/"ann"|(nonce|response|cnonce|opaque)="[^*"]/.test(text), text);
    }
    assert(texts.some((text) => /realm="[^*"]+"/.test(text)));
  }
  await watching.close();
});

Deno.test("ServerWatching asks for a token beyond the loopback, and captures to a file", async () => {
  const capturePath = await Deno.makeTempFile({ suffix: ".pcapng" });
  const { watching } = await watched({ hostname: "0.0.0.0", capturePath });
  {
    await using served = await TestServer.start({ tap: watching.tap });
    const address = watching.show(served.single)!;
    const token = new URL(address).searchParams.get("token")!;
    assert(token.length >= 22);
    const statusOf = async (path: string) => {
      const response = await fetch(new URL(path, address));
      await response.body?.cancel();
      return response.status;
    };
    assertEquals([await statusOf("/"), await statusOf("/state")], [403, 403]);
    assertEquals(await statusOf(`/?token=${token}`), 200);
    assertEquals(await statusOf(`/state?token=${token}`), 200);
  }
  await watching.close();
  assert(/^Captured \d+ packets to "/.test(watching.summary()!));
  assert((await Deno.stat(capturePath)).size > 100);
  await Deno.remove(capturePath);
});
