import { assert, assertEquals, assertFalse, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import {
  answerChallenge,
  chooseChallenge,
  equalInConstantTime,
  formatChallenges,
  type Hash,
  NonceBook,
  parseAuthorization,
  parseChallenges,
  verifyAuthorization,
  type VerifyAuthorizationOptions,
} from "../lib/auth.ts";
import { decodeBase64, encodeBase64 } from "../lib/auth/digest.ts";
import { RtspFormatError } from "../lib/errors.ts";
import { seeded } from "./support/property.ts";
import { shortestRunMs } from "./support/timing.ts";

const hash: Hash = (algorithm, text) =>
  createHash(algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex");

const MUFASA = { username: "Mufasa", password: "Circle of Life", hash };

Deno.test("answerChallenge() gives the examples of RFC 2617 s3.5, RFC 7616 s3.9.1 and RFC 7617 s2", () => {
  const [old] = parseChallenges([
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  ]);
  const answer = answerChallenge({
    ...MUFASA,
    password: "Circle Of Life",
    challenge: old,
    method: "GET",
    uri: "/dir/index.html",
    cnonce: "0a4f113b",
    nonceCount: 1,
  });
  assertEquals(
    answer,
    'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
      'uri="/dir/index.html", response="6629fae49393a05397450978507c4ef1", ' +
      'opaque="5ccc069c403ebaf9f0171e9517f40e41", qop=auth, nc=00000001, cnonce="0a4f113b"',
  );
  const challenges = ["SHA-256", "MD5"].map((algorithm) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
  );
  const responses = parseChallenges(challenges).map((challenge) =>
    answerChallenge({
      ...MUFASA,
      challenge,
      method: "GET",
      uri: "/dir/index.html",
      cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
      nonceCount: 1,
    }).match(/response="(\w+)"/)?.[1]
  );
  assertEquals(responses, [
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    "8ca523f5e9506fed4657c9700eebdbec",
  ]);
  const [basic] = parseChallenges(['Basic realm="foo", charset="UTF-8"']);
  const options = { challenge: basic, method: "GET", uri: "/", cnonce: "", nonceCount: 1, hash };
  assertEquals(
    answerChallenge({ ...options, username: "Aladdin", password: "open sesame" }),
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
  );
  assertEquals(
    answerChallenge({ ...options, username: "test", password: "123\u00a3" }),
    "Basic dGVzdDoxMjPCow==",
  );
});

Deno.test("parseChallenges() reads several challenges of one header, quotes and escapes, any case", () => {
  const [digest, basic, strange] = parseChallenges([
    'DIGEST Realm="a \\"b\\", c\\\\", NONCE=xy, Algorithm=sha-256, stale=TRUE, opaque="", basic realm=z',
    "Negotiate YWJj==",
  ]);
  assertEquals(digest, {
    scheme: "Digest",
    realm: 'a "b", c\\',
    nonce: "xy",
    opaque: "",
    algorithm: "sha-256",
    qop: [],
    isStale: true,
  });
  assertEquals([basic.scheme, basic.realm, basic.isStale], ["Basic", "z", false]);
  assertEquals(strange.scheme, "Negotiate");
  for (const bad of [[], [""], [", ,"], ['="x"']]) {
    assertEquals(assertThrows(() => parseChallenges(bad), RtspFormatError).code, "challenge");
  }
});

Deno.test("chooseChallenge() takes the strongest that can be answered", () => {
  const chosen = (...values: string[]) => {
    const challenge = chooseChallenge(parseChallenges(values));
    return challenge && `${challenge.scheme} ${challenge.algorithm ?? "-"}`;
  };
  const sha = 'Digest realm="r", nonce="n", algorithm=SHA-256';
  const md5 = 'Digest realm="r", nonce="n"';
  assertEquals(chosen("Basic realm=r", md5, sha), "Digest SHA-256");
  assertEquals(chosen(sha, md5, "Basic realm=r"), "Digest SHA-256");
  assertEquals(chosen("Basic realm=r", md5), "Digest -");
  assertEquals(chosen(`${md5}, algorithm=md5-sess`), "Digest md5-sess");
  assertEquals(
    chosen('Digest realm="r", nonce="n", algorithm=SHA-512-256', "Basic realm=r"),
    "Basic -",
  );
  assertEquals(chosen('Digest realm="r", nonce="n", qop="auth-int"'), undefined);
  assertEquals(chosen('Digest realm="r"', "Negotiate"), undefined);
  const [negotiate] = parseChallenges(["Negotiate"]);
  const options = {
    ...MUFASA,
    challenge: negotiate,
    method: "PLAY",
    uri: "*",
    cnonce: "c",
    nonceCount: 1,
  };
  assertThrows(() => answerChallenge(options), TypeError, "Negotiate");
});

Deno.test("formatChallenges() puts SHA-256 first, MD5 without a word behind it, Basic last", () => {
  const options = { realm: 'a "b"', nonce: "n" };
  assertEquals(
    formatChallenges({ ...options, algorithms: ["MD5", "SHA-256"], isBasicOffered: true }),
    [
      'Digest realm="a \\"b\\"", nonce="n", algorithm=SHA-256',
      'Digest realm="a \\"b\\"", nonce="n"',
      'Basic realm="a \\"b\\""',
    ],
  );
  assertEquals(
    formatChallenges({ realm: "r", nonce: "n", algorithms: ["MD5"], isStale: true, hasQop: true }),
    ['Digest realm="r", nonce="n", qop="auth", stale=true'],
  );
});

const SERVER: Omit<VerifyAuthorizationOptions, "value"> = {
  method: "SETUP",
  uri: "rtsp://127.0.0.1:8554/live/trackID=0",
  realm: "deno-rtsp",
  passwordOf: (username) => (username === "ann" ? "s:cret" : undefined),
  nonceStateOf: (nonce) => (nonce === "fresh" ? "valid" : nonce === "old" ? "expired" : "unknown"),
  isBasicOffered: true,
  hash,
};

function digestAnswer(changes: {
  algorithm?: string;
  qop?: boolean;
  nonce?: string;
  realm?: string;
  username?: string;
  password?: string;
  uri?: string;
  method?: string;
} = {}): string {
  const { algorithm, qop, nonce = "fresh", realm = "deno-rtsp" } = changes;
  const [challenge] = parseChallenges([
    `Digest realm="${realm}", nonce="${nonce}"${
      algorithm === undefined ? "" : `, algorithm=${algorithm}`
    }${qop ? ', qop="auth"' : ""}`,
  ]);
  return answerChallenge({
    challenge,
    username: changes.username ?? "ann",
    password: changes.password ?? "s:cret",
    method: changes.method ?? "SETUP",
    uri: changes.uri ?? "rtsp://127.0.0.1:8554/live/trackID=0",
    cnonce: "0a4f113b",
    nonceCount: 1,
    hash,
  });
}

const verify = (value: string, changes: Partial<VerifyAuthorizationOptions> = {}) =>
  verifyAuthorization({ ...SERVER, ...changes, value });

Deno.test("verifyAuthorization() accepts every form of a right answer", () => {
  for (
    const algorithm of [undefined, "MD5", "md5", "SHA-256", "sha-256", "MD5-sess", "SHA-256-sess"]
  ) {
    for (const qop of [false, true]) {
      assertEquals(verify(digestAnswer({ algorithm, qop })), "ok", `${algorithm} ${qop}`);
    }
  }
  assertEquals(verify(`Basic ${encodeBase64("ann:s:cret")}`), "ok");
  assertEquals(verify(`basic   ${encodeBase64("ann:s:cret").replace("=", "")}`), "ok");
  const unquoted = digestAnswer().replace(/="([\w:-]+)"/g, "=$1");
  assertEquals(verify(unquoted), "ok");
});

Deno.test("verifyAuthorization() tells wrong from stale", () => {
  const wrong = [
    digestAnswer({ password: "other" }),
    digestAnswer({ username: "bob" }),
    digestAnswer({ username: "bob", password: "" }),
    digestAnswer({ realm: "other" }),
    digestAnswer({ method: "PLAY" }),
    digestAnswer({ password: "other", nonce: "old" }),
    `Basic ${encodeBase64("ann:other")}`,
    `Basic ${encodeBase64("bob:")}`,
  ];
  for (const value of wrong) assertEquals(verify(value), "wrong", value);
  assertEquals(verify(digestAnswer({ nonce: "old" })), "stale");
  assertEquals(verify(digestAnswer({ nonce: "of another life" })), "stale");
  assertEquals(verify(digestAnswer({ algorithm: "SHA-256" }), { algorithms: ["MD5"] }), "wrong");
  assertEquals(verify(`Basic ${encodeBase64("ann:s:cret")}`, { isBasicOffered: false }), "wrong");
});

Deno.test("verifyAuthorization() takes the uri of the target, its path, or a folder above it", () => {
  const uris = [
    "rtsp://127.0.0.1:8554/live/trackID=0",
    "rtsp://127.0.0.1:8554/live/",
    "rtsp://127.0.0.1:8554/live",
    "rtsp://camera.local/live//trackID=0/",
    "rtsp://ann:secret@127.0.0.1/live?x=1",
    "/live/trackID=0",
    "/live",
  ];
  for (const uri of uris) assertEquals(verify(digestAnswer({ uri })), "ok", uri);
  for (
    const uri of [
      "/",
      "*",
      "rtsp://127.0.0.1:8554",
      "/liv",
      "/live/trackID=0/x",
      "/other/trackID=0",
      "rtsp://h/live/trackID=1",
    ]
  ) {
    assertEquals(verify(digestAnswer({ uri })), "wrong", uri);
  }
  const root = { uri: "rtsp://h/" };
  assertEquals(verify(digestAnswer(root), { uri: "rtsp://127.0.0.1:8554" }), "ok");
});

Deno.test("parseAuthorization(), verifyAuthorization() call the rest malformed", () => {
  const right = digestAnswer({ qop: true });
  const bad = [
    "",
    "Bearer abc",
    "Basic",
    "Basic !!!",
    "Basic YQ==",
    "Basic A",
    right.replace("nonce=", "nonze="),
    right.replace("response=", "r="),
    right.replace(", nc=00000001", ""),
    right.replace("qop=auth", "qop=auth-int"),
    `${right}, algorithm=SHA-512-256`,
  ];
  for (const value of bad) assertEquals(verify(value), "malformed", value);
  assertEquals(
    assertThrows(() => parseAuthorization("Basic"), RtspFormatError).code,
    "authorization",
  );
  assertEquals(parseAuthorization("Basic w7w6w7w="), {
    scheme: "Basic",
    username: "\u00fc",
    password: "\u00fc",
  });
  assertEquals(parseAuthorization("Basic /Dr8"), {
    scheme: "Basic",
    username: "\u00fc",
    password: "\u00fc",
  });
});

Deno.test("encodeBase64(), decodeBase64() property: inverse of each other and equal to the platform's", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const encoded = encodeBase64(text);
      assertEquals(encoded, btoa(String.fromCharCode(...new TextEncoder().encode(text))));
      assertEquals(decodeBase64(encoded), text);
      assertEquals(decodeBase64(encoded.replace(/=+$/, "")), text);
    }),
    seeded(200),
  );
});

