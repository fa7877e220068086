import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { answerChallenge, type Challenge, type Hash, parseChallenges } from "../../lib/auth.ts";
import { Authentication } from "../../lib/server/authentication.ts";
import type { RtspRequest } from "../../lib/rtsp.ts";
import { type ProbeResponse, RtspProbe } from "../support/rtsp_probe.ts";
import { TestServer } from "../support/test_server.ts";

const hash: Hash = (algorithm, text) =>
  createHash(algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex");
const users = new Map([["ann", "s3cret"], ["böb", "päss:word"]]);

function challengesOf(response: ProbeResponse): Challenge[] {
  assertEquals(response.statusCode, 401);
  return parseChallenges(response.headers.get("www-authenticate")!.split("\n"));
}

function answerTo(
  challenge: Challenge,
  { username = "ann", password = "s3cret", method = "DESCRIBE", uri = "" } = {},
): { Authorization: string } {
  return {
    Authorization: answerChallenge({
      challenge,
      username,
      password,
      method,
      uri,
      cnonce: "abc",
      nonceCount: 1,
      hash,
    }),
  };
}

Deno.test("RtspServer asks for credentials: SHA-256, MD5, Basic, in this order, one nonce", async () => {
  await using test = await TestServer.start({ users });
  await using probe = await RtspProbe.connect(test.port);
  const challenges = challengesOf(await probe.ask("DESCRIBE", test.url("movie.mjpeg")));
  assertEquals(challenges.map(({ scheme, algorithm }) => [scheme, algorithm]), [
    ["Digest", "SHA-256"],
    ["Digest", undefined],
    ["Basic", undefined],
  ]);
  assertEquals(challenges[0].nonce, challenges[1].nonce);
  assertEquals(challenges.map(({ qop }) => qop), [[], [], []]);
});

Deno.test("RtspServer takes each of the answers it has offered, on every request", async () => {
  await using test = await TestServer.start({ users });
  const uri = test.url("movie.mjpeg");
  for (const index of [0, 1, 2]) {
    for (const [username, password] of users) {
      await using probe = await RtspProbe.connect(test.port);
      const challenge = challengesOf(await probe.ask("DESCRIBE", uri))[index];
      const as = (method: string) => answerTo(challenge, { username, password, method, uri });
      assertEquals((await probe.ask("DESCRIBE", uri, as("DESCRIBE"))).statusCode, 200);
      const transport = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };
      assertEquals(
        (await probe.ask("SETUP", uri, { ...as("SETUP"), ...transport })).statusCode,
        200,
      );
      assertEquals((await probe.ask("SETUP", uri, transport)).statusCode, 401);
    }
  }
});

Deno.test("RtspServer never asks OPTIONS for credentials", async () => {
  await using test = await TestServer.start({ users });
  await using probe = await RtspProbe.connect(test.port);
  assertEquals((await probe.ask("OPTIONS", test.url("movie.mjpeg"))).statusCode, 200);
  assertEquals((await probe.ask("GET_PARAMETER", "*")).statusCode, 401);
});

Deno.test("RtspServer answers a wrong password late, and counts it; nothing tells a stranger from a user", async () => {
  await using test = await TestServer.start({ users });
  const uri = test.url("movie.mjpeg");
  await using probe = await RtspProbe.connect(test.port);
  const [, challenge] = challengesOf(await probe.ask("DESCRIBE", uri));
  let previousMs = 0;
  for (const [username, password] of [["ann", "wrong"], ["nobody", "s3cret"]]) {
    const from = performance.now();
    const response = await probe.ask(
      "DESCRIBE",
      uri,
      answerTo(challenge, { username, password, uri }),
    );
    const tookMs = performance.now() - from;
    assertEquals(response.statusCode, 401);
    assert(tookMs > 200 && tookMs > previousMs, `${tookMs} ms`);
    previousMs = tookMs;
  }
  assertEquals((await test.server.statistics()).failedLogins, 2);
  const response = await probe.ask("DESCRIBE", uri, answerTo(challenge, { uri }));
  assertEquals(response.statusCode, 200, "the connection is not closed after a wrong password");
});

