import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { maskSecrets } from "../../lib/rtsp.ts";
import { seeded } from "../support/property.ts";

const encoder = new TextEncoder();
const masked = (text: string) => new TextDecoder().decode(maskSecrets(encoder.encode(text)).bytes);

Deno.test("maskSecrets() leaves a message without secrets as it is, without a copy", () => {
  const bytes = encoder.encode("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nFrom: ann@example.org\r\n\r\n");
  const result = maskSecrets(bytes);
  assertStrictEquals(result.bytes, bytes);
  assertEquals(result.isMasked, false);
});

Deno.test("maskSecrets() overwrites Digest credentials and keeps what explains them", () => {
  assertEquals(
    masked(
      'Authorization: Digest username="ann", realm="films", nonce="0a1b", uri="rtsp://h/f", response="77", nc=00000001, cnonce="x", qop=auth\r\n',
    ),
    'Authorization: Digest username="***", realm="films", nonce="****", uri="rtsp://h/f", response="**", nc=00000001, cnonce="*", qop=auth\r\n',
  );
  assertEquals(
    masked('WWW-Authenticate: Digest realm="films", nonce="0a1b", opaque=zz, stale=true\r\n'),
    'WWW-Authenticate: Digest realm="films", nonce="****", opaque=**, stale=true\r\n',
  );
});

Deno.test("maskSecrets() overwrites what may be a credential, however it is written", () => {
  assertEquals(masked("authorization : Basic YW5uOnB3\n"), "authorization : Basic ********\n");
  assertEquals(masked("AUTHORIZATION:YW5uOnB3\n"), "AUTHORIZATION:********\n");
  assertEquals(
    masked("Proxy-Authorization: Bearer a.b-c_d\n"),
    "Proxy-Authorization: Bearer *******\n",
  );
  assertEquals(
    masked("Authorization: Digest username=ann,\r\n  response=abc\r\nCSeq: 1\r\n"),
    "Authorization: Digest username=***,\r\n  response=***\r\nCSeq: 1\r\n",
  );
  assertEquals(
    masked('Authorization: Digest response="abc\r\n'),
    'Authorization: Digest *********"***\r\n',
  );
});

Deno.test("maskSecrets() overwrites names and passwords in URLs", () => {
  assertEquals(
    masked("SETUP rtsp://ann:p@ss@h:5/x?a=b@c RTSP/1.0\r\n"),
    "SETUP rtsp://********@h:5/x?a=b@c RTSP/1.0\r\n",
  );
  assertEquals(masked("PLAY rtsp://ann:a/b@h/x RTSP/1.0\n"), "PLAY rtsp://*******@h/x RTSP/1.0\n");
  assertEquals(masked("PLAY rtsp://h:554/a@b RTSP/1.0\n"), "PLAY rtsp://h:554/a@b RTSP/1.0\n");
  assertEquals(masked("Content-Base: RTSP://u@h/\r\n"), "Content-Base: RTSP://*@h/\r\n");
});

Deno.test("property: maskSecrets() keeps every length, and never shows the password", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."abcXYZ019+=_-.~:"), minLength: 6, maxLength: 40 }),
      fc.constantFrom("Basic ", "Digest response=", 'Digest response="', "", "Foo "),
      fc.constantFrom("\r\n", "\n", ""),
      fc.uint8Array({ maxLength: 40 }),
      (secret, scheme, end, body) => {
        const head = encoder.encode(
          `PLAY rtsp://u:${secret}@h/f RTSP/1.0\r\nAuthorization: ${scheme}${secret}${end}`,
        );
        const bytes = new Uint8Array([...head, ...body]);
        const result = maskSecrets(bytes);
        assertEquals(result.bytes.length, bytes.length);
        assert(
          !new TextDecoder("latin1").decode(result.bytes.subarray(0, head.length)).includes(secret),
        );
        assertEquals(result.isMasked, true);
      },
    ),
    seeded(),
  );
});