Deno.test("verifyAuthorization() property: any text is ok, wrong, stale or malformed, in linear time", () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom(
      "Digest ",
      "Basic ",
      "realm=",
      '"',
      "\\",
      ",",
      "=",
      " ",
      "nonce=",
      "uri=",
      "username=",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join("");
      assert(["ok", "wrong", "stale", "malformed"].includes(verify(text)));
      try {
        chooseChallenge(parseChallenges([text]));
      } catch (error) {
        if (!(error instanceof RtspFormatError)) throw error;
      }
    }),
    seeded(500),
  );
  for (
    const filler of ["a", "a=", "=", '"', "\\", " ", ",", "a ", "a(", "(", 'a="', "a,", "Digest a="]
  ) {
    for (const tail of ["", "(", '"', "="]) {
      const tookMs = shortestRunMs(500, () => {
        verify(`Digest ${filler.repeat(65_536 / filler.length)}${tail}`);
        verify(`Basic ${filler.repeat(65_536 / filler.length)}${tail}`);
      });
      assertLess(tookMs, 500, JSON.stringify(filler + tail));
    }
  }
});

Deno.test("equalInConstantTime() compares like ===", () => {
  for (
    const [a, b] of [["", ""], ["a", "a"], ["a", "b"], ["a", "ab"], ["ab", "a"], ["", "\x00"], [
      "\x00a",
      "a",
    ]]
  ) {
    assertEquals(equalInConstantTime(a, b), a === b);
  }
});

Deno.test("NonceBook forgets by age and by number", () => {
  const book = new NonceBook({ lifetimeMs: 1000, capacity: 3 });
  let count = 0;
  const issue = (now: number) => book.issue(now, () => `n${count++}`);
  issue(0);
  assertEquals([book.stateOf("n0", 999), book.stateOf("n0", 1000)], ["valid", "expired"]);
  issue(500);
  issue(600);
  assertEquals(book.size, 3);
  issue(700);
  assertEquals(book.size, 3);
  assertEquals(book.stateOf("n0", 700), "unknown");
  assertEquals(book.stateOf("n1", 700), "valid");
  issue(5000);
  assertEquals(book.size, 1);
  const large = new NonceBook();
  for (let i = 0; i < 10_000; i++) large.issue(0, () => `x${i}`);
  assertEquals(large.size, 4096);
  assertFalse(large.stateOf("x0", 0) === "valid");
});
