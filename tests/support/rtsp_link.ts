/**
 * A link between an RTSP client and a server that does to the traffic what a test asks for.
 *
 * The client is pointed at the link's address. Messages pass through over TCP, with the ports in their Transport
 * headers exchanged for the link's own, so that RTP and RTCP over UDP pass through the link as well: there a plan
 * drops, doubles or swaps packets, and a rewrite changes them. Interleaved frames pass untouched. Both dialects.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { freeUdpPair } from "./ports.ts";

/** What happens to one RTP packet on its way to the client. `"swap"` lets the next packet pass first. */
export type Fate = "pass" | "drop" | "duplicate" | "swap";

/** One RTP packet that came from the server, in order of arrival. */
export interface PassedPacket {
  /** Its sequence number, as the client sees it. */
  readonly sequenceNumber: number;
  /** Its timestamp, as the client sees it. */
  readonly timestamp: number;
  /** What was done to it. */
  readonly fate: Fate;
}

/** What a test asks for. */
export interface RtspLinkOptions {
  /** Port of the real server on 127.0.0.1. */
  readonly port: number;
  /** The fate of the RTP packet with this index, counted from 0 over the whole link. */
  readonly plan?: (index: number) => Fate;
  /** Whether a datagram of RTCP from the server reaches the client. @default {all do} */
  readonly passesRtcp?: (datagram: Uint8Array) => boolean;
  /** Changes a datagram from the server to the client; `isRtcp` tells which of the two ports it came to. */
  readonly rewrite?: (datagram: Uint8Array, isRtcp: boolean) => Uint8Array;
  /** Changes the head of a request before it goes to the server. */
  readonly request?: (head: string) => string;
  /** Changes the head of a response before it goes to the client. */
  readonly response?: (head: string) => string;
}

/** The link; `await using` closes it. */
export class RtspLink implements AsyncDisposable {
  /** Every RTP packet that came from the server, whatever became of it. */
  readonly packets: PassedPacket[] = [];
  /** Heads of all requests, as the client sent them. */
  readonly requests: string[] = [];
  /** Heads of all responses, as the server sent them. */
  readonly responses: string[] = [];
  readonly #options: RtspLinkOptions;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #sockets = new Set<Deno.DatagramConn>();
  readonly #tasks = new Set<Promise<void>>();

  /** Listens at once. */
  constructor(options: RtspLinkOptions) {
    this.#options = options;
    this.#run(this.#accept());
  }

  /** Where the client has to connect to, on 127.0.0.1. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Packets with this fate. */
  count(fate: Fate): number {
    return this.packets.filter((packet) => packet.fate === fate).length;
  }

  /** Closes every connection and socket and waits for what still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    for (const socket of this.#sockets) socket.close();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  #run(task: Promise<void>): void {
    const guarded = task.catch((error) => {
      if (!isClosing(error)) throw error;
    }).finally(() => this.#tasks.delete(guarded));
    this.#tasks.add(guarded);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#options.port });
      this.#connections.add(client).add(server);
      const ports: PortExchange[] = [];
      const onRequest = (head: string) => {
        this.requests.push(head);
        return (this.#options.request ?? same)(this.#exchangeClientPorts(head, ports));
      };
      const onResponse = (head: string) => {
        this.responses.push(head);
        return (this.#options.response ?? same)(exchangeServerPorts(head, ports));
      };
      this.#run(this.#pump(client, server, onRequest));
      this.#run(this.#pump(server, client, onResponse));
    }
  }

  /** Carries one direction of a connection until it ends, then ends the other side too. */
  async #pump(from: Deno.Conn, to: Deno.Conn, onHead: (head: string) => string): Promise<void> {
    let rest: Uint8Array = new Uint8Array(0);
    const buffer = new Uint8Array(65_536);
    try {
      for (let size; (size = await from.read(buffer)) !== null;) {
        rest = concat([rest, buffer.subarray(0, size)]);
        for (let length; (length = pieceLength(rest)) > 0; rest = rest.slice(length)) {
          const piece = rest.subarray(0, length);
          await writeAll(
            to,
            piece[0] === 0x24 ? piece : encoder.encode(onHead(decode(piece))),
          );
        }
      }
    } finally {
      for (const connection of [from, to]) {
        if (this.#connections.delete(connection)) connection.close();
      }
    }
  }

