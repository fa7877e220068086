/**
 * A raw RTSP peer for tests of the server: it sends exactly the bytes it is given, and shows exactly what comes back.
 *
 * @module
 */
import { openUdp } from "../../lib/net/udp.ts";
import { openUdpPair } from "../../lib/net/udp.ts";
import type { DatagramSocket } from "../../lib/net/socket.ts";
import { decodeRtp, type RtpPacket } from "../../lib/rtp.ts";

/** One chunk of bytes with the time it came, in ms. */
interface Arrival {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** A response as it came. */
export interface ProbeResponse {
  readonly statusCode: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A TCP connection to the server. `using` closes it. */
export class RtspProbe implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #reading: Promise<void>;
  readonly arrivals: Arrival[] = [];
  /** The server has closed. */
  isEnded = false;
  #taken = new Uint8Array(0);
  #wake: (() => void) | undefined;
  #isClosed = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
    this.#reading = this.#read();
  }

  static async connect(port: number, hostname = "127.0.0.1"): Promise<RtspProbe> {
    return new RtspProbe(await Deno.connect({ hostname, port }));
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let offset = 0; offset < bytes.length;) {
      offset += await this.#connection.write(bytes.subarray(offset));
    }
  }

  /** Sends a standard request and waits for its response. */
  async ask(method: string, url: string, headers: Record<string, string> = {}, body = "") {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    if (body !== "") lines.push(`Content-Length: ${body.length}\r\n`);
    this.#cseq++;
    await this.send(
      `${method} ${url} RTSP/1.0\r\nCSeq: ${this.#cseq}\r\n${lines.join("")}\r\n${body}`,
    );
    const response = await this.response();
    if (response.headers.get("cseq") !== String(this.#cseq)) {
      throw new Error(`CSeq ${response.headers.get("cseq")}, wanted ${this.#cseq}`);
    }
    return response;
  }

  #cseq = 0;

  /** Waits for a whole response; interleaved packets before it go to `packets`. */
  async response(timeoutMs = 5000): Promise<ProbeResponse> {
    for (;;) {
      await this.#skipInterleaved(timeoutMs);
      const text = decoder.decode(this.#taken);
      const headEnd = text.indexOf("\r\n\r\n");
      if (headEnd >= 0) {
        const [first, ...lines] = text.slice(0, headEnd).split("\r\n");
        const headers = new Map<string, string>();
        for (const line of lines) {
          const colon = line.indexOf(":");
          const name = line.slice(0, colon).toLowerCase();
          const value = line.slice(colon + 1).trim();
          const before = headers.get(name);
          headers.set(name, before === undefined ? value : `${before}\n${value}`);
        }
        const size = Number(headers.get("content-length") ?? 0);
        const end = headEnd + 4 + size;
        if (this.#taken.length >= end) {
          const body = decoder.decode(this.#taken.subarray(headEnd + 4, end));
          this.#taken = this.#taken.slice(end);
          return { statusCode: Number(first.split(" ")[1]), headers, body };
        }
      }
      await this.#more(timeoutMs);
    }
  }

  /** Interleaved packets so far: channel and bytes. */
  readonly packets: { readonly channel: number; readonly bytes: Uint8Array }[] = [];

  /** Waits until there are `count` interleaved packets on a channel. */
  async interleaved(channel: number, count: number, timeoutMs = 5000): Promise<Uint8Array[]> {
    for (;;) {
      this.#takeInterleaved();
      const found = this.packets.filter((packet) => packet.channel === channel);
      if (found.length >= count) return found.map((packet) => packet.bytes);
      await this.#more(timeoutMs);
    }
  }

  /** What has come within `ms` and was not taken yet, as text. */
  async text(ms: number): Promise<string> {
    const end = performance.now() + ms;
    while (performance.now() < end && !this.isEnded) {
      await this.#moreUntil(end);
    }
    const text = decoder.decode(this.#taken);
    this.#taken = new Uint8Array(0);
    return text;
  }

  /** Waits for exactly this text. */
  async expect(wanted: string, timeoutMs = 2000): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const text = decoder.decode(this.#taken);
      if (text === wanted) {
        this.#taken = new Uint8Array(0);
        return;
      }
      if (!wanted.startsWith(text) || this.isEnded || performance.now() >= end) {
        throw new Error(`got ${JSON.stringify(text)}, wanted ${JSON.stringify(wanted)}`);
      }
      await this.#moreUntil(end);
    }
  }

  /** Waits until the server has closed the connection; false when it has not within that time. */
  async ended(timeoutMs = 5000): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    while (!this.isEnded && performance.now() < end) await this.#moreUntil(end);
    return this.isEnded;
  }

  /** Closes our writing side. */
  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        const bytes = buffer.slice(0, count);
        this.arrivals.push({ bytes, at: performance.now() });
        const joined = new Uint8Array(this.#taken.length + count);
        joined.set(this.#taken);
        joined.set(bytes, this.#taken.length);
        this.#taken = joined;
        this.#wake?.();
      }
    } catch {
      // Closed, by them or by us.
    }
    this.isEnded = true;
    this.#wake?.();
  }

  #takeInterleaved(): void {
    while (this.#taken.length >= 4 && this.#taken[0] === 0x24) {
      const size = (this.#taken[2] << 8) | this.#taken[3];
      if (this.#taken.length < 4 + size) return;
      this.packets.push({ channel: this.#taken[1], bytes: this.#taken.slice(4, 4 + size) });
      this.#taken = this.#taken.slice(4 + size);
    }
  }

  async #skipInterleaved(timeoutMs: number): Promise<void> {
    for (;;) {
      this.#takeInterleaved();
      if (this.#taken.length === 0 || this.#taken[0] !== 0x24) return;
      await this.#more(timeoutMs);
    }
  }

  async #more(timeoutMs: number): Promise<void> {
    const before = this.#taken.length;
    await this.#moreUntil(performance.now() + timeoutMs);
    if (this.#taken.length === before) {
      throw new Error(
        `${this.isEnded ? "closed" : "nothing more"} after ${
          JSON.stringify(decoder.decode(this.#taken.subarray(0, 200)))
        }`,
      );
    }
  }

  async #moreUntil(end: number): Promise<void> {
    if (this.isEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, Math.max(0, end - performance.now()));
    await promise;
    clearTimeout(timer);
  }
}

/** A UDP port that keeps what comes in. `await using` closes it. */
export class UdpProbe implements AsyncDisposable {
  readonly socket: DatagramSocket;
  readonly datagrams: Arrival[] = [];
  readonly #reading: Promise<void>;
  #wake: (() => void) | undefined;

  constructor(socket: DatagramSocket = openUdp({ hostname: "127.0.0.1" })) {
    this.socket = socket;
    this.#reading = this.#read();
  }

  /** An even port and the next one. */
  static pair(): [rtp: UdpProbe, rtcp: UdpProbe] {
    const [rtp, rtcp] = openUdpPair({ hostname: "127.0.0.1" });
    return [new UdpProbe(rtp), new UdpProbe(rtcp)];
  }

  get port(): number {
    return this.socket.address.port;
  }

  /** The datagrams so far as RTP packets. */
  get rtp(): RtpPacket[] {
    return this.datagrams.map(({ bytes }) => decodeRtp(bytes));
  }

  /** Waits for `count` datagrams in all. */
  async received(count: number, timeoutMs = 5000): Promise<Arrival[]> {
    const end = performance.now() + timeoutMs;
    while (this.datagrams.length < count) {
      if (performance.now() >= end) {
        throw new Error(
          `${this.datagrams.length} datagrams after ${timeoutMs} ms, wanted ${count}`,
        );
      }
      await this.#moreUntil(end);
    }
    return this.datagrams;
  }

  /** How many datagrams come within `ms`. */
  async countWithin(ms: number): Promise<number> {
    const before = this.datagrams.length;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.datagrams.length - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for (;;) {
      const datagram = await this.socket.receive();
      if (datagram === undefined) return;
      this.datagrams.push({ bytes: datagram.bytes.slice(), at: performance.now() });
      this.#wake?.();
    }
  }

  async #moreUntil(end: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, Math.max(0, end - performance.now()));
    await promise;
    clearTimeout(timer);
  }
}
