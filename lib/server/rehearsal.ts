/**
 * A rehearsal: before anybody comes, a thread plays the sample to itself for a moment, from DESCRIBE to TEARDOWN, over UDP
 * and over TCP.
 *
 * Floor 4 (assembly). Code that has run is compiled: without it the first readers of a server wait about 10 ms longer for
 * their first packet, and so do those who come right behind them. The server that plays is one of its own, on a loopback
 * port that the system chooses, for one connection and behind a password; nobody is told of it, and nothing is left of it
 * but what the compilers have learned.
 *
 * @module
 */

import { StatusError, TransportError } from "../errors.ts";
import type { ByteStream } from "../net/socket.ts";
import { connectTcp } from "../net/tcp.ts";
import { openUdpPair } from "../net/udp.ts";
import {
  formatRequest,
  headerValue,
  RTSP_VERSION,
  type RtspHeader,
  RtspParser,
  type RtspResponse,
} from "../rtsp.ts";
import type { RtspServerOptions } from "./options.ts";
import { RtspServer } from "./server.ts";

/** What a rehearsal needs of a server's options. */
export type RehearsalOptions = Pick<
  RtspServerOptions,
  "sample" | "live" | "udp" | "burstPackets" | "ownsThread" | "listener"
>;

/**
 * Plays the sample, twice for a tenth of a second; without one there is nothing to do. Never rejects: a server serves as
 * well without, and its listener is told why there was none.
 */
export async function rehearse(options: RehearsalOptions): Promise<void> {
  const { sample, listener } = options;
  if (sample === undefined) return;
  try {
    await playSample(sample, options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The first readers will wait some milliseconds longer: ${reason}`;
    listener?.({ type: "notice", message });
  }
}

async function playSample(
  sample: URL,
  { live, udp, burstPackets, ownsThread }: RehearsalOptions,
): Promise<void> {
  const password = crypto.randomUUID();
  await using server = await RtspServer.start({
    ...{ sample, live, udp, burstPackets, ownsThread },
    media: new URL(".", sample),
    hostname: LOOPBACK,
    port: 0,
    users: new Map([[USER, password]]),
    maxConnections: 1,
  });
  using dialogue = new Dialogue(await connectTcp(server.address), password);
  const url = server.url(decodeURIComponent(sample.pathname.split("/").at(-1)!));
  await dialogue.ask("DESCRIBE", url);
  const [rtp, rtcp] = openUdpPair({ hostname: LOOPBACK });
  using _rtp = rtp;
  using _rtcp = rtcp;
  await play(dialogue, url, `RTP/AVP;unicast;client_port=${rtp.address.port}-${rtcp.address.port}`);
  await play(dialogue, url, "RTP/AVP/TCP;unicast;interleaved=0-1");
}

/** From SETUP to TEARDOWN; faster than the film, so that there are more frames. */
async function play(dialogue: Dialogue, url: string, transport: string): Promise<void> {
  const { headers } = await dialogue.ask("SETUP", `${url}/trackID=0`, [["Transport", transport]]);
  const session: RtspHeader = ["Session", headerValue(headers, "Session")!.split(";")[0]];
  await dialogue.ask("PLAY", url, [session, ["Speed", SPEED]]);
  await new Promise((resolve) => setTimeout(resolve, PLAYING_MS));
  await dialogue.ask("TEARDOWN", url, [session]);
}

/** The client's side: one request after the other. */
class Dialogue implements Disposable {
  readonly #stream: ByteStream;
  readonly #authorization: RtspHeader;
  readonly #parser = new RtspParser({ role: "client", dialect: "rtsp" });
  readonly #buffer = new Uint8Array(65_536);
  #cseq = 0;

  constructor(stream: ByteStream, password: string) {
    this.#stream = stream;
    this.#authorization = ["Authorization", `Basic ${btoa(`${USER}:${password}`)}`];
  }

  /** Asks; packets that come before the answer are left out. */
  async ask(
    method: string,
    uri: string,
    headers: readonly RtspHeader[] = [],
  ): Promise<RtspResponse> {
    const cseq = ++this.#cseq;
    await this.#stream.write(formatRequest({
      type: "request",
      method,
      uri,
      version: RTSP_VERSION,
      headers: [["CSeq", String(cseq)], this.#authorization, ...headers],
      body: new Uint8Array(),
    }));
    const response = await this.#nextResponse();
    const { statusCode, reasonPhrase } = response;
    if (statusCode === 200) return response;
    throw new StatusError(`Cannot rehearse: ${method} was answered ${statusCode} ${reasonPhrase}`, {
      statusCode,
      method,
      cseq,
    });
  }

  async #nextResponse(): Promise<RtspResponse> {
    for (;;) {
      for (let message; (message = this.#parser.next()) !== undefined;) {
        if (message.type === "response") return message;
      }
      const count = await this.#stream.read(this.#buffer);
      if (count === null) {
        throw new TransportError("Cannot rehearse: the connection has ended", {
          operation: "read",
        });
      }
      this.#parser.push(this.#buffer.subarray(0, count));
    }
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }
}

const LOOPBACK = "127.0.0.1";
const USER = "rehearsal";
/** Frames of the lab's rate are 3 ms apart then: some thirty each time. */
const SPEED = "16";
const PLAYING_MS = 100;
