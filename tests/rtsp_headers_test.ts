import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RtspFormatError } from "../lib/errors.ts";
import {
  formatPublic,
  formatRange,
  formatRtpInfo,
  formatSession,
  formatTransport,
  parsePublic,
  parseRange,
  parseRtpInfo,
  parseScale,
  parseSession,
  parseSpeed,
  parseTransport,
  type RtspRange,
  type TransportSpec,
} from "../lib/rtsp_headers.ts";
import { seeded } from "./support/property.ts";
import { shortestRunMs } from "./support/timing.ts";

const UDP = { lowerTransport: "UDP", isMulticast: false, extra: [] } as const;

/** Text, meaning, and the text we would write for it. */
const TRANSPORTS: [string, TransportSpec[], string?][] = [
  [
    "RTP/AVP;unicast;client_port=4588-4589",
    [{ protocol: "RTP/AVP", ...UDP, clientPort: [4588, 4589] }],
    "RTP/AVP;unicast;client_port=4588-4589",
  ],
  [
    "RTP/AVP/UDP;unicast;client_port=17176-17177",
    [{ protocol: "RTP/AVP/UDP", ...UDP, clientPort: [17176, 17177] }],
    "RTP/AVP/UDP;unicast;client_port=17176-17177",
  ],
  [
    "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record",
    [{
      protocol: "RTP/AVP/TCP",
      ...UDP,
      lowerTransport: "TCP",
      interleaved: [0, 1],
      mode: "RECORD",
    }],
    'RTP/AVP/TCP;unicast;interleaved=0-1;mode="RECORD"',
  ],
  [
    'RTP/AVP;unicast;client_port=17854-17855;server_port=53056-53057;ssrc=8972E06A;mode="PLAY"',
    [{
      protocol: "RTP/AVP",
      ...UDP,
      clientPort: [17854, 17855],
      serverPort: [53056, 53057],
      ssrc: 0x8972e06a,
      mode: "PLAY",
    }],
    'RTP/AVP;unicast;client_port=17854-17855;server_port=53056-53057;ssrc=8972E06A;mode="PLAY"',
  ],
  [
    "RTP/AVP;multicast;destination=224.2.0.1;ttl=127;port=3456-3457",
    [{
      protocol: "RTP/AVP",
      ...UDP,
      isMulticast: true,
      destination: "224.2.0.1",
      ttl: 127,
      port: [3456, 3457],
    }],
    "RTP/AVP;multicast;destination=224.2.0.1;ttl=127;port=3456-3457",
  ],
  // Several alternatives, one of them unreadable.
  [
    'RTP/AVP/TCP;interleaved=0-1;x="a,b", RTP/AVP;client_port=x , RAW/RAW/UDP;unicast',
    [
      {
        protocol: "RTP/AVP/TCP",
        ...UDP,
        lowerTransport: "TCP",
        interleaved: [0, 1],
        extra: [["x", "a,b"]],
      },
      { protocol: "RAW/RAW/UDP", ...UDP },
    ],
  ],
  // What peers make of it.
  [
    "RTP/UDP; client_port= 25000",
    [{ protocol: "RTP/UDP", ...UDP, clientPort: [25000, 25001] }],
    "RTP/UDP;client_port=25000",
  ],
  ["RTP/UDP; client_port = 26155", [{ protocol: "RTP/UDP", ...UDP, clientPort: [26155, 26156] }]],
  ["TCP/UDP ; Client_port= 26290", [{ protocol: "TCP/UDP", ...UDP, clientPort: [26290, 26291] }]],
  ["rtp/avp;CLIENT_PORT=1-2", [{ protocol: "RTP/AVP", ...UDP, clientPort: [1, 2] }]],
  ["RTP/AVP;client_port=65535", [{ protocol: "RTP/AVP", ...UDP, clientPort: [65535, 65535] }]],
  ['RTP/AVP;client_port="5000-5001"', [{ protocol: "RTP/AVP", ...UDP, clientPort: [5000, 5001] }]],
  ["RTP/AVP;client_port=5000 - 5001", [{ protocol: "RTP/AVP", ...UDP, clientPort: [5000, 5001] }]],
  ["RTP/AVP;client_port=5000-", [{ protocol: "RTP/AVP", ...UDP, clientPort: [5000, 5001] }]],
  ["RTP/AVP/TCP;interleaved=4", [{
    protocol: "RTP/AVP/TCP",
    ...UDP,
    lowerTransport: "TCP",
    interleaved: [4, 5],
  }]],
  ["RTP/AVP;ssrc=0x1a2b", [{ protocol: "RTP/AVP", ...UDP, ssrc: 0x1a2b }]],
  ["RTP/AVP;ssrc= 0000ABcd01 ", [{ protocol: "RTP/AVP", ...UDP, ssrc: 0xabcd01 }]],
  ["RTP/AVP;ssrc=rubbish;ttl=999;mode;source=;;", [{
    protocol: "RTP/AVP",
    ...UDP,
    source: "",
    extra: [["ssrc", "rubbish"], ["ttl", "999"], ["mode"]],
  }]],
  ["RTP/AVP;unicast;mode=receive;layers=2;append", [{
    protocol: "RTP/AVP",
    ...UDP,
    mode: "RECEIVE",
    extra: [["layers", "2"], ["append"]],
  }], 'RTP/AVP;unicast;mode="RECEIVE";layers=2;append'],
];

