/**
 * What `rtsp-client --help` prints.
 *
 * Floor 4 (client assembly), text only: two blanks, the option, two blanks or more, what it does. The tables of the
 * README are checked against it.
 *
 * @module
 */

/** The whole text, with a line end behind its last line. */
export const CLIENT_HELP =
  `Plays a Motion-JPEG film from an RTSP server: a camera, a standard server, or one of the streaming lab.

Usage:
  rtsp-client URL [options]
  rtsp-client HOST PORT RTP_PORT FILE [options]

Arguments:
  URL                       rtsp://[user:password@]host[:port]/path; passwords are safer in RTSP_USER and RTSP_PASSWORD
  HOST PORT RTP_PORT FILE   the lab's way: server, its RTSP port, our UDP port for the film (0: any free one), the film

How it is played:
  --dialect auto|rtsp|lab   language of the server; auto speaks standard RTSP and changes for a lab server [auto]
  --transport auto|udp|tcp  how the film comes; auto asks for UDP, and for TCP where UDP is refused or silent [auto]
  --rtp-port PORT           our UDP port for the film, the next one takes RTCP; 0 is any free pair [0]
  --latency MS              how long a missing packet is waited for [100]
  --timeout SECONDS         how long the server may keep silent [10]
  --reconnect               take up a lost connection again, after pauses that grow to 30 s
  --manual                  do not play at once: wait for the buttons of the preview or for keys
  --step                    hold each request back until a click in the preview, or the key n, lets it go
  --duration SECONDS        end after so much playing
  --frames N                end after so many frames

What is shown:
  --preview [ADDR:]PORT     where the film and the buttons are shown to a browser [127.0.0.1:8080, or the next free port]
  --no-preview              show nothing to browsers
  --open                    start the browser
  --json                    print one JSON object with all statistics at the end
  --describe                print the film's description (SDP) and end

What is kept:
  --record FILE             write the frames to FILE as they come, without decoding them
  --record-format jpeg|lab  pictures one after the other, or the lab's format [jpeg]
  --png DIR                 write frames as DIR/frame-000001.png, numbered by frame
  --png-every N             write only every Nth frame as PNG [1]
  --capture FILE            write what goes over the wire to FILE, as pcapng for Wireshark; passwords are left out

Other:
  -h, --help                print this
  -V, --version             print the version

Keys on a terminal: s setup, p play, space pause and play, t teardown, n next step, q quit.
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
