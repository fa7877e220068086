/**
 * The client's options, and what `rtsp-client --help` prints.
 *
 * Floor 4 (client assembly), text only. The tables of the README are made from it.
 *
 * @module
 */

import { type CommandLineOption, optionLines, widthOf } from "../command_line.ts";

const GROUPS: readonly {
  readonly title: string;
  readonly options: readonly CommandLineOption[];
}[] = [
  {
    title: "How it is played",
    options: [
      {
        name: "dialect",
        value: "auto|rtsp|lab",
        effect:
          "language of the server; auto speaks standard RTSP and changes for a lab server [auto]",
      },
      {
        name: "transport",
        value: "auto|udp|tcp",
        effect:
          "how the film comes; auto asks for UDP, and for TCP where UDP is refused or silent [auto]",
      },
      {
        name: "udp",
        value: "WAY",
        effect: "how UDP is received: auto, portable or linux (a thread of its own) [auto]",
      },
      {
        name: "rtp-port",
        value: "PORT",
        effect: "our UDP port for the film, the next one takes RTCP; 0 is any free pair [0]",
      },
      { name: "latency", value: "MS", effect: "how long a missing packet is waited for [100]" },
      { name: "timeout", value: "SECONDS", effect: "how long the server may keep silent [10]" },
      {
        name: "reconnect",
        effect: "take up a lost connection again, after pauses that grow to 30 s",
      },
      {
        name: "manual",
        effect: "do not play at once: wait for the buttons of the preview or for keys",
      },
      {
        name: "step",
        effect: "hold each request back until a click in the preview, or the key n, lets it go",
      },
      {
        name: "start",
        value: "NPT",
        effect: "where in the film to begin: seconds, or H:MM:SS; standard servers only [0]",
      },
      {
        name: "scale",
        value: "S",
        effect: "how fast, from --scale=-32 (backwards) to 32; standard servers only [1]",
      },
      { name: "duration", value: "SECONDS", effect: "end after so much playing" },
      { name: "frames", value: "N", effect: "end after so many frames" },
    ],
  },
  {
    title: "What is shown",
    options: [
      {
        name: "preview",
        value: "[ADDR:]PORT",
        effect:
          "where the film and the buttons are shown to a browser [127.0.0.1:8080, or the next free port]",
      },
      { name: "no-preview", effect: "show nothing to browsers" },
      { name: "open", effect: "start the browser" },
      { name: "json", effect: "print one JSON object with all statistics at the end" },
      { name: "describe", effect: "print the film's description (SDP) and end" },
    ],
  },
  {
    title: "What is kept",
    options: [
      {
        name: "record",
        value: "FILE",
        effect: "write the frames to FILE as they come, without decoding them",
      },
      {
        name: "record-format",
        value: "jpeg|lab|avi|images",
        effect:
          "pictures one after the other, the lab's format, an AVI, or numbered files in a folder [jpeg]",
      },
      {
        name: "png",
        value: "DIR",
        effect: "write frames as DIR/frame-000001.png, numbered by frame",
      },
      { name: "png-every", value: "N", effect: "write only every Nth frame as PNG [1]" },
      {
        name: "capture",
        value: "FILE",
        effect:
          "write what goes over the wire to FILE, as pcapng for Wireshark; passwords are left out",
      },
    ],
  },
  {
    title: "Other",
    options: [
      { name: "help", letter: "h", effect: "print this" },
      { name: "version", letter: "V", effect: "print the version" },
    ],
  },
];

/** All options of the client. */
export const CLIENT_OPTIONS: readonly CommandLineOption[] = GROUPS.flatMap(({ options }) =>
  options
);

/** The whole text, with a line end behind its last line. */
export const CLIENT_HELP =
  `Plays a Motion-JPEG film from an RTSP server: a camera, a standard server, or one of the streaming lab.

Usage:
  rtsp-client URL [options]
  rtsp-client HOST PORT RTP_PORT FILE [options]

Arguments:
  URL                       rtsp://[user:password@]host[:port]/path; passwords are safer in RTSP_USER and RTSP_PASSWORD
  HOST PORT RTP_PORT FILE   the lab's way: server, its RTSP port, our UDP port for the film (0: any free one), the film

${GROUPS.map(textOf).join("\n\n")}

Keys on a terminal: s setup, p play, space pause and play, t teardown, n next step, q quit; on standard servers also
left and right 5 seconds back and on, + and - faster and slower, r the other way, . and , one frame on and back.
The program ends when the film ends. On a terminal with a preview it stays, so that the last picture can be looked at
and the film set up again: q or Ctrl-C ends it. With --json, --describe, --duration, --frames, --record, --png or
--no-preview it never stays. Exit codes: 0 done, 1 failed, 2 wrong command line.

Examples:
  rtsp-client 127.0.0.1 1025 5008 video.mjpeg
  rtsp-client rtsp://127.0.0.1:8554/video.mjpeg --open
  rtsp-client rtsp://camera/stream --transport tcp --record camera.mjpeg --duration 60 --no-preview
  RTSP_USER=ann RTSP_PASSWORD=secret rtsp-client rtsp://camera/stream --reconnect
  rtsp-client rtsp://127.0.0.1:8554/video.mjpeg --png frames --png-every 20 --json
`;

function textOf({ title, options }: typeof GROUPS[number]): string {
  return [`${title}:`, ...optionLines(options, widthOf(CLIENT_OPTIONS))].join("\n");
}
