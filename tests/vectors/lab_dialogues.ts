/**
 * Dialogues of the lab's clients, as they were captured at their sockets: what each sends, request by request.
 *
 * `{port}` stands for the UDP port that the client has bound and `{session}` for the number the server has given;
 * everything else is octet for octet what the program sent. One entry for each way of writing that differs.
 *
 * @module
 */

/** How the server has to answer, by the way the request was written. */
export type AnswerForm = "LF" | "CRLF" | "CRLF with a blank line";

/** One client's side of a dialogue. */
export interface LabDialogue {
  /** What is special about it. */
  readonly name: string;
  /** SETUP, PLAY, PAUSE, PLAY, TEARDOWN. */
  readonly requests: readonly [string, string, string, string, string];
  /** The numbers the answers must carry. */
  readonly cseqs: readonly number[];
  /** How each answer ends its lines. */
  readonly answers: AnswerForm;
  /** The name of the movie it asks for. */
  readonly movie: string;
}

const FILM = "movie.Mjpeg";
const ONE_TO_FIVE = [1, 2, 3, 4, 5];

/** A dialogue whose requests after SETUP all follow one pattern with `{verb}` and `{n}` in it. */
function dialogue(
  name: string,
  setup: string,
  rest: string,
  answers: AnswerForm = "LF",
  cseqs: readonly number[] = ONE_TO_FIVE,
): LabDialogue {
  const later = (verb: string, i: number) =>
    rest.replaceAll("{verb}", verb).replaceAll("{n}", String(cseqs[i]));
  const requests: LabDialogue["requests"] = [
    setup,
    later("PLAY", 1),
    later("PAUSE", 2),
    later("PLAY", 3),
    later("TEARDOWN", 4),
  ];
  return { name, requests, cseqs, answers, movie: setup.includes("tiny") ? "tiny.mjpeg" : FILM };
}

/** The dialogues, the most frequent family first. */
export const LAB_DIALOGUES: readonly LabDialogue[] = [
  dialogue(
    "canonical: LF, no newline at the end",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= {port}`,
    `{verb} ${FILM} RTSP/1.0\nCSeq: {n}\nSession: {session}`,
  ),
  dialogue(
    "canonical with a newline at the end",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= {port}\n`,
    `{verb} ${FILM} RTSP/1.0\nCSeq: {n}\nSession: {session}\n`,
  ),
  dialogue(
    "CRLF, three lines, no blank line (Java)",
    "SETUP tiny.mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= {port}\r\n",
    "{verb} tiny.mjpeg RTSP/1.0\r\nCSeq: {n}\r\nSession: {session}\r\n",
    "CRLF",
  ),
  dialogue(
    "CRLF with a blank line",
    `SETUP ${FILM} RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= {port}\r\n\r\n`,
    `{verb} ${FILM} RTSP/1.0\r\nCSeq: {n}\r\nSession: {session}\r\n\r\n`,
    "CRLF with a blank line",
  ),
  dialogue(
    "odd: no version, a bare number on line 2",
    `SETUP ${FILM}\n1\n RTSP/1.0 RTP/UDP {port}`,
    "{verb} \n{n}",
  ),
  dialogue(
    "odd with spaces",
    `SETUP ${FILM}\n 1 \n RTSP/1.0 RTP/UDP {port}`,
    "{verb} \n {n}",
  ),
  dialogue(
    "odd with spaces and a target",
    `SETUP ${FILM}\n 1 \n RTSP/1.0 RTP/UDP {port} `,
    `{verb} ${FILM}\n {n}`,
  ),
  dialogue(
    "the port on a fourth line",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP\nclient_port = {port}`,
    `{verb} ${FILM} RTSP/1.0\nCSeq: {n}\nSession: {session}`,
  ),
  dialogue(
    "blanks on both sides of the equals sign",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port = {port}`,
    `{verb} ${FILM} RTSP/1.0\nCSeq: {n}\nSession: {session}`,
  ),
  dialogue(
    "TCP/UDP that means UDP",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: TCP/UDP ; client_port = {port}\n`,
    `{verb} ${FILM} RTSP/1.0\nCSeq: {n}\nSession: {session}\n`,
  ),
  dialogue(
    "names in capitals, a path in front of the name",
    `SETUP ./videos/${FILM} RTSP/1.0\nCSeq: 1\nTRANSPORT: RTP/UDP; Client_port= {port}`,
    `{verb} ./videos/${FILM} RTSP/1.0\nCSeq: {n}\nSESSION: {session}`,
  ),
  dialogue(
    "CSeq misspelt",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= {port}\n`,
    `{verb} ${FILM} RTSP/1.0\nSEeq: {n}\nSession: {session}`,
  ),
  {
    name: "no version, no session, a verb of two words",
    requests: [
      `SETUP ${FILM}\nCSeq: 1\nTransport: RTP/UDP; client_port= {port}`,
      `PLAY ${FILM}\nCSeq: 2`,
      `PAUSE ${FILM}\nCSeq: 3`,
      `PLAY ${FILM}\nCSeq: 4`,
      `TEAR DOWN ${FILM}\nCSeq: 5`,
    ],
    cseqs: ONE_TO_FIVE,
    answers: "LF",
    movie: FILM,
  },
  dialogue(
    "a fourth line: Prefer",
    `SETUP ${FILM} RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= {port}\nPrefer: SD`,
    `{verb} ${FILM} RTSP/1.0\nCSeq: {n}\nSession: {session}`,
  ),
  dialogue(
    "the name where the host should be, numbers from 0",
    "SETUP rtsp://tiny.mjpeg RTSP/1.0\r\nCSeq: 0\r\nTransport: RTP/UDP;client_port={port}\r\n",
    "{verb} rtsp://tiny.mjpeg RTSP/1.0\r\nCSeq: {n}\r\nSession: {session}\r\n",
    "CRLF",
    [0, 1, 2, 3, 4],
  ),
];
