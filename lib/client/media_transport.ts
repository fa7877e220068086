/**
 * The two ways media comes in: UDP sockets of our own, or interleaved on the RTSP connection.
 *
 * RFC 2326 s10.12, s12.39; RFC 3550 s11 (port pairs). Floor 4 (client assembly): connects `net/udp.ts` or a dialogue
 * to a {@linkcode MediaReceiver}. It understands no packet.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { TransportSpec } from "../rtsp_headers.ts";
import { receiveInThread } from "../net/receive_linux.ts";
import type { ReceiveThread } from "../net/receive_thread.ts";
import type { DatagramSocket, SocketAddress, TakeDatagram } from "../net/socket.ts";
import { openUdp, openUdpPair } from "../net/udp.ts";
import { raiseReceiveBuffer } from "../net/udp_linux.ts";
import type { Dialogue } from "./dialogue.ts";
import type { MediaReceiver } from "./media_receiver.ts";
import type { ClientTransport } from "./statistics.ts";
import type { WirePackets } from "./wire.ts";

/** A way for media to come in. */
export interface MediaTransport extends Disposable {
  /** Which way it is. */
  readonly kind: ClientTransport;
  /** Value of the Transport header to ask with. */
  readonly offer: string;
  /** Takes what the server agreed to, and starts to receive into `media`; `packets` is told of each packet first. */
  start(agreed: TransportSpec, media: MediaReceiver, packets?: WirePackets): void;
  /** Opens the way through a firewall: an empty RTP packet and an empty receiver report (RFC 3550 s6.4.2). */
  punch(): void;
  /** Datagrams that came from somebody else and were ignored. */
  readonly foreignDatagrams: number;
  /** Stops receiving. Harmless when repeated. */
  close(): void;
}

/** How {@linkcode UdpTransport} opens its sockets. */
export interface UdpTransportOptions {
  /** RTP port, 0 to let the system choose. */
  readonly rtpPort: number;
  /** Whether RTCP has a port of its own, the next one: not in the lab dialect. */
  readonly hasRtcp: boolean;
  /** The server's address, by which the kind of socket is chosen and foreign datagrams are told. */
  readonly server: SocketAddress;
  /** Told once, by the first transport, when the system gives small receive buffers only. */
  readonly note?: (text: string) => void;
  /** What receives RTP, where it is to be used; held for as long as the transport is open. */
  readonly thread?: ReceiveThread;
}

/** Media in datagrams. */
export class UdpTransport implements MediaTransport {
  readonly kind = "udp";
  #rtp: DatagramSocket;
  readonly #rtcp: DatagramSocket | undefined;
  readonly #senders: Set<string>;
  #server: SocketAddress;
  #rtpTo: SocketAddress | undefined;
  #rtcpTo: SocketAddress | undefined;
  #foreign = 0;
  #packets: WirePackets | undefined;

