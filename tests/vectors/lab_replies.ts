/**
 * Answers of the lab's servers, as they were captured at their sockets. `{n}` stands for the number of the request.
 *
 * @module
 */

/** One server's way to answer. */
export interface LabReply {
  /** What is special about it. */
  readonly name: string;
  /** The answer to SETUP. */
  readonly setup: string;
  /** The answer to PLAY, PAUSE and TEARDOWN where it differs. */
  readonly later?: string;
  /** The session's identifier in the answer to SETUP, if there is one. */
  readonly sessionId: string | undefined;
}

/** The answers, the most frequent form first. */
export const LAB_REPLIES: readonly LabReply[] = [
  {
    name: "LF, nothing at the end",
    setup: "RTSP/1.0 200 OK\nCSeq: {n}\nSession: 349914",
    sessionId: "349914",
  },
  {
    name: "mixed line ends",
    setup: "RTSP/1.0 200 OK\nCSeq: {n}\r\nSession: 933455",
    sessionId: "933455",
  },
  {
    name: "LF with a newline at the end",
    setup: "RTSP/1.0 200 OK\nCSeq: {n}\nSession: 123456\n",
    sessionId: "123456",
  },
  {
    name: "no session at first",
    setup: "RTSP/1.0 200 OK\nCSeq: {n}\n",
    sessionId: undefined,
  },
  {
    name: "CRLF with a UUID",
    setup: "RTSP/1.0 200 OK\r\nCSeq: {n}\r\nSession: 9f91bae1-dfaa-4ec2-976f-dce239b3cb9f\r\n",
    sessionId: "9f91bae1-dfaa-4ec2-976f-dce239b3cb9f",
  },
  {
    name: "CRLF",
    setup: "RTSP/1.0 200 OK\r\nCSeq: {n}\r\nSession: 123456\r\n",
    sessionId: "123456",
  },
  {
    name: "the word CSeq where its number belongs",
    setup: "RTSP/1.0 200 OK\nCSeq: CSeq:\nSession: 349914",
    sessionId: "349914",
  },
  {
    name: "no number at all",
    setup: "RTSP/1.0 200 OK\nCSeq: \nSession: 149823",
    sessionId: "149823",
  },
  {
    name: "a number with a verb behind",
    setup: "RTSP/1.0 200 OK\nCSeq: {n}PAUSE\nSession: 149823",
    sessionId: "149823",
  },
  {
    name: "a fourth line: TotalFrames",
    setup: "RTSP/1.0 200 OK\nCSeq: {n}\nSession: 326986\nTotalFrames: 240",
    later: "RTSP/1.0 200 OK\nCSeq: {n}\nSession: 326986",
    sessionId: "326986",
  },
  {
    name: "seven lines",
    setup:
      "RTSP/1.0 200 OK\nCSeq: {n}\nSession: 983624\nTotal time: 12.0\nMean FPS: 20\nTotal frames: 240\n" +
      "Media: a.mjpeg b.Mjpeg",
    sessionId: "983624",
  },
];
