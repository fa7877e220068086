/**
 * The server's UDP ports: one pair for all readers of an address family, as they differ by where they are.
 *
 * Floor 4 (assembly). RFC 3550 s11. It hands out the sockets and finds out to which session an RTCP packet belongs.
 * Whatever else arrives is counted, and nothing more.
 *
 * @module
 */

import { openUdpPair } from "../net/udp.ts";
import type { DatagramSocket, SocketAddress } from "../net/socket.ts";
import { isRtcp } from "../rtcp.ts";

/** Someone who waits for RTCP from a client's address. */
export interface RtcpReader {
  /** The SSRC of the stream sent to it. */
  readonly ssrc: number;
  /** Takes a datagram; borrowed. */
  receiveRtcp(bytes: Uint8Array): void;
}

/** Two neighbouring sockets. */
export interface PortPairSockets {
  /** Even port. */
  readonly rtp: DatagramSocket;
  /** The next port. */
  readonly rtcp: DatagramSocket;
}

/** Options of {@linkcode RtpPorts}. */
export interface RtpPortsOptions {
  /** The address the server listens on. */
  readonly hostname: string;
  /** First and last port to choose from. @default {the system chooses} */
  readonly ports?: readonly [from: number, to: number];
  /** Makes a socket send faster, where the system can. @default {as it is} */
  readonly prepare?: (socket: DatagramSocket) => DatagramSocket;
}

/** The server's UDP ports. */
export class RtpPorts implements Disposable {
  readonly #options: RtpPortsOptions;
  readonly #pairs = new Map<"IP4" | "IP6", PortPairSockets>();
  /** By the client's host and RTCP port. */
  readonly #readers = new Map<string, RtcpReader>();
  /** By the client's host: behind a NAT the port differs from the one it told. */
  readonly #readersOfHost = new Map<string, Set<RtcpReader>>();
  /** Where the newest RTCP of each reader came from. */
  readonly #addressOf = new Map<RtcpReader, string>();
  readonly #loops: Promise<void>[] = [];
  #strayDatagrams = 0;

  /**
   * Opens the pair of the address the server listens on; the other family's is opened when first needed.
   *
   * @throws {TransportError} when no pair is free.
   */
  constructor(options: RtpPortsOptions) {
    this.#options = options;
    this.pairFor(options.hostname);
  }

  /** Datagrams that belong to nobody. */
  get strayDatagrams(): number {
    return this.#strayDatagrams;
  }

  /**
   * The sockets for a client of that address.
   *
   * @throws {TransportError} when no pair is free.
   */
  pairFor(address: string): PortPairSockets {
    const family = address.includes(":") ? "IP6" : "IP4";
    const known = this.#pairs.get(family);
    if (known !== undefined) return known;
    const isOwnFamily = this.#options.hostname.includes(":") === (family === "IP6");
    const wildcard = family === "IP6" ? "::" : "0.0.0.0";
    const [opened, rtcp] = openUdpPair({
      hostname: isOwnFamily ? this.#options.hostname : wildcard,
      ports: this.#options.ports,
    });
    const rtp = this.#options.prepare?.(opened) ?? opened;
    const pair = { rtp, rtcp };
    this.#pairs.set(family, pair);
    this.#loops.push(this.#readRtp(rtp), this.#readRtcp(rtcp));
    return pair;
  }

  /** RTCP from this address goes to the reader from now on. */
  register(address: SocketAddress, reader: RtcpReader): void {
    this.#readers.set(keyOf(address), reader);
    let ofHost = this.#readersOfHost.get(address.hostname);
    if (ofHost === undefined) this.#readersOfHost.set(address.hostname, ofHost = new Set());
    ofHost.add(reader);
  }

  /** Ends {@linkcode RtpPorts.register}. */
  unregister(address: SocketAddress, reader: RtcpReader): void {
    if (this.#readers.get(keyOf(address)) === reader) this.#readers.delete(keyOf(address));
    const ofHost = this.#readersOfHost.get(address.hostname);
    ofHost?.delete(reader);
    this.#addressOf.delete(reader);
    if (ofHost?.size === 0) this.#readersOfHost.delete(address.hostname);
  }

  /** Closes the sockets. */
  async close(): Promise<void> {
    for (const { rtp, rtcp } of this.#pairs.values()) {
      rtp.close();
      rtcp.close();
    }
    await Promise.all(this.#loops);
  }

  /** See {@linkcode RtpPorts.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Nothing is expected there but the first packets by which clients open their firewall. */
  async #readRtp(socket: DatagramSocket): Promise<void> {
    for (;;) {
      const datagram = await socket.receive();
      if (datagram === undefined) return;
      if (isRtcp(datagram.bytes)) this.#deliver(datagram.bytes, datagram);
      else this.#strayDatagrams++;
    }
  }

  async #readRtcp(socket: DatagramSocket): Promise<void> {
    for (;;) {
      const datagram = await socket.receive();
      if (datagram === undefined) return;
      this.#deliver(datagram.bytes, datagram);
    }
  }

  #deliver(bytes: Uint8Array, from: SocketAddress): void {
    const address = keyOf(from);
    const reader = this.#readers.get(address) ?? this.#readerBySsrc(bytes, from.hostname, address);
    if (reader === undefined) {
      this.#strayDatagrams++;
      return;
    }
    this.#addressOf.set(reader, address);
    reader.receiveRtcp(bytes);
  }

  /**
   * The first report block of a receiver report names the stream it is about (RFC 3550 s6.4.2). Readers of a live film share
   * that name: those behind one NAT are told apart by where they have been heard of.
   */
  #readerBySsrc(bytes: Uint8Array, hostname: string, address: string): RtcpReader | undefined {
    const ofHost = this.#readersOfHost.get(mappedAddress(hostname));
    if (ofHost === undefined || bytes.length < 12 || !isRtcp(bytes)) return undefined;
    const ssrc = ((bytes[8] << 24) | (bytes[9] << 16) | (bytes[10] << 8) | bytes[11]) >>> 0;
    let unheard: RtcpReader | undefined;
    let any: RtcpReader | undefined;
    for (const reader of ofHost) {
      if (reader.ssrc !== ssrc) continue;
      const heardFrom = this.#addressOf.get(reader);
      if (heardFrom === address) return reader;
      if (heardFrom === undefined) unheard ??= reader;
      any ??= reader;
    }
    return unheard ?? any;
  }
}

function keyOf({ hostname, port }: SocketAddress): string {
  return `${mappedAddress(hostname)} ${port}`;
}

function mappedAddress(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/i, "");
}
