/** The page's dictionary. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { RTSP_METHODS } from "../../lib/engine/rtsp_state.ts";
import { reasonPhraseOf } from "../../lib/rtsp.ts";
import {
  explainHeader,
  explainMethod,
  explainParameters,
  explainSdpLine,
  explainStatus,
} from "../../lib/ui/page/rtsp_words.js";

const SECTION = /^(RFC \d{4}( (s|A|C)[\d.]+)?|no RFC|Kurose-Ross lab|3GPP TS [\d.]+)$/;

Deno.test("explainMethod() knows every method of the state tables", () => {
  for (const method of RTSP_METHODS) assertMatch(explainMethod(method)![1], SECTION);
  assertEquals(explainMethod("JUMP"), undefined);
  assertEquals(explainMethod("constructor"), undefined);
});

Deno.test("explainHeader() knows every header of RFC 2326 s12, whatever its case", () => {
  const names = "Accept Accept-Encoding Accept-Language Allow Authorization Bandwidth Blocksize " +
    "Cache-Control Conference Connection Content-Base Content-Encoding Content-Language " +
    "Content-Length Content-Location Content-Type CSeq Date Expires From Host If-Match " +
    "If-Modified-Since Last-Modified Location Proxy-Authenticate Proxy-Require Public Range " +
    "Referer Retry-After Require RTP-Info Scale Speed Server Session Timestamp Transport " +
    "Unsupported User-Agent Vary Via WWW-Authenticate";
  for (const [i, name] of names.split(" ").entries()) {
    for (const spelt of [name, name.toLowerCase(), name.toUpperCase()]) {
      assertEquals(explainHeader(spelt)?.[1], `RFC 2326 s12.${i + 1}`, name);
    }
  }
  assertEquals(explainHeader("__proto__"), undefined);
});

Deno.test("explainStatus() knows every status code that has a reason phrase", () => {
  for (let code = 100; code < 600; code++) {
    const known = reasonPhraseOf(code);
    if (known) assertMatch(explainStatus(code)?.[1] ?? "", SECTION, `${code} ${known}`);
  }
  assertEquals(explainStatus(499), explainStatus(400)); // by its first figure
  assertEquals(explainStatus(999), undefined);
});

Deno.test("explainParameters() and explainSdpLine() explain the parts of a line", () => {
  const found = explainParameters("Transport", " RTP/AVP;unicast;client_port=5008-5009;x=1");
  assertEquals(found.map(([name]) => name), ["RTP/AVP", "unicast", "client_port"]);
  assertEquals(explainParameters("CSeq", " 1;url=x"), []);
  assert(explainSdpLine("a=rtpmap:26 JPEG/90000")?.[0].includes("payload type"));
  assertEquals(explainSdpLine("m=video 0 RTP/AVP 26")?.[1], "RFC 8866 s5.14");
  assertEquals(explainSdpLine("nonsense"), undefined);
});
