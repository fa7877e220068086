/** A history to show: a dialogue with a film of RFC 2435 behind it, and a few things gone wrong. */
import { encodeRtcp, ntpFromUnixMs } from "../../lib/rtcp.ts";
import { packetAt, stampBatch } from "../../lib/rtp.ts";
import { describeJpegPayload, packetizeJpeg } from "../../lib/rtp_jpeg.ts";
import type { ProtocolBatch, ProtocolPacket } from "../../lib/ui/protocol_events.ts";
import { fakeFrame, fakeMessage, fakePacket, fakeSample } from "./fake_protocol.ts";

const URL = "rtsp://127.0.0.1:8554/video.mjpeg";
const SESSION = "Session: 7A3F0C52;timeout=60\r\n";

function lines(...all: string[]): string {
  return all.join("\r\n") + "\r\n\r\n";
}

const SDP = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=video.mjpeg",
  "t=0 0",
  "a=control:*",
  "a=range:npt=0-20",
  "m=video 0 RTP/AVP 26",
  "a=control:trackID=0",
  "a=framerate:25",
  "",
].join("\r\n");

/** @param jpeg the frame that the packets are made of */
export function fakeHistory(jpeg: Uint8Array): Partial<ProtocolBatch> {
  const describe = lines(
    "RTSP/1.0 200 OK",
    "CSeq: 1",
    "Content-Type: application/sdp",
    `Content-Length: ${SDP.length}`,
  ) + SDP;
  const messages = [
    fakeMessage(
      1,
      lines(
        `DESCRIBE ${URL} RTSP/1.0`,
        "CSeq: 1",
        "Accept: application/sdp",
        "User-Agent: rtsp-client",
      ),
    ),
    fakeMessage(2, describe, { method: "DESCRIBE" }),
    fakeMessage(
      3,
      lines(
        `SETUP ${URL}/trackID=0 RTSP/1.0`,
        "CSeq: 2",
        "Transport: RTP/AVP;unicast;client_port=5008-5009",
      ),
    ),
    fakeMessage(
      4,
      lines(
        "RTSP/1.0 200 OK",
        "CSeq: 2",
        SESSION.trim(),
        "Transport: RTP/AVP;unicast;client_port=5008-5009;server_port=6970-6971;ssrc=1F2E3D4C",
      ),
      { method: "SETUP", session: 1 },
    ),
    fakeMessage(5, lines(`PLAY ${URL} RTSP/1.0`, "CSeq: 3", "Session: 7A3F0C52", "Range: npt=0-"), {
      session: 1,
    }),
    fakeMessage(
      6,
      lines(
        "RTSP/1.0 200 OK",
        "CSeq: 3",
        "Session: 7A3F0C52",
        "Range: npt=0-20",
        `RTP-Info: url=${URL}/trackID=0;seq=4000;rtptime=90000`,
      ),
      { method: "PLAY", session: 1 },
    ),
    fakeMessage(7, lines(`PAUSE ${URL} RTSP/1.0`, "CSeq: 4", "Session: 00000000"), { session: 1 }),
    fakeMessage(8, "RTSP/1.0 454 Session Not Found\nCSeq: 4\n", {
      method: "PAUSE",
      session: 1,
      oddities: [
        {
          code: "missing-blank-line",
          severity: "error",
          text: "The head does not end with an empty line",
          rfc: "RFC 2326 s4",
        },
        {
          code: "refused",
          severity: "warning",
          text: "The server refused PAUSE",
          rfc: "RFC 2326 s11.3.5",
        },
      ],
    }),
  ];
  return {
    connections: [{
      id: 1,
      local: "127.0.0.1:40412",
      remote: "127.0.0.1:8554",
      openedTime: 1_700_000_000_000,
      closedTime: null,
    }],
    messages,
    packets: fakePackets(jpeg),
    frames: Array.from(
      { length: 30 },
      (_, i) =>
        fakeFrame(i + 1, ["rrrrrrrrr", "rrorrrrrr", "rrrrxrrrr", "rrrrrrrrr", "rrrrrrrlr"][i % 5]),
    ),
    samples: Array.from({ length: 60 }, (_, i) => fakeSample(i + 1)),
    transitions: [
      {
        id: 1,
        time: 1_700_000_000_050,
        session: 1,
        from: "INIT",
        to: "READY",
        message: 3,
        cause: "SETUP",
      },
      {
        id: 2,
        time: 1_700_000_000_080,
        session: 1,
        from: "READY",
        to: "PLAYING",
        message: 5,
        cause: "PLAY",
      },
    ],
    sessions: [{
      id: 1,
      connections: [1],
      url: URL,
      remote: "127.0.0.1:8554",
      state: "PLAYING",
      dialect: "rtsp",
      transport: "udp",
      beganTime: 1_700_000_000_000,
      endedTime: null,
      endReason: "",
      sample: null,
    }],
    totals: { packets: 13_200, packetsSkipped: 11_000, messages: messages.length },
  };
}

function fakePackets(jpeg: Uint8Array): ProtocolPacket[] {
  const batch = packetizeJpeg(describeJpegPayload(jpeg), { payloadType: 26 });
  stampBatch(batch, { sequenceNumber: 4000, timestamp: 90_000, ssrc: 0x1f2e3d4c });
  const rtp = Array.from(
    { length: batch.packetCount },
    (_, i) => fakePacket(20 + i, packetAt(batch, i).slice()),
  );
  return [...rtp, fakePacket(40, fakeReport())];
}

/** A sender report with one report block, its source description and a goodbye. */
export function fakeReport(): Uint8Array {
  const reports = [{
    ssrc: 0x0badcafe,
    fractionLost: 32,
    cumulativeLost: -3,
    extendedHighestSequenceNumber: 65536 * 2 + 4711,
    interarrivalJitter: 450,
    lastSr: 0x12345678,
    delaySinceLastSr: 65536,
  }];
  return encodeRtcp([
    {
      type: "SR",
      ssrc: 0x1f2e3d4c,
      ntp: ntpFromUnixMs(1_700_000_000_500),
      rtpTimestamp: 90_000,
      packetCount: 100,
      octetCount: 130_000,
      reports,
    },
    {
      type: "SDES",
      chunks: [{ ssrc: 0x1f2e3d4c, items: [{ itemType: 1, text: "film@127.0.0.1" }] }],
    },
    { type: "BYE", ssrcs: [0x1f2e3d4c] },
  ]);
}