  private constructor(
    rtp: DatagramSocket,
    rtcp: DatagramSocket | undefined,
    server: SocketAddress,
  ) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#server = server;
    this.#senders = new Set([server.hostname]);
  }

  /**
   * Opens the socket or the pair of sockets.
   *
   * @throws {TransportError} when a port is taken or not allowed; the message names the port.
   */
  static open(options: UdpTransportOptions): UdpTransport {
    const transport = UdpTransport.#open(options);
    transport.#useThread(options);
    const granted = raiseReceiveBuffer(transport.#rtp.address, RECEIVE_BUFFER_BYTES);
    if (granted !== undefined && granted < ENOUGH_BUFFER_BYTES && !isSmallBufferTold) {
      isSmallBufferTold = true;
      options.note?.(
        `The system holds back ${
          Math.round(granted / 1000)
        } kB of video at most while this program is busy; more helps against loss: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`,
      );
    }
    return transport;
  }

  static #open(options: UdpTransportOptions): UdpTransport {
    const { rtpPort, hasRtcp, server } = options;
    const hostname = server.hostname.includes(":") ? "::" : "0.0.0.0";
    if (!hasRtcp) {
      return new UdpTransport(openNamed(hostname, rtpPort, "RTP"), undefined, server);
    }
    if (rtpPort === 0) return new UdpTransport(...openUdpPair({ hostname }), server);
    if (rtpPort === 65535) {
      throw new TransportError(
        "Cannot receive RTP on port 65535: RTCP needs the next port, choose a lower one",
        {
          operation: "listenDatagram",
        },
      );
    }
    const rtp = openNamed(hostname, rtpPort, "RTP");
    try {
      return new UdpTransport(rtp, openNamed(hostname, rtpPort + 1, "RTCP"), server);
    } catch (error) {
      rtp.close();
      throw error;
    }
  }

  /** RTP alone comes in floods; its few reports need no thread. */
  #useThread({ thread, note }: UdpTransportOptions): void {
    if (thread === undefined) return;
    let isOverflowTold = false;
    const onOverflow = (datagrams: number) => {
      if (isOverflowTold) return;
      isOverflowTold = true;
      note?.(`This program was busy for so long that ${datagrams} datagrams were lost here`);
    };
    this.#rtp = receiveInThread(this.#rtp, thread, { onOverflow }) ?? this.#rtp;
  }

  /** The port RTP comes to. */
  get rtpPort(): number {
    return this.#rtp.address.port;
  }

  get offer(): string {
    const { rtpPort } = this;
    if (!this.#rtcp) return `RTP/UDP;client_port=${rtpPort}`;
    return `RTP/AVP;unicast;client_port=${rtpPort}-${this.#rtcp.address.port}`;
  }

  get foreignDatagrams(): number {
    return this.#foreign;
  }

  start(agreed: TransportSpec, media: MediaReceiver, packets?: WirePackets): void {
    this.#packets = packets;
    const source = agreed.source !== undefined && isAddress(agreed.source)
      ? agreed.source
      : undefined;
    if (source !== undefined) this.#senders.add(source);
    const hostname = source ?? this.#server.hostname;
    this.#server = { ...this.#server, hostname };
    if (agreed.serverPort) {
      this.#rtpTo = { hostname, port: agreed.serverPort[0] };
      this.#rtcpTo = { hostname, port: agreed.serverPort[1] };
    }
    const rtp = this.#rtp;
    media.takeArrived = () => rtp.takeArrived?.();
    this.#receive(this.#rtp, (bytes, now, remote) => {
      packets?.tell({ kind: "rtp", localPort: this.rtpPort, remote }, "in", bytes, now);
      media.receiveRtp(bytes, now);
    });
    if (!this.#rtcp) return;
    const localPort = this.#rtcp.address.port;
    this.#receive(this.#rtcp, (bytes, now, from) => {
      rtp.takeArrived?.(); // a goodbye does not overtake the packets before it
      packets?.tell({ kind: "rtcp", localPort, remote: from }, "in", bytes, now);
      this.#rtcpTo ??= from; // a server that named no ports is answered where it sends from
      media.receiveRtcp(bytes, now);
    });
    media.sendRtcp = (bytes) => this.#send(this.#rtcp, bytes, this.#rtcpTo);
  }

  punch(): void {
    this.#send(this.#rtp, EMPTY_RTP, this.#rtpTo);
    this.#send(this.#rtcp, EMPTY_RECEIVER_REPORT, this.#rtcpTo);
  }

  /** Sends a datagram from the RTP socket to any port of the server. */
  sendTo(bytes: Uint8Array, port: number): void {
    this.#send(this.#rtp, bytes, { hostname: this.#server.hostname, port });
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp?.close();
  }

  /** The same as closing it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #receive(socket: DatagramSocket, take: TakeDatagram): void {
    const takeOurs: TakeDatagram = (bytes, now, from) => {
      if (!this.#senders.has(from.hostname)) this.#foreign++;
      else take(bytes, now, from);
    };
    if (socket.receiveEach) socket.receiveEach(takeOurs);
    else void receiveOneByOne(socket, takeOurs);
  }

  #send(socket: DatagramSocket | undefined, bytes: Uint8Array, to: SocketAddress | undefined) {
    if (!socket || !to || to.port === 0) return;
    const way = { localPort: socket.address.port, remote: to };
    const kind = socket === this.#rtp ? "rtp" : "rtcp";
    this.#packets?.tell({ kind, ...way }, "out", bytes, performance.now());
    void socket.sendTo(bytes, to);
  }
}

/** Media on the RTSP connection itself. */
export class InterleavedTransport implements MediaTransport {
  readonly kind = "tcp";
  readonly offer = "RTP/AVP/TCP;unicast;interleaved=0-1";
  readonly foreignDatagrams = 0;
  readonly #dialogue: Dialogue;

