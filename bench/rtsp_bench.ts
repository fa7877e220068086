/**
 * What reading and writing one RTSP message costs. `deno bench bench/rtsp_bench.ts`
 *
 * @module
 */
import {
  formatInterleaved,
  formatRequest,
  formatResponse,
  RtspParser,
  type RtspRequest,
  type RtspResponse,
} from "../lib/rtsp.ts";
import { parseTransport } from "../lib/rtsp_headers.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const SETUP = encode(
  "SETUP rtsp://127.0.0.1:9600/live/trackID=0 RTSP/1.0\r\n" +
    "Transport: RTP/AVP/UDP;unicast;client_port=17176-17177\r\nCSeq: 3\r\n" +
    "User-Agent: Lavf59.27.100\r\n\r\n",
);
const LAB_SETUP = encode(
  "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070",
);
const REPLY = encode(
  "RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 2E1556E3;timeout=60\r\nTransport: RTP/AVP;unicast;" +
    "client_port=17176-17177;server_port=9620-9621;ssrc=12345678\r\nDate: x\r\n\r\n",
);
const FRAME = formatInterleaved(0, new Uint8Array(1400));

const server = new RtspParser({ role: "server", dialect: "auto" });
const lab = new RtspParser({ role: "server", dialect: "auto" });
const client = new RtspParser({ role: "client", dialect: "auto" });
server.push(SETUP);
const request = server.next() as RtspRequest;
client.push(REPLY);
const response = client.next() as RtspResponse;

Deno.bench("RtspParser: one standard request of 150 octets", () => {
  server.push(SETUP);
  server.next();
});

Deno.bench("RtspParser: the same, octet by octet", () => {
  for (let at = 0; at < SETUP.length; at++) {
    server.push(SETUP.subarray(at, at + 1));
    server.next();
  }
});

Deno.bench("RtspParser: one lab request, ended by silence", () => {
  lab.push(LAB_SETUP);
  lab.next();
  void lab.pauseMs;
  lab.pause();
  lab.next();
});

Deno.bench("RtspParser: one response of 160 octets", () => {
  client.push(REPLY);
  client.next();
});

Deno.bench("RtspParser: one interleaved frame of 1,400 octets", () => {
  client.push(FRAME);
  client.next();
});

Deno.bench("formatRequest(): the same request", () => {
  formatRequest(request);
});

Deno.bench("formatResponse(): the same response", () => {
  formatResponse(response);
});

Deno.bench("parseTransport(): with six parameters", () => {
  parseTransport("RTP/AVP;unicast;client_port=4-5;server_port=6-7;ssrc=12345678;mode=PLAY");
});
