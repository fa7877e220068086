/**
 * The captured dialogues of the lab's clients, driven over real sockets against the real server: each request in
 * one segment, octet by octet, and in two segments, split at every place.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { labFileOf, type Movie, movieOf } from "../support/corpus.ts";
import { testWith } from "../support/programs.ts";
import { Served } from "../support/served.ts";
import { LAB_DIALOGUES, type LabDialogue } from "../vectors/lab_dialogues.ts";

const LIMIT_MS = 30_000;
const encoder = new TextEncoder();

/** A server with the film under every name the dialogues use. */
function serveFilm(movie: Movie): Promise<Served> {
  const film = labFileOf(movie);
  return Served.start({ "movie.Mjpeg": film, "tiny.mjpeg": film }, {
    maxConnectionsPerAddress: 1_000,
    workers: 2,
  });
}

/** A lab client's TCP connection: reads as they do, one answer being what one read returns. */
class LabConnection implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
  }

  static async open(port: number): Promise<LabConnection> {
    return new LabConnection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** One read, as the lab's clients do it: whatever comes is taken for one whole answer. */
  async answer(): Promise<string> {
    const buffer = new Uint8Array(1_024);
    const size = await deadline(this.#connection.read(buffer), LIMIT_MS);
    return new TextDecoder().decode(buffer.subarray(0, size ?? 0));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** What an answer of 200 has to be, to the octet; the session is its only group. */
function answerPattern({ answers }: LabDialogue, cseq: number): RegExp {
  const end = answers === "LF" ? "\n" : "\r\n";
  // To a message that ended with a blank line further headers may follow.
  const tail = answers === "CRLF with a blank line" ? "(?:[A-Za-z-]+: .*\r\n)*\r\n" : "";
  return new RegExp(
    `^RTSP/1\\.0 200 OK${end}CSeq: ${cseq}${end}Session: ([1-9]\\d*)${end}${tail}$`,
  );
}

/** Sends the requests one after the other by `write` and checks each answer; returns after the TEARDOWN. */
async function converse(
  connection: LabConnection,
  dialogue: LabDialogue,
  port: number,
  write: (request: string, index: number) => Promise<void>,
  between?: (index: number) => Promise<void>,
): Promise<void> {
  let session = "";
  for (const [i, template] of dialogue.requests.entries()) {
    await write(template.replace("{port}", String(port)).replace("{session}", session), i);
    const answer = await connection.answer();
    const pattern = answerPattern(dialogue, dialogue.cseqs[i]);
    assertMatch(answer, pattern, `${dialogue.name}: answer to ${JSON.stringify(template)}`);
    session = answer.match(pattern)![1];
    await between?.(i);
  }
}

/** A UDP port that only takes in. */
class LabReceiver implements Disposable {
  readonly datagrams: Uint8Array[] = [];
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  #wake = () => {};

  constructor() {
    (async () => {
      for await (const [datagram] of this.#socket) {
        this.datagrams.push(datagram.slice());
        this.#wake();
      }
    })();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async atLeast(count: number): Promise<void> {
    while (this.datagrams.length < count) {
      await deadline(new Promise<void>((resolve) => this.#wake = resolve), LIMIT_MS);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

for (const dialogue of LAB_DIALOGUES) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `server and lab client, ${dialogue.name}: answers to the octet, frames in order across a pause`,
    async () => {
      const movie = await movieOf("small");
      await using served = await serveFilm(movie);
      using receiver = new LabReceiver();
      using connection = await LabConnection.open(served.port);
      let afterPause = 0;
      const write = (request: string) => connection.send(request);
      await converse(connection, dialogue, receiver.port, write, async (i) => {
        if (i === 1) await receiver.atLeast(10);
        if (i === 2) {
          // What was under way when PAUSE came may still arrive; then nothing does.
          await pause(100);
          afterPause = receiver.datagrams.length;
          await pause(200);
          assertEquals(receiver.datagrams.length, afterPause, "frames during the pause");
        }
        if (i === 3) await receiver.atLeast(afterPause + 10);
      });
      for (const [k, datagram] of receiver.datagrams.entries()) {
        const view = new DataView(datagram.buffer);
        assertEquals([view.getUint8(0), view.getUint8(1)], [0x80, 0x80 | 26], `packet ${k}`);
        assertEquals(view.getUint16(2), k + 1, "the sequence number is the frame's, from 1");
        assertEquals(datagram.subarray(12), movie.frames[k], `frame ${k + 1}`);
      }
      const stamps = receiver.datagrams.map((datagram) =>
        new DataView(datagram.buffer).getUint32(4)
      );
      assertEquals(new Set(stamps).size, stamps.length, "timestamps differ from frame to frame");
    },
  );
}

testWith(
  ["ffmpeg", "cjpeg"],
  "server and lab clients: the same answers when requests come octet by octet",
  async () => {
    await using served = await serveFilm(await movieOf("small"));
    using receiver = new LabReceiver();
    await Promise.all(LAB_DIALOGUES.map(async (dialogue) => {
      using connection = await LabConnection.open(served.port);
      await converse(connection, dialogue, receiver.port, async (request) => {
        for (const octet of request) await connection.send(octet);
      });
    }));
  },
);

testWith(
  ["ffmpeg", "cjpeg"],
  "server and lab clients: the same answers when requests come in two segments, split anywhere",
  async () => {
    await using served = await serveFilm(await movieOf("small"));
    using receiver = new LabReceiver();
    let places = 0;
    for (const dialogue of LAB_DIALOGUES) {
      const longest = Math.max(...dialogue.requests.map((request) => request.length)) + 5;
      const splits = Array.from({ length: longest }, (_, i) => i + 1);
      await Promise.all(splits.map(async (place) => {
        using connection = await LabConnection.open(served.port);
        await converse(connection, dialogue, receiver.port, async (request) => {
          const text = isWholeAt(request, place) ? [request] : [
            request.slice(0, place),
            request.slice(place),
          ];
          for (const part of text.filter((part) => part !== "")) {
            await connection.send(part);
            await pause(2);
          }
        });
        places++;
      }));
    }
    assert(places > 1_000, `${places} places`);
  },
);

/**
 * Whether the first part of a request is a whole request by itself in this dialect: then a pause there ends it, and
 * what follows can only be an extra line.
 */
function isWholeAt(request: string, place: number): boolean {
  const lines = request.slice(0, place).split("\n");
  return /^SETUP/.test(request) ? lines.length > 3 : lines.length > 2;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