Deno.test("parseTransport() reads what peers write, formatTransport() what we write", () => {
  for (const [text, specs, canonical] of TRANSPORTS) {
    assertEquals(parseTransport(text), specs, text);
    if (canonical !== undefined) {
      assertEquals(formatTransport(specs[0]), canonical);
      assertEquals(parseTransport(canonical)[0], specs[0]);
    }
  }
});

Deno.test("parseTransport() refuses a header without a usable alternative", () => {
  const bad = [
    "",
    " , ;",
    "RTP",
    "RTP/AVP;client_port=",
    "RTP/AVP;client_port=65536",
    "RTP/AVP/TCP;interleaved=0-256",
    "a b/c d!",
  ];
  for (const text of bad) {
    const error = assertThrows(() => parseTransport(text), RtspFormatError);
    assertEquals([error.code, error.statusCode], ["transport", 400], text);
  }
});

Deno.test("formatTransport() refuses a parameter that would end the header", () => {
  const spec = parseTransport("RTP/AVP")[0];
  assertThrows(() => formatTransport({ ...spec, source: "a;b" }), TypeError);
  assertThrows(() => formatTransport({ ...spec, extra: [["a", "b\r\nc"]] }), TypeError);
});

const RANGES: [string, RtspRange, string?][] = [
  ["npt=0.000-", { unit: "npt", start: 0 }, "npt=0.000-"],
  ["npt=0-3.0", { unit: "npt", start: 0, end: 3 }, "npt=0.000-3.000"],
  ["npt=now-", { unit: "npt", start: "now" }, "npt=now-"],
  ["npt=-12.5", { unit: "npt", end: 12.5 }, "npt=-12.500"],
  ["npt=-", { unit: "npt" }, "npt=-"],
  ["NPT = 1:02:03.25 - 2:00:00", { unit: "npt", start: 3723.25, end: 7200 }],
  ["npt=.5-", { unit: "npt", start: 0.5 }],
  ["npt=10", { unit: "npt", start: 10 }],
  [
    "clock=19961108T142300Z-19961108T143520.25Z",
    { unit: "clock", start: 847462980000, end: 847463720250 },
    "clock=19961108T142300Z-19961108T143520.250Z",
  ],
  ["clock=20000229T000000Z-", { unit: "clock", start: 951782400000 }, "clock=20000229T000000Z-"],
  [
    "smpte=10:12:33:20-",
    {
      unit: "smpte",
      scheme: "smpte",
      start: { hours: 10, minutes: 12, seconds: 33, frames: 20, subframes: 0 },
    },
    "smpte=10:12:33:20-",
  ],
  [
    "smpte-25=10:07:00-10:07:33:05.01",
    {
      unit: "smpte",
      scheme: "smpte-25",
      start: { hours: 10, minutes: 7, seconds: 0, frames: 0, subframes: 0 },
      end: { hours: 10, minutes: 7, seconds: 33, frames: 5, subframes: 1 },
    },
    "smpte-25=10:07:00-10:07:33:05.01",
  ],
  [
    "npt=5-;time=19970123T143720Z",
    { unit: "npt", start: 5, effectiveUnixMs: 854030240000 },
    "npt=5.000-;time=19970123T143720Z",
  ],
];

