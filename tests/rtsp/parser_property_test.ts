import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RtspFormatError } from "../../lib/errors.ts";
import {
  formatInterleaved,
  formatRequest,
  formatResponse,
  headerValue,
  type LabForm,
  type RtspHeader,
  type RtspMessage,
  RtspParser,
  type RtspParserOptions,
  type RtspRequest,
  type RtspResponse,
} from "../../lib/rtsp.ts";
import { seeded } from "../support/property.ts";
import { LAB_REPLY_BYTES } from "../vectors/lab_reply_bytes.ts";
import { LAB_JOINED_REQUESTS, LAB_REQUESTS } from "../vectors/lab_requests.ts";
import { cutAt, octets, readPieces } from "./reading.ts";

const OPTIONS: RtspParserOptions[] = (["server", "client"] as const).flatMap((role) =>
  (["auto", "rtsp", "lab"] as const).map((dialect) => ({ role, dialect }))
);

const STANDARD_TEXTS = [
  "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
  "SETUP rtsp://h/m/trackID=0 RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=4-5\r\n\r\n",
  "SET_PARAMETER rtsp://h/m RTSP/1.0\nCSeq: 3\nContent-Length: 3\n\nabc",
  "RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 3\r\n\r\nabc",
  "RTSP/1.0 401 Unauthorized\r\nCSeq: 3\r\n folded\r\n\r\n",
  "$\x01\x00\x03abc",
  "\r\n",
];

/** Methods that family B can write without a version and be understood. */
const LAB_METHODS = ["SETUP", "PLAY", "PAUSE", "TEARDOWN", "DESCRIBE", "OPTIONS"];

/** Octets that come near to being messages: pieces of real ones, cut, doubled and stirred. */
const nearMessages = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...STANDARD_TEXTS,
      ...LAB_REQUESTS.map(({ bytes }) => bytes),
      ...LAB_JOINED_REQUESTS,
      ...LAB_REPLY_BYTES.map(({ bytes }) => bytes),
    ).chain((text) =>
      fc.tuple(fc.nat(text.length), fc.nat(text.length)).map(([a, b]) =>
        a === b ? text : text.slice(Math.min(a, b), Math.max(a, b))
      )
    ),
    fc.constantFrom("\r", "\n", "\r\n", "$", " ", ":", "PLAY ", "RTSP/1.0", "CSeq: 1\r\n", "v=0\n"),
    fc.string({ maxLength: 4 }),
  ),
  { maxLength: 8, size: "max" },
).map((parts) => octets(parts.join("")));

const anyOctets = fc.oneof(nearMessages, fc.uint8Array({ maxLength: 200, size: "max" }));
const cuts = fc.array(fc.nat(400), { maxLength: 12, size: "max" });

/** Reads everything, pausing where a place is even; what comes out, or the fault. */
function readWithPauses(
  options: RtspParserOptions,
  bytes: Uint8Array,
  places: number[],
): unknown[] {
  const parser = new RtspParser(options);
  const seen: unknown[] = [];
  const drain = () => {
    for (let message = parser.next(); message !== undefined; message = parser.next()) {
      seen.push(message);
    }
  };
  try {
    for (const piece of cutAt(bytes, places)) {
      parser.push(piece);
      drain();
      const { pauseMs } = parser;
      assertEquals(pauseMs === undefined || pauseMs > 0, true);
      if (pauseMs !== undefined && piece.length % 2 === 0) {
        parser.pause();
        drain();
      }
    }
    parser.endOfInput();
    drain();
  } catch (error) {
    if (!(error instanceof RtspFormatError)) throw error;
    assertEquals(
      error.statusCode >= 400 && error.offset >= 0 && error.offset <= bytes.length,
      true,
    );
    seen.push(error.code);
  }
  return seen;
}

Deno.test("RtspParser property: any octets in any pieces give messages or an RtspFormatError", () => {
  fc.assert(
    fc.property(fc.constantFrom(...OPTIONS), anyOctets, cuts, (options, bytes, places) => {
      const messages = readWithPauses(options, bytes, places);
      // Every message takes octets: nothing is read twice.
      assertEquals(messages.length <= bytes.length + 1, true);
    }),
    seeded(600),
  );
});

Deno.test("RtspParser property: what is read can be written and read again with the same meaning", () => {
  fc.assert(
    fc.property(fc.constantFrom(...OPTIONS), anyOctets, cuts, (options, bytes, places) => {
      for (const message of readWithPauses(options, bytes, places) as (RtspMessage | string)[]) {
        if (typeof message === "string") continue;
        const { role } = options;
        if (message.type === "interleaved") {
          const again = formatInterleaved(message.channel, message.payload);
          assertEquals(readPieces({ role, dialect: "rtsp" }, [again]), [message]);
        } else if (message.lab === undefined) {
          const again = message.type === "request"
            ? formatRequest(message)
            : formatResponse(message);
          const [read] = readPieces({ role, dialect: "rtsp" }, [again]);
          const uri = message.type === "request" ? message.uri.replaceAll(" ", "%20") : "";
          assertEquals(read, message.type === "request" ? { ...message, uri } : message);
        } else if (
          message.type === "request" && LAB_METHODS.includes(message.method) &&
          message.body.length === 0
        ) {
          const [read] = readPieces({ role, dialect: "lab" }, [formatRequest(message)], {
            silence: "pause",
          }) as RtspRequest[];
          assertEquals(read.method, message.method);
          assertEquals(
            headerValue(read.headers, "CSeq"),
            headerValue(message.headers, "CSeq") ?? "0",
          );
        }
      }
    }),
    seeded(400),
  );
});