  /** Puts the link's ports where the client's stood, and remembers both. */
  #exchangeClientPorts(head: string, ports: PortExchange[]): string {
    const found = head.match(CLIENT_PORT);
    if (found === null || !/^SETUP/.test(head)) return head;
    const client = Number(found[2]);
    let exchange = ports.find((known) => known.client === client);
    if (exchange === undefined) {
      const sockets = freeUdpPair();
      exchange = { client, link: (sockets[0].addr as Deno.NetAddr).port, server: undefined };
      ports.push(exchange);
      sockets.forEach((socket, i) => {
        this.#sockets.add(socket);
        this.#run(this.#carry(socket, exchange!, i === 1));
      });
    }
    const { link } = exchange;
    return head.replace(CLIENT_PORT, `$1${link}${found[3] === undefined ? "" : `-${link + 1}`}`);
  }

  /** Carries the datagrams of one port, both ways. */
  async #carry(socket: Deno.DatagramConn, ports: PortExchange, isRtcp: boolean): Promise<void> {
    const shift = isRtcp ? 1 : 0;
    let held: Uint8Array | undefined;
    const send = (bytes: Uint8Array, port: number) =>
      socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
    const toClient = (bytes: Uint8Array) => send(bytes, ports.client + shift);
    for await (const [datagram, sender] of socket) {
      if ((sender as Deno.NetAddr).port === ports.client + shift) {
        if (ports.server !== undefined) await send(datagram, ports.server + shift);
        continue;
      }
      const bytes = this.#options.rewrite?.(datagram, isRtcp) ?? datagram;
      if (isRtcp) {
        if (this.#options.passesRtcp?.(bytes) ?? true) await toClient(bytes);
        continue;
      }
      const fate = this.#note(bytes);
      if (fate === "swap" && held === undefined) {
        held = bytes.slice();
        continue;
      }
      if (fate !== "drop") await toClient(bytes);
      if (fate === "duplicate") await toClient(bytes);
      if (held !== undefined) {
        await toClient(held);
        held = undefined;
      }
    }
  }

  #note(packet: Uint8Array): Fate {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const fate = this.#options.plan?.(this.packets.length) ?? "pass";
    this.packets.push({ sequenceNumber: view.getUint16(2), timestamp: view.getUint32(4), fate });
    return fate;
  }
}

/** Which port of the link stands for which ports of the two ends. */
interface PortExchange {
  readonly client: number;
  readonly link: number;
  server: number | undefined;
}

const encoder = new TextEncoder();
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const same = (head: string) => head;
const CLIENT_PORT = /(client_port *= *)(\d+)(-\d+)?/i;
const SERVER_PORT = /(server_port=)(\d+)-(\d+)/i;

/** Puts the link's ports into a response where the server's and the client's stand. */
function exchangeServerPorts(head: string, ports: PortExchange[]): string {
  const client = head.match(CLIENT_PORT);
  const exchange = client && ports.find((known) => known.link === Number(client[2]));
  if (!exchange) return head;
  const server = head.match(SERVER_PORT);
  if (server !== null) exchange.server = Number(server[2]);
  return head
    .replace(CLIENT_PORT, `$1${exchange.client}-${exchange.client + 1}`)
    .replace(SERVER_PORT, `$1${exchange.link}-${exchange.link + 1}`);
}

/** Octets of the message or the interleaved frame at the start; 0 when it is not complete. Lab messages end anywhere. */
function pieceLength(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  if (bytes[0] === 0x24) {
    const length = bytes.length < 4 ? Infinity : 4 + (bytes[2] << 8 | bytes[3]);
    return bytes.length < length ? 0 : length;
  }
  const text = decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  // A lab message has no end of its own; it comes in one segment on loopback.
  if (end < 0) return /^[A-Z ]+\S* (rtsp:\S*|\*) RTSP/.test(text) ? 0 : bytes.length;
  const body = text.slice(0, end).match(/^content-length: *(\d+)/im);
  const length = end + 4 + Number(body?.[1] ?? 0);
  return bytes.length < length ? 0 : length;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Whether an error only says that one of the two ends has gone. */
function isClosing(error: unknown): boolean {
  return [
    Deno.errors.BadResource,
    Deno.errors.Interrupted,
    Deno.errors.ConnectionReset,
    Deno.errors.ConnectionRefused,
    Deno.errors.BrokenPipe,
    Deno.errors.NotConnected,
  ].some((kind) => error instanceof kind);
}