Deno.test("parseRange() reads every kind of range, formatRange() writes them", () => {
  for (const [text, range, canonical] of RANGES) {
    assertEquals(parseRange(text), range, text);
    if (canonical === undefined) continue;
    assertEquals(formatRange(range), canonical);
    assertEquals(parseRange(canonical), range);
  }
});

Deno.test("parseRange() agrees with the calendar", () => {
  for (
    const iso of [
      "1970-01-01",
      "1999-12-31",
      "2000-03-01",
      "2024-02-29",
      "2100-02-28",
      "9999-12-31",
    ]
  ) {
    const text = `clock=${iso.replaceAll("-", "")}T123456.789Z-`;
    const range = parseRange(text);
    assertEquals(range.unit === "clock" && range.start, Date.parse(`${iso}T12:34:56.789Z`), iso);
    assertEquals(formatRange(range), text);
  }
});

Deno.test("parseRange() refuses the rest with 457", () => {
  const bad = [
    "",
    "npt",
    "npt=",
    "npt=x-",
    "npt=1-x",
    "npt=1:60:00-",
    "npt=1:00:61-",
    "npt=--5",
    "npt=1e3-",
    "smpte=1:2-",
    "smpte=-1:00:00",
    "clock=19961308T142300Z-",
    "clock=1996-",
    "bytes=0-",
    `npt=0-${" ".repeat(1000)}`,
  ];
  for (const text of bad) {
    const error = assertThrows(() => parseRange(text), RtspFormatError);
    assertEquals([error.code, error.statusCode], ["range", 457], text);
  }
  assertThrows(() => formatRange({ unit: "npt", start: -1 }), RangeError);
  assertThrows(() => formatRange({ unit: "npt", end: NaN }), RangeError);
});

Deno.test("parseSession() takes any token and a readable timeout", () => {
  assertEquals(parseSession("2E1556E3;timeout=60"), { id: "2E1556E3", timeoutSeconds: 60 });
  assertEquals(parseSession(" 9f91bae1-dfaa ; Timeout = 30 "), {
    id: "9f91bae1-dfaa",
    timeoutSeconds: 30,
  });
  assertEquals(parseSession("1;timeout=0"), { id: "1" });
  assertEquals(parseSession("1;timeout=soon"), { id: "1" });
  assertEquals(formatSession({ id: "ab", timeoutSeconds: 60 }), "ab;timeout=60");
  assertEquals(formatSession({ id: "ab" }), "ab");
  assertEquals(assertThrows(() => parseSession(" ;timeout=60"), RtspFormatError).statusCode, 454);
});

Deno.test("parseRtpInfo() reads URLs with commas and semicolons, quoted or not", () => {
  const cases: [string, ReturnType<typeof parseRtpInfo>][] = [
    ["url=rtsp://h/a/trackID=0;seq=1000;rtptime=90000", [{
      url: "rtsp://h/a/trackID=0",
      seq: 1000,
      rtptime: 90000,
    }]],
    [
      "url=rtsp://h/a;seq=1;rtptime=2,url=rtsp://h/b;rtptime=4;seq=3",
      [{ url: "rtsp://h/a", seq: 1, rtptime: 2 }, { url: "rtsp://h/b", seq: 3, rtptime: 4 }],
    ],
    ['url="rtsp://h/a;b,c?d=e";seq=5', [{ url: "rtsp://h/a;b,c?d=e", seq: 5 }]],
    ["url=rtsp://h/a;b,c;seq=5", [{ url: "rtsp://h/a;b,c", seq: 5 }]],
    ["URL = trackID=1 ; SEQ = 7 ; ssrc=1", [{ url: "trackID=1", seq: 7 }]],
    ["seq=7;rtptime=8", [{ url: "", seq: 7, rtptime: 8 }]],
    ["url=a;seq=65536;rtptime=-1", [{ url: "a", rtptime: 4294967295 }]],
    ["", []],
    ["nonsense", []],
  ];
  for (const [text, streams] of cases) assertEquals(parseRtpInfo(text), streams, text);
  const written = formatRtpInfo([{ url: "rtsp://h/a,b", seq: 65537, rtptime: -1 }, { url: "x" }]);
  assertEquals(written, 'url="rtsp://h/a,b";seq=1;rtptime=4294967295,url=x');
});