Deno.test("RtspParser property: pieces never change what a standard connection says", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("server" as const, "client" as const),
      anyOctets,
      cuts,
      (role, bytes, places) => {
        const options = { role, dialect: "rtsp" } as const;
        assertEquals(readWithPauses(options, bytes, places), readWithPauses(options, bytes, []));
      },
    ),
    seeded(600),
  );
});

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,20}$/);
const text = fc.string({ unit: "grapheme", maxLength: 40 }).map((value) =>
  // deno-lint-ignore no-control-regex -- control characters cannot stand in a header
  value.replace(/[\x00-\x1f\x7f]|[\ud800-\udfff]/gu, "").replace(/^[ \t]+|[ \t]+$/g, "")
);
const headers = fc.array(
  fc.tuple(token.filter((name) => !/^(?:content-(?:length|type)|transport)$/i.test(name)), text),
  { maxLength: 20, size: "max" },
);
const body = fc.uint8Array({ maxLength: 300, size: "max" });
const path = fc.webPath().map((given) => (given.startsWith("/") ? given : `/${given}`));

const standardRequest: fc.Arbitrary<RtspRequest> = fc.record({
  method: fc.oneof(token, fc.constantFrom("OPTIONS", "SETUP", "PLAY", "GET_PARAMETER")),
  path,
  headers,
  body,
}).map(({ method, path, headers, body }) => ({
  type: "request",
  method,
  uri: `rtsp://host:554${path}`,
  version: "RTSP/1.0",
  headers: body.length === 0 ? headers : [...headers, ["Content-Length", String(body.length)]],
  body,
}));

const standardResponse: fc.Arbitrary<RtspResponse> = fc.record({
  statusCode: fc.integer({ min: 100, max: 999 }),
  reasonPhrase: text,
  headers,
  body,
}).map(({ statusCode, reasonPhrase, headers, body }) => ({
  type: "response",
  version: "RTSP/1.0",
  statusCode,
  reasonPhrase,
  headers: body.length === 0 ? headers : [...headers, ["Content-Length", String(body.length)]],
  body,
}));

const frame: fc.Arbitrary<RtspMessage> = fc.record({
  type: fc.constant("interleaved" as const),
  channel: fc.nat(255),
  payload: body,
});

Deno.test("formatRequest(), formatResponse() property: whatever is written is read again, in any pieces", () => {
  const messages = fc.array(fc.oneof(standardRequest, standardResponse, frame), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.constantFrom(...OPTIONS.filter(({ dialect }) => dialect !== "lab")),
      messages,
      fc.array(fc.nat(3000), { maxLength: 20, size: "max" }),
      (options, messages, places) => {
        const bytes = messages.flatMap((message) => [
          ...message.type === "request"
            ? formatRequest(message)
            : message.type === "response"
            ? formatResponse(message)
            : formatInterleaved(message.channel, message.payload),
        ]);
        assertEquals(readPieces(options, cutAt(Uint8Array.from(bytes), places)), messages);
      },
    ),
    seeded(200),
  );
});

Deno.test("formatRequest() property: a lab request is read again with the same meaning", () => {
  const form: fc.Arbitrary<LabForm> = fc.record({
    family: fc.constantFrom("A" as const, "B" as const),
    lineEnd: fc.constantFrom("\n" as const, "\r\n" as const),
    hasBlankLine: fc.boolean(),
    portSpelling: fc.constantFrom("spaced" as const, "tight" as const, "own-line" as const),
  });
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}\.mjpeg$/);
  fc.assert(
    fc.property(
      form,
      fc.constantFrom("SETUP", "PLAY", "PAUSE", "TEARDOWN"),
      name,
      fc.integer({ min: 0, max: 99 }),
      fc.integer({ min: 1024, max: 65535 }),
      fc.integer({ min: 100000, max: 999999 }),
      (form, method, uri, cseq, port, session) => {
        const isSetup = method === "SETUP";
        const headers: RtspHeader[] = [
          ["CSeq", String(cseq)],
          isSetup ? ["Transport", `RTP/UDP;client_port=${port}`] : ["Session", String(session)],
        ];
        const { portSpelling, ...plainForm } = form;
        const lab = isSetup ? { ...plainForm, portSpelling } : plainForm;
        const bytes = formatRequest({
          type: "request",
          method,
          uri,
          version: "RTSP/1.0",
          headers,
          body: new Uint8Array(),
          lab,
        });
        const parser = { role: "server", dialect: "lab" } as const;
        const [read] = readPieces(parser, [bytes], { silence: "pause" }) as RtspRequest[];
        assertEquals([read.method, read.uri], [method, uri]);
        const isShort = form.family === "B" && !isSetup;
        assertEquals(read.headers, isShort ? headers.slice(0, 1) : headers);
        assertEquals(read.lab?.family, form.family);
      },
    ),
    seeded(200),
  );
});
