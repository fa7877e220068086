/**
 * Replies of the streaming lab's servers, octet for octet as captured at their sockets. See `lab.md` for the origin.
 */

/** One captured reply and what it means. */
export interface LabReplyVector {
  /** Short name of the program that sent it. */
  readonly server: string;
  /** Method of the request it answers. */
  readonly method: string;
  /** The octets, all of them ASCII. */
  readonly bytes: string;
  /** What a client must read. */
  readonly means: {
    readonly statusCode: number;
    /** Digits, or `undefined` where the server sent rubbish. */
    readonly cseq: string | undefined;
    /** `undefined` where there is no Session line. */
    readonly session: string | undefined;
    /** Further headers that matter. */
    readonly headers?: readonly (readonly [string, string])[];
    /** The body as text. */
    readonly body?: string;
  };
}

/** The captured replies. */
export const LAB_REPLY_BYTES: readonly LabReplyVector[] = [
  {
    server: "most Python servers",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\nSession: 349914",
    means: { statusCode: 200, cseq: "1", session: "349914" },
  },
  {
    server: "the same, asked with CRLF",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\r\nSession: 933455",
    means: { statusCode: 200, cseq: "1", session: "933455" },
  },
  {
    server: "vhquoc",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\nSession: 123456\n",
    means: { statusCode: 200, cseq: "1", session: "123456" },
  },
  {
    server: "safiullah",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\n",
    means: { statusCode: 200, cseq: "1", session: undefined },
  },
  {
    server: "safiullah, missing file",
    method: "SETUP",
    bytes: "RTSP/1.0 404 NOT FOUND\nCSeq: 1\n",
    means: { statusCode: 404, cseq: "1", session: undefined },
  },
  {
    server: "mutaphore",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 9f91bae1-dfaa-4ec2-976f-dce239b3cb9f\r\n",
    means: { statusCode: 200, cseq: "1", session: "9f91bae1-dfaa-4ec2-976f-dce239b3cb9f" },
  },
  {
    server: "gabriel",
    method: "PLAY",
    bytes: "RTSP/1.0 200 OK\r\nCSeq: 2\r\nSession: 123456\r\n",
    means: { statusCode: 200, cseq: "2", session: "123456" },
  },
  {
    server: "tibbers, asked in family A",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: CSeq:\nSession: 349914",
    means: { statusCode: 200, cseq: undefined, session: "349914" },
  },
  {
    server: "tibbers, asked in family B'",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: \nSession: 149823",
    means: { statusCode: 200, cseq: undefined, session: "149823" },
  },
  {
    server: "idksilver, requests joined",
    method: "PAUSE",
    bytes: "RTSP/1.0 200 OK\nCSeq: 3PAUSE\nSession: 149823",
    means: { statusCode: 200, cseq: "3", session: "149823" },
  },
  {
    server: "trongshuki",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\nSession: 326986\nTotalFrames: 240",
    means: { statusCode: 200, cseq: "1", session: "326986", headers: [["TotalFrames", "240"]] },
  },
  {
    server: "khoatran",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\nSession: 666335\nFrames: 240",
    means: { statusCode: 200, cseq: "1", session: "666335", headers: [["Frames", "240"]] },
  },
  {
    server: "ngoquang",
    method: "SETUP",
    bytes: "RTSP/1.0 200 OK\nCSeq: 1\nSession: 983624\nTotalTime: 12.0",
    means: { statusCode: 200, cseq: "1", session: "983624", headers: [["TotalTime", "12.0"]] },
  },
  {
    server: "mutaphore",
    method: "DESCRIBE",
    bytes: "RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Base: movie.Mjpeg\r\n" +
      "Content-Type: application/sdp\r\nContent-Length: 91\r\n" +
      'v=0\r\nm=video 23117 RTP/AVP 26\r\na=control:streamid=123456\r\na=mimetype:string;"video/MJPEG"\r\n',
    means: {
      statusCode: 200,
      cseq: "3",
      session: undefined,
      headers: [["Content-Base", "movie.Mjpeg"]],
      body:
        'v=0\r\nm=video 23117 RTP/AVP 26\r\na=control:streamid=123456\r\na=mimetype:string;"video/MJPEG"\r\n',
    },
  },
  {
    // Captured but for the length, which is counted here.
    server: "markkim",
    method: "DESCRIBE",
    bytes: "RTSP/1.0 200 OK\nCSeq: 2\nSession: 915556\nContent-Type: application/sdp\n" +
      "Content-Length: 112\n\nv=0\no=server 915556 1 IN IP4 127.0.0.1\ns=Video Stream\n" +
      "m=video 0 RTP/AVP 26\nc=IN IP4 127.0.0.1\nt=0 0\n",
    means: {
      statusCode: 200,
      cseq: "2",
      session: "915556",
      body: "v=0\no=server 915556 1 IN IP4 127.0.0.1\ns=Video Stream\n" +
        "m=video 0 RTP/AVP 26\nc=IN IP4 127.0.0.1\nt=0 0\n",
    },
  },
  {
    // Captured but for the first lines, which are those of its other replies.
    server: "ngoquang",
    method: "DESCRIBE",
    bytes: "RTSP/1.0 200 OK\nCSeq: 2\nSession: 730697\nContent-Base: movie.Mjpeg\n" +
      "Content-Type: application/sdp\nVersion = 2\nVideo 27560 RTP/AVP 26\n" +
      'Control: streamid =730697\nMimetype: video/MJPEG"',
    means: {
      statusCode: 200,
      cseq: "2",
      session: "730697",
      headers: [["Content-Base", "movie.Mjpeg"]],
      body:
        'Version = 2\nVideo 27560 RTP/AVP 26\nControl: streamid =730697\nMimetype: video/MJPEG"',
    },
  },
  {
    server: "lamts",
    method: "PLAY",
    bytes: "RTSP/1.0 200 OK\nCSeq: 2\nSession: 730697\nTotal time: 12.0\nMean FPS: 20\n" +
      "Total frames: 240\nMedia: a.mjpeg b.Mjpeg",
    // Names with a blank are no header names; they are passed over.
    means: {
      statusCode: 200,
      cseq: "2",
      session: "730697",
      headers: [["Media", "a.mjpeg b.Mjpeg"]],
    },
  },
];
