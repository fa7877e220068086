/**
 * A server that says exactly what a test tells it to, over real sockets, octet by octet if need be.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";

/** How an answer is cut into segments. */
export type Cut = "whole" | "byte by byte" | number;

/** One connection of a {@linkcode ScriptedServer}. */
export class ScriptedPeer {
  readonly #connection: Deno.TcpConn;
  readonly #received: string[];
  #buffer = "";

  /** `received` collects every request of the server's life. */
  constructor(connection: Deno.TcpConn, received: string[]) {
    this.#connection = connection;
    this.#received = received;
    connection.setNoDelay(true);
  }

  /** The next request: what comes until silence, as a lab server reads, or up to its blank line. `""` at the end. */
  async request(): Promise<string> {
    const buffer = new Uint8Array(4096);
    while (this.#buffer === "") {
      const count = await this.#connection.read(buffer).catch(() => null);
      if (count === null) return "";
      // One character an octet, whatever it is.
      this.#buffer += new TextDecoder("latin1").decode(buffer.subarray(0, count));
      while (this.#buffer.startsWith("$")) { // interleaved packets of the client
        const length = 4 + (this.#buffer.charCodeAt(2) << 8) + this.#buffer.charCodeAt(3);
        this.#buffer = this.#buffer.slice(length);
      }
    }
    const end = this.#buffer.indexOf("\r\n\r\n");
    const request = end < 0 ? this.#buffer : this.#buffer.slice(0, end + 4);
    this.#buffer = this.#buffer.slice(request.length);
    this.#received.push(request);
    return request;
  }

  /** Writes an answer in the segments of `cut`; a number is where it is cut in two. */
  async say(text: string | Uint8Array, cut: Cut = "whole"): Promise<void> {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const step = cut === "byte by byte" ? 1 : cut === "whole" ? bytes.length : cut;
    for (let offset = 0; offset < bytes.length;) {
      const end = offset > 0 && typeof cut === "number" ? bytes.length : offset + step;
      offset += await this.#connection.write(bytes.subarray(offset, end));
      if (offset < bytes.length) await delay(cut === "byte by byte" ? 0 : 5);
    }
  }

  /** Ends the connection. */
  hangUp(): void {
    try {
      this.#connection.close();
    } catch {
      // The client was faster.
    }
  }
}

/** A TCP server whose connections are played by a script; `await using` ends it. */
export class ScriptedServer implements AsyncDisposable {
  /** Everything that was asked, in order, over all connections. */
  readonly received: string[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #running = new Set<Promise<void>>();
  readonly #connections = new Set<Deno.TcpConn>();
  #accepted = 0;

  private constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
  }

  /** Listens on a free port; `script` plays connection 0, 1, 2... Its errors are the test's. */
  static listen(
    script: (peer: ScriptedPeer, index: number) => Promise<void>,
    port = 0,
  ): ScriptedServer {
    const server = new ScriptedServer(Deno.listen({ hostname: "127.0.0.1", port }));
    server.#running.add(server.#accept(script));
    return server;
  }

  /** Its port on 127.0.0.1. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.#accepted;
  }

  async #accept(script: (peer: ScriptedPeer, index: number) => Promise<void>): Promise<void> {
    for (;;) {
      let connection: Deno.TcpConn;
      try {
        connection = await this.#listener.accept();
      } catch {
        return;
      }
      this.#connections.add(connection);
      const running = script(new ScriptedPeer(connection, this.received), this.#accepted++);
      this.#running.add(running);
    }
  }

  /** Stops listening and closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // Closed by the script.
      }
    }
    await deadline(Promise.all(this.#running), 10_000);
  }
}

/** Sends RTP as a lab server does, from a socket of its own. */
export class RtpSource implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

  /** The source's own port. */
  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  /** Sends one packet: payload type 26, the given number, marker and timestamp. */
  async send(
    to: number,
    payload: Uint8Array,
    packet: { number: number; timestamp?: number; marker?: boolean; ssrc?: number },
  ): Promise<void> {
    await this.sendRaw(to, rtpOf(payload, packet));
  }

  /** Sends a datagram as it is. */
  async sendRaw(to: number, datagram: Uint8Array): Promise<void> {
    await this.#socket.send(datagram, { transport: "udp", hostname: "127.0.0.1", port: to });
  }

  /** The next datagram that came to the source. */
  async receive(): Promise<Uint8Array> {
    const [datagram] = await this.#socket.receive();
    return datagram.slice();
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** An RTP packet with payload type 26. */
export function rtpOf(
  payload: Uint8Array,
  packet: { number: number; timestamp?: number; marker?: boolean; ssrc?: number },
): Uint8Array {
  const datagram = new Uint8Array(12 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint8(0, 0x80);
  view.setUint8(1, 26 | (packet.marker ? 0x80 : 0));
  view.setUint16(2, packet.number & 0xffff);
  view.setUint32(4, packet.timestamp ?? 1_700_000_000);
  view.setUint32(8, packet.ssrc ?? 0);
  datagram.set(payload, 12);
  return datagram;
}

/** The UDP port that a SETUP names, lab or standard. */
export function portIn(request: string): number {
  return Number(/client_port\s*=\s*(\d+)/.exec(request)?.[1]);
}

/** The number of a request: the digits of its CSeq. */
export function cseqOf(request: string): string {
  return /^CSeq:\s*(\d+)/mi.exec(request)?.[1] ?? "0";
}