Deno.test("parsePublic(), parseScale(), parseSpeed() read lists and numbers", () => {
  assertEquals(parsePublic("OPTIONS, DESCRIBE ,SETUP PLAY,"), [
    "OPTIONS",
    "DESCRIBE",
    "SETUP",
    "PLAY",
  ]);
  assertEquals(formatPublic(["OPTIONS", "PLAY"]), "OPTIONS, PLAY");
  assertEquals([parseScale("-1.5"), parseScale(" 2 "), parseSpeed("2.5")], [-1.5, 2, 2.5]);
  for (const bad of ["", "fast", "1e9", "--1", "NaN"]) {
    assertEquals(assertThrows(() => parseScale(bad), RtspFormatError).code, "number", bad);
  }
  assertThrows(() => parseSpeed("0"), RtspFormatError);
});

Deno.test("header parsers property: any text gives a value or an RtspFormatError, in linear time", () => {
  const parsers = [
    parseTransport,
    parseRange,
    parseSession,
    parseRtpInfo,
    parsePublic,
    parseScale,
    parseSpeed,
  ];
  const piece = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom(
      "client_port=",
      "npt=",
      "url=",
      ";",
      ",",
      '"',
      "\\",
      "-",
      " ",
      "=",
      "1",
      "RTP/AVP",
      "clock=",
    ),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...parsers),
      fc.array(piece, { maxLength: 12 }),
      (parse, pieces) => {
        try {
          parse(pieces.join(""));
        } catch (error) {
          if (!(error instanceof RtspFormatError)) throw error;
        }
      },
    ),
    seeded(500),
  );
  for (
    const filler of [" ", ";", ",", "a", "-", "a-", "url=", "= ", '"', "\\", "0", "/", ";a=", "1:"]
  ) {
    const text = filler.repeat(65_536 / filler.length);
    for (const parse of parsers) {
      for (
        const evil of [text, `npt=${text}x`, `url=${text}x`, `RTP/AVP;x=${text}x`, `clock=${text} `]
      ) {
        const tookMs = shortestRunMs(400, () => {
          try {
            parse(evil);
          } catch (error) {
            if (!(error instanceof RtspFormatError)) throw error;
          }
        });
        assertEquals(tookMs < 400, true, `${parse.name} ${JSON.stringify(filler)}`);
      }
    }
  }
});

Deno.test("formatTransport() property: what is written is read again", () => {
  const pair = fc.integer({ min: 0, max: 65534 }).map((first) => [first, first + 1] as const);
  const name = fc.stringMatching(/^x-[a-z0-9]{1,8}$/);
  const value = fc.stringMatching(/^[A-Za-z0-9.:_-]{1,12}$/);
  const spec = fc.record({
    protocol: fc.constant("RTP/AVP"),
    lowerTransport: fc.constant("UDP" as const),
    isMulticast: fc.boolean(),
    clientPort: pair,
    serverPort: pair,
    port: pair,
    interleaved: fc.integer({ min: 0, max: 254 }).map((first) => [first, first + 1] as const),
    ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
    source: value,
    destination: value,
    mode: fc.constantFrom("PLAY", "RECORD"),
    ttl: fc.nat(255),
    extra: fc.array(fc.oneof(fc.tuple(name), fc.tuple(name, value)), { maxLength: 3 }),
  }, { requiredKeys: ["protocol", "lowerTransport", "isMulticast", "extra"] });
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 3 }), (specs) => {
      assertEquals(parseTransport(specs.map(formatTransport).join(",")), specs as TransportSpec[]);
    }),
    seeded(200),
  );
});