Deno.test("RtspServer refuses lab clients in their own three lines when it asks for credentials", async () => {
  await using test = await TestServer.start({ users });
  await using probe = await RtspProbe.connect(test.port);
  await probe.send("SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070\n");
  assertMatch(await probe.text(200), /^RTSP\/1.0 401 Unauthorized\nCSeq: 1\nSession: \d{6}\n$/);
});

/** A gate and a clock of our own. */
function gateOf(options: { offersBasic?: boolean; nonceLifetimeMs?: number } = {}) {
  const messages: string[] = [];
  const authentication = new Authentication({
    users,
    ...options,
    emit: (event) => messages.push(event.type === "warning" ? event.message : ""),
  });
  const request = (headers: Record<string, string> = {}): RtspRequest => ({
    type: "request",
    method: "DESCRIBE",
    uri: "rtsp://h/m",
    version: "RTSP/1.0",
    headers: Object.entries(headers),
    body: new Uint8Array(0),
  });
  const ask = (gate: ReturnType<typeof authentication.gateFor>, now: number) => {
    const refusal = gate(request(), now)!;
    const values = refusal.answer.headers!.map(([, value]) => value);
    return parseChallenges(values);
  };
  return { authentication, messages, request, ask };
}

Deno.test("Authentication calls an old nonce stale, and does not count that as a failure", () => {
  const { authentication, request, ask } = gateOf({ nonceLifetimeMs: 1000 });
  const gate = authentication.gateFor("a");
  const [challenge] = ask(gate, 0);
  const headers = answerTo(challenge, { uri: "rtsp://h/m" });
  assertEquals(gate(request(headers), 999), undefined);
  const refusal = gate(request(headers), 1000)!;
  assertEquals(refusal.delayMs, 0);
  assertMatch(refusal.answer.headers![0][1], /stale=true/);
  assertEquals(authentication.failures, 0);
});

Deno.test("Authentication does not even listen to who guesses on, until a minute has gone by", () => {
  const { authentication, request, messages } = gateOf();
  const basic = (password: string) => ({ Authorization: `Basic ${btoa(`ann:${password}`)}` });
  const delays = [];
  for (let guess = 0; guess < 12; guess++) {
    delays.push(authentication.gateFor("evil")(request(basic(`x${guess}`)), guess)!.delayMs);
  }
  assertEquals(delays.slice(0, 4), [250, 500, 1000, 2000]);
  assert(delays.every((delay) => delay <= 4000));
  assert(authentication.gateFor("evil")(request(basic("s3cret")), 20) !== undefined, "barred");
  assertMatch(messages.at(-1)!, /refused unseen/);
  assertEquals(authentication.gateFor("good")(request(basic("s3cret")), 20), undefined);
  assertEquals(authentication.gateFor("evil")(request(basic("s3cret")), 60_020), undefined);
  assert(!messages.join().includes("x3"), "no password in the log");
});

Deno.test("Authentication keeps listening to a connection that has been right before", () => {
  const { authentication, request } = gateOf();
  const basic = (password: string) => ({ Authorization: `Basic ${btoa(`ann:${password}`)}` });
  const gate = authentication.gateFor("shared");
  assertEquals(gate(request(basic("s3cret")), 0), undefined);
  for (let guess = 0; guess < 20; guess++) {
    authentication.gateFor("shared")(request(basic("no")), guess);
  }
  assertEquals(gate(request(basic("s3cret")), 30), undefined);
});

Deno.test("Authentication takes Basic only when it is offered", () => {
  const { authentication, request, ask } = gateOf({ offersBasic: false });
  const gate = authentication.gateFor("a");
  assertEquals(ask(gate, 0).map(({ scheme }) => scheme), ["Digest", "Digest"]);
  assert(gate(request({ Authorization: `Basic ${btoa("ann:s3cret")}` }), 0) !== undefined);
});
