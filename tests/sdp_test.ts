import { assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SdpFormatError } from "../lib/errors.ts";
import {
  attributeValue,
  describeEncodings,
  dimensionsOf,
  findMedia,
  formatSdp,
  frameRateOf,
  parseSdp,
  rtpmapOf,
  type SdpMedia,
  type SessionDescription,
} from "../lib/sdp.ts";
import { seeded } from "./support/property.ts";
import {
  SDP_OF_CAMERA_WITH_SOUND,
  SDP_OF_FFMPEG_ANNOUNCE,
  SDP_OF_GSTREAMER_SERVER,
  SDP_OF_LAB_JAVA,
  SDP_OF_LAB_PYTHON,
  SDP_SMALLEST,
} from "./vectors/sdp.ts";

Deno.test("parseSdp() reads a mature server's description", () => {
  const sdp = parseSdp(SDP_OF_GSTREAMER_SERVER);
  assertEquals(sdp.origin, {
    username: "-",
    sessionId: "5117218289676924965",
    sessionVersion: "1",
    networkType: "IN",
    addressType: "IP4",
    address: "127.0.0.1",
  });
  assertEquals(sdp.name, "Session streamed with GStreamer");
  assertEquals(sdp.timing, ["0", "0"]);
  assertEquals(attributeValue(sdp.attributes, "range"), "npt=now-");
  const found = findMedia(sdp, "jpeg")!;
  assertEquals([found.payloadType, found.clockRateHz], [26, 90_000]);
  assertEquals(found.media.connection?.address, "0.0.0.0");
  assertEquals(attributeValue(found.media.attributes, "control"), "stream=0");
  assertEquals(attributeValue(found.media.attributes, "ts-refclk"), "local");
  assertEquals(frameRateOf(found.media), 10);
  assertEquals(formatSdp(sdp), SDP_OF_GSTREAMER_SERVER);
});

Deno.test("parseSdp() reads what is enough, what a publisher sends, and what lab servers send", () => {
  assertEquals(findMedia(parseSdp(SDP_SMALLEST), "JPEG")?.payloadType, 26);
  const announce = parseSdp(SDP_OF_FFMPEG_ANNOUNCE);
  assertEquals(announce.media[0].bandwidth, [["AS", 200]]);
  assertEquals(attributeValue(announce.media[0].attributes, "control"), "streamid=0");
  assertEquals(findMedia(announce, "JPEG")?.clockRateHz, 90_000);
  const java = parseSdp(SDP_OF_LAB_JAVA);
  assertEquals(java.origin, undefined);
  assertEquals(java.media[0].port, 23117);
  assertEquals(attributeValue(java.media[0].attributes, "control"), "streamid=123456");
  const python = parseSdp(SDP_OF_LAB_PYTHON);
  assertEquals([python.name, python.timing], ["Video Stream", ["0", "0"]]);
  assertEquals(python.media[0].connection?.address, "127.0.0.1");
});

Deno.test("findMedia() goes by name among several media and payload types", () => {
  const sdp = parseSdp(SDP_OF_CAMERA_WITH_SOUND);
  assertEquals(sdp.media.length, 3);
  const found = findMedia(sdp, "JPEG")!;
  assertEquals([found.payloadType, found.clockRateHz], [98, 90_000]);
  assertEquals(found.media, sdp.media[1]);
  assertEquals(rtpmapOf(sdp.media[2], 97), {
    encodingName: "L16",
    clockRateHz: 16_000,
    parameters: "2",
  });
  assertEquals(describeEncodings(sdp), ["H264 (96)", "H265 (99)", "jpeg (98)", "L16 (97)"]);
  assertEquals(findMedia(sdp, "VP8"), undefined);
  assertEquals(rtpmapOf(sdp.media[0], 33), undefined);
  const renamed = parseSdp("v=0\nm=video 0 RTP/AVP 26\na=rtpmap:26 H264/90000\n");
  assertEquals(findMedia(renamed, "JPEG"), undefined);
});

Deno.test("dimensionsOf(), frameRateOf() read every spelling", () => {
  const media = (attributes: SdpMedia["attributes"]): SdpMedia => ({
    kind: "video",
    port: 0,
    protocol: "RTP/AVP",
    formats: ["26"],
    attributes,
  });
  assertEquals(dimensionsOf(media([["x-dimensions", "2560,1440"]])), { width: 2560, height: 1440 });
  assertEquals(dimensionsOf(media([["framesize", "26 2560-1440"]])), { width: 2560, height: 1440 });
  assertEquals(dimensionsOf(media([["X-Dimensions", " 320 , 240 "]])), { width: 320, height: 240 });
  for (const bad of ["", "0,240", "a,b", "640"]) {
    assertEquals(dimensionsOf(media([["x-dimensions", bad]])), undefined);
  }
  assertEquals(dimensionsOf(media([])), undefined);
  assertEquals(frameRateOf(media([["framerate", "25"]])), 25);
  assertEquals(frameRateOf(media([["x-framerate", "26 12.5"]])), 12.5);
  for (const bad of ["", "0", "fast", "-1"]) {
    assertEquals(frameRateOf(media([["framerate", bad]])), undefined);
  }
});