  /** Takes channels 0 and 1 of the connection, or those the server prefers. */
  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue;
  }

  start(agreed: TransportSpec, media: MediaReceiver, packets?: WirePackets): void {
    const [rtp, rtcp] = agreed.interleaved ?? [0, 1];
    const { remoteAddress: remote, localAddress } = this.#dialogue;
    const way = { localPort: localAddress.port, remote };
    const rtpWay = { kind: "rtp", channel: rtp, ...way } as const;
    const rtcpWay = { kind: "rtcp", channel: rtcp, ...way } as const;
    this.#dialogue.onInterleaved = (channel, payload) => {
      const now = performance.now();
      if (channel === rtp) {
        packets?.tell(rtpWay, "in", payload, now);
        media.receiveRtp(payload, now);
      } else if (channel === rtcp) {
        packets?.tell(rtcpWay, "in", payload, now);
        media.receiveRtcp(payload, now);
      }
    };
    media.sendRtcp = (bytes) => {
      packets?.tell(rtcpWay, "out", bytes, performance.now());
      this.#dialogue.sendInterleaved(rtcp, bytes);
    };
  }

  punch(): void {} // the connection is open both ways

  close(): void {
    this.#dialogue.onInterleaved = undefined;
  }

  /** The same as closing it. */
  [Symbol.dispose](): void {
    this.close();
  }
}

async function receiveOneByOne(socket: DatagramSocket, take: TakeDatagram): Promise<void> {
  for (;;) {
    const datagram = await socket.receive();
    if (!datagram) return;
    const { hostname, port, bytes } = datagram;
    take(bytes, performance.now(), { hostname, port });
  }
}

function openNamed(hostname: string, port: number, purpose: "RTP" | "RTCP"): DatagramSocket {
  try {
    return openUdp({ hostname, port });
  } catch (error) {
    if (!(error instanceof TransportError) || port === 0) throw error;
    const isTaken = error.errno === "EADDRINUSE" || /in use/.test(error.message);
    const reason = isTaken
      ? "it is in use by another program, choose another RTP port or 0"
      : error.message;
    throw new TransportError(`Cannot receive ${purpose} on UDP port ${port}: ${reason}`, {
      operation: "listenDatagram",
      errno: error.errno,
      cause: error,
    });
  }
}

function isAddress(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text) || text.includes(":");
}

/** Once in a program: it is the system's limit, whatever the film. */
let isSmallBufferTold = false;
/** What is asked for: the packets of a second of 60 frames of 100 kB, as the system counts. */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** Two large frames. Systems grant 212,992 by themselves. */
const ENOUGH_BUFFER_BYTES = 425_984;
/** Version 2, payload type 0, everything else zero: what opens the way for RTP without being media. */
const EMPTY_RTP = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
/** A receiver report without blocks, from SSRC 0 (RFC 3550 s6.4.2). */
const EMPTY_RECEIVER_REPORT = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 0);
