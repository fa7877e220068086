/**
 * Requests of the streaming lab's clients, octet for octet as captured at their sockets. See `lab.md` for the origin.
 */

/** One captured request and what it means. */
export interface LabRequestVector {
  /** Short name of the program that sent it. */
  readonly client: string;
  /** Family of the spelling. */
  readonly family: "A" | "A'" | "A''" | "A'''" | "B" | "B'" | "C";
  /** The octets, all of them ASCII. */
  readonly bytes: string;
  /** What a server must read. */
  readonly means: {
    readonly method: string;
    readonly uri: string;
    readonly cseq: string;
    /** Headers besides CSeq, in order. */
    readonly headers: readonly (readonly [string, string])[];
    readonly form: "A" | "B";
  };
}

type Row = [
  client: string,
  family: LabRequestVector["family"],
  bytes: string,
  method: string,
  uri: string,
  cseq: string,
  headers?: readonly (readonly [string, string])[],
];

const port = (n: number) => [["Transport", `RTP/UDP;client_port=${n}`]] as const;
const session = [["Session", "123456"]] as const;

const rows: readonly Row[] = [
  // A: LF, no line end behind the last line.
  [
    "adrianosela",
    "A",
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26070),
  ],
  [
    "adrianosela",
    "A",
    "PLAY movie.Mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456",
    "PLAY",
    "movie.Mjpeg",
    "2",
    session,
  ],
  [
    "adrianosela",
    "A",
    "PAUSE movie.Mjpeg RTSP/1.0\nCSeq: 3\nSession: 123456",
    "PAUSE",
    "movie.Mjpeg",
    "3",
    session,
  ],
  [
    "adrianosela",
    "A",
    "TEARDOWN movie.Mjpeg RTSP/1.0\nCSeq: 5\nSession: 123456",
    "TEARDOWN",
    "movie.Mjpeg",
    "5",
    session,
  ],
  // A': the last line is ended.
  [
    "vhquoc",
    "A'",
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26040\n",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26040),
  ],
  [
    "vhquoc",
    "A'",
    "PLAY movie.Mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456\n",
    "PLAY",
    "movie.Mjpeg",
    "2",
    session,
  ],
  // A'': CRLF, three lines, no blank line.
  [
    "mutaphore",
    "A''",
    "SETUP tiny.mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= 26510\r\n",
    "SETUP",
    "tiny.mjpeg",
    "1",
    port(26510),
  ],
  [
    "mutaphore",
    "A''",
    "DESCRIBE tiny.mjpeg RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n",
    "DESCRIBE",
    "tiny.mjpeg",
    "2",
    [["Accept", "application/sdp"]],
  ],
  // A''': CRLF and a blank line.
  [
    "quocdat",
    "A'''",
    "SETUP movie.Mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= 26500\r\n\r\n",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26500),
  ],
  // B: no version on line 1, a bare number on line 2, the port at a place on line 3.
  [
    "tibbers",
    "B",
    "SETUP movie.Mjpeg\n1\n RTSP/1.0 RTP/UDP 26010",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26010),
  ],
  ["tibbers", "B", "PLAY \n2", "PLAY", "", "2"],
  ["tibbers", "B", "PAUSE \n3", "PAUSE", "", "3"],
  ["tibbers", "B", "PLAY \n4", "PLAY", "", "4"],
  ["tibbers", "B", "TEARDOWN \n5", "TEARDOWN", "", "5"],
  // B': the same with blanks.
  [
    "anacarol",
    "B'",
    "SETUP movie.Mjpeg\n 1 \n RTSP/1.0 RTP/UDP 26170",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26170),
  ],
  ["anacarol", "B'", "PLAY \n 2", "PLAY", "", "2"],
  [
    "idksilver",
    "B'",
    "SETUP movie.Mjpeg\n 1 \n RTSP/1.0 RTP/UDP 26180 ",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26180),
  ],
  ["idksilver", "B'", "PLAY movie.Mjpeg\n 2", "PLAY", "movie.Mjpeg", "2"],
  // C: one-off deviations.
  [
    "therizz",
    "C",
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP\nclient_port = 26150",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26150),
  ],
  [
    "dihuang",
    "C",
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port = 26155",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26155),
  ],
  [
    "tienphus",
    "C",
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: TCP/UDP ; client_port = 26160\n",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26160),
  ],
  [
    "ngoquang",
    "C",
    "SETUP ./videos/movie.Mjpeg RTSP/1.0\nCSeq: 1\nTRANSPORT: RTP/UDP; Client_port= 26290",
    "SETUP",
    "./videos/movie.Mjpeg",
    "1",
    port(26290),
  ],
  [
    "ngoquang",
    "C",
    "PLAY ./videos/movie.Mjpeg RTSP/1.0\nCSeq: 2\nSESSION: 123456",
    "PLAY",
    "./videos/movie.Mjpeg",
    "2",
    [["SESSION", "123456"]],
  ],
  [
    "markkim",
    "C",
    "PLAY movie.Mjpeg RTSP/1.0\nSEeq: 2\nSession: 123456",
    "PLAY",
    "movie.Mjpeg",
    "2",
    session,
  ],
  [
    "ant1997",
    "C",
    "SETUP movie.Mjpeg\nCSeq: 1\nTransport: RTP/UDP; client_port= 26110",
    "SETUP",
    "movie.Mjpeg",
    "1",
    port(26110),
  ],
  ["ant1997", "C", "PAUSE movie.Mjpeg\nCSeq: 3", "PAUSE", "movie.Mjpeg", "3"],
  ["ant1997", "C", "TEAR DOWN movie.Mjpeg\nCSeq: 5", "TEARDOWN", "movie.Mjpeg", "5"],
  [
    "khoatran",
    "C",
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26260\nPrefer: SD",
    "SETUP",
    "movie.Mjpeg",
    "1",
    [...port(26260), ["Prefer", "SD"]],
  ],
  [
    "trongshuki",
    "C",
    "PLAY movie.Mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456\nFrame: 120",
    "PLAY",
    "movie.Mjpeg",
    "2",
    [...session, ["Frame", "120"]],
  ],
  [
    "gabriel",
    "C",
    "SETUP rtsp://tiny.mjpeg RTSP/1.0\r\nCSeq: 0\r\nTransport: RTP/UDP;client_port=26510\r\n",
    "SETUP",
    "tiny.mjpeg",
    "0",
    port(26510),
  ],
];

/** The captured requests, in the order of their families. */
export const LAB_REQUESTS: readonly LabRequestVector[] = rows.map((
  [client, family, bytes, method, uri, cseq, headers],
) => ({
  client,
  family,
  bytes,
  means: { method, uri, cseq, headers: headers ?? [], form: family.startsWith("B") ? "B" : "A" },
}));

/** Two requests of `idksilver` that TCP joined: every request is sent twice. */
export const LAB_JOINED_REQUESTS: readonly string[] = [
  "PAUSE movie.Mjpeg\n 3PAUSE movie.Mjpeg\n 3",
  "SETUP movie.Mjpeg\n 1 \n RTSP/1.0 RTP/UDP 26180 SETUP movie.Mjpeg\n 1 \n RTSP/1.0 RTP/UDP 26180 ",
  "PLAY movie.Mjpeg\n 2PLAY movie.Mjpeg\n 2",
];