Deno.test("parseSdp() passes unknown, empty and unusable lines over", () => {
  const text =
    "\ufeffv=0\r\r\nnonsense\nx=y\n = z\ns=  a name  \ni=about\ni=again\nb=AS\nb=AS:5\nc=IN\n" +
    "m=video\nm=video 99999 RTP/AVP 26\na=lost\nm=audio 5004/2 RTP/AVP 0 8\ni=of the medium\na=recvonly\na=fmtp: 0 x\n";
  const sdp = parseSdp(text);
  assertEquals([sdp.name, sdp.information, sdp.bandwidth], ["a name", "about", [["AS", 5]]]);
  assertEquals(sdp.connection, undefined);
  assertEquals(sdp.media, [{
    kind: "audio",
    port: 5004,
    portCount: 2,
    protocol: "RTP/AVP",
    formats: ["0", "8"],
    attributes: [["recvonly"], ["fmtp", "0 x"]],
  }]);
  assertEquals(attributeValue(sdp.media[0].attributes, "recvonly"), "");
});

Deno.test("parseSdp() refuses text without a version or a medium", () => {
  assertEquals(assertThrows(() => parseSdp(""), SdpFormatError).code, "no-version");
  assertEquals(
    assertThrows(() => parseSdp("v=1\nm=video 0 RTP/AVP 26\n"), SdpFormatError).code,
    "no-version",
  );
  assertEquals(assertThrows(() => parseSdp("v=0\ns=x\n"), SdpFormatError).code, "no-media");
  assertEquals(
    assertThrows(() => parseSdp("v=0\nm=video x RTP/AVP 26\n"), SdpFormatError).code,
    "no-media",
  );
});

Deno.test("formatSdp() fills what the RFC demands and refuses line ends", () => {
  const sdp = parseSdp(SDP_OF_LAB_JAVA);
  assertEquals(
    formatSdp(sdp),
    "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 23117 RTP/AVP 26\r\n" +
      'a=control:streamid=123456\r\na=mimetype:string;"video/MJPEG"\r\n',
  );
  assertThrows(() => formatSdp({ ...sdp, name: "a\r\nb" }), TypeError);
});

Deno.test("parseSdp() takes time in proportion to the text", () => {
  const timeOf = (text: string) => {
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      parseSdp(`v=0\nm=video 0 RTP/AVP 26\n${text}`);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  for (
    const line of [
      "a=x:y\n",
      "b=AS:1\n",
      " ",
      "a=",
      "\n",
      "m=video 0 RTP/AVP 26\n",
      "a=rtpmap: ",
      "9 ",
    ]
  ) {
    assertLess(timeOf(line.repeat(65_536 / line.length)), 200, line);
  }
});

Deno.test("parseSdp() property: any text gives a description or an SdpFormatError, and formatSdp() is its inverse", () => {
  const line = fc.oneof(
    fc.tuple(fc.constantFrom(..."vosctabmiuxr"), fc.string({ maxLength: 30 })).map((
      [type, value],
    ) => `${type}=${value}`),
    fc.constantFrom(
      "v=0",
      "m=video 0 RTP/AVP 26",
      "a=rtpmap:26 JPEG/90000",
      "c=IN IP4 0.0.0.0",
      "t=0 0",
      "b=AS:9",
    ),
    fc.string({ maxLength: 10 }),
  );
  const text = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("\r\n", "\n", "\r"))
    .map(([lines, end]) => lines.join(end));
  fc.assert(
    fc.property(text, (text) => {
      let sdp: SessionDescription;
      try {
        sdp = parseSdp(text);
      } catch (error) {
        if (!(error instanceof SdpFormatError)) throw error;
        return;
      }
      // deno-lint-ignore no-control-regex -- a value with a NUL cannot be written
      if (/\x00/.test(text)) return;
      const written = formatSdp(sdp);
      assertEquals(formatSdp(parseSdp(written)), written);
      assertEquals(parseSdp(written).media, sdp.media);
      for (const media of sdp.media) {
        dimensionsOf(media);
        frameRateOf(media);
        media.formats.forEach((format) => rtpmapOf(media, format));
      }
    }),
    seeded(800),
  );
});
