/**
 * Readers of live films, by hand: what they are promised, and the packets they get, octet for octet.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { decodeRtp, type RtpPacket } from "../../lib/rtp.ts";
import { JpegDepacketizer } from "../../lib/rtp_jpeg.ts";
import { type ProbeResponse, RtspProbe, UdpProbe } from "./rtsp_probe.ts";
import type { TestServer } from "./test_server.ts";

/** Interleaved in the connection. */
export const TCP = "RTP/AVP/TCP;unicast;interleaved=0-1";

/** A reader by hand: its connection, its session, and what PLAY answered. */
export class Reader implements AsyncDisposable {
  readonly probe: RtspProbe;
  readonly url: string;
  /** Header of its session. */
  session: Record<string, string> = {};
  /** What SETUP said. */
  ssrc = 0;

  constructor(probe: RtspProbe, url: string) {
    this.probe = probe;
    this.url = url;
  }

  static async setUp(test: TestServer, transport: string): Promise<Reader> {
    const reader = new Reader(await RtspProbe.connect(test.port), test.url("movie.mjpeg"));
    await reader.setUp(transport);
    return reader;
  }

  async setUp(transport: string): Promise<void> {
    const answer = await this.probe.ask("SETUP", this.url, { Transport: transport });
    assertEquals(answer.statusCode, 200);
    this.session = { Session: answer.headers.get("session")!.split(";")[0] };
    this.ssrc = Number.parseInt(
      /ssrc=([0-9A-F]{8})/.exec(answer.headers.get("transport")!)![1],
      16,
    );
  }

  ask(method: string, headers: Record<string, string> = {}): Promise<ProbeResponse> {
    return this.probe.ask(method, this.url, { ...this.session, ...headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.probe[Symbol.asyncDispose]();
  }
}

/** A reader over UDP with its two ports. */
export class UdpReader implements AsyncDisposable {
  readonly #ports = UdpProbe.pair();
  readonly rtp = this.#ports[0];
  readonly rtcp = this.#ports[1];
  reader!: Reader;

  static async setUp(test: TestServer): Promise<UdpReader> {
    const made = new UdpReader();
    made.reader = await Reader.setUp(test, made.transport);
    return made;
  }

  get transport(): string {
    return `RTP/AVP;unicast;client_port=${this.rtp.port}-${this.rtcp.port}`;
  }

  get packets(): Uint8Array[] {
    return this.rtp.datagrams.map(({ bytes }) => bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    await this.rtp[Symbol.asyncDispose]();
    await this.rtcp[Symbol.asyncDispose]();
  }
}

/** What the answer to PLAY promises of the first packet. */
export function infoOf(response: ProbeResponse): { seq: number; rtptime: number | undefined } {
  const match = /;seq=(\d+)(?:;rtptime=(\d+))?$/.exec(response.headers.get("rtp-info") ?? "")!;
  const [, seq, rtptime] = match;
  return { seq: Number(seq), rtptime: rtptime === undefined ? undefined : Number(rtptime) };
}

/** Whole pictures out of RTP packets. */
export function picturesOf(datagrams: readonly Uint8Array[]): Uint8Array[] {
  const depacketizer = new JpegDepacketizer();
  return datagrams.flatMap((bytes) => depacketizer.push(decodeRtp(bytes), 0)?.jpeg ?? []);
}

/** The compressed pictures of a film, in the order of its frames. */
export function placesOf(pictures: readonly Uint8Array[], frames: readonly Uint8Array[]): number[] {
  const ends = frames.map((frame) => frame.slice(-400).join());
  return pictures.map((picture) => ends.indexOf(picture.slice(-400).join()));
}

/** Asserts that no number is missing. */
export function assertUnbroken(packets: readonly RtpPacket[]): void {
  const numbers = packets.map(({ sequenceNumber }) => sequenceNumber);
  assertEquals(numbers, numbers.map((_, index) => (numbers[0] + index) % 65_536));
}
