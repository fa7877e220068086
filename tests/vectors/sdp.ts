/**
 * Session descriptions as peers send them.
 *
 * Those of the two lab servers are octet for octet as captured; those of gst-rtsp-server 1.22 and of FFmpeg 5.1 (when
 * it publishes) have the lines that were captured, with names of machines replaced; the camera's is put together from
 * lines that cameras send.
 */

/** Enough for FFmpeg, GStreamer and live555. */
export const SDP_SMALLEST = "v=0\r\nm=video 0 RTP/AVP 26\r\na=control:trackID=0\r\n";

/** A gst-rtsp-server that streams Motion JPEG. */
export const SDP_OF_GSTREAMER_SERVER = [
  "v=0",
  "o=- 5117218289676924965 1 IN IP4 127.0.0.1",
  "s=Session streamed with GStreamer",
  "t=0 0",
  "a=tool:GStreamer",
  "a=type:broadcast",
  "a=control:*",
  "a=range:npt=now-",
  "m=video 0 RTP/AVP 26",
  "c=IN IP4 0.0.0.0",
  "a=rtpmap:26 JPEG/90000",
  "a=framerate:10.000000",
  "a=control:stream=0",
  "a=ts-refclk:local",
  "a=mediaclk:sender",
  "a=ssrc:2306007146 cname:user3206462343@host-90a4ab4a",
  "",
].join("\r\n");

/** FFmpeg when it publishes: no rtpmap, no frame rate. */
export const SDP_OF_FFMPEG_ANNOUNCE = [
  "v=0",
  "o=- 0 0 IN IP4 127.0.0.1",
  "s=No Name",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "a=tool:libavformat 59.27.100",
  "m=video 0 RTP/AVP 26",
  "b=AS:200",
  "a=control:streamid=0",
  "",
].join("\r\n");

/** The lab's Java server. */
export const SDP_OF_LAB_JAVA =
  'v=0\r\nm=video 23117 RTP/AVP 26\r\na=control:streamid=123456\r\na=mimetype:string;"video/MJPEG"\r\n';

/** One of the lab's Python servers. */
export const SDP_OF_LAB_PYTHON =
  "v=0\no=server 915556 1 IN IP4 127.0.0.1\ns=Video Stream\nm=video 0 RTP/AVP 26\nc=IN IP4 127.0.0.1\nt=0 0\n";

/** Several media; JPEG has a dynamic payload type and is the second choice. */
export const SDP_OF_CAMERA_WITH_SOUND = [
  "v=0",
  "o=- 1700000000 1700000000 IN IP4 192.168.1.64",
  "s=Media Presentation",
  "e=NONE",
  "b=AS:5100",
  "t=0 0",
  "a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/",
  "m=video 0 RTP/AVP 96 99",
  "a=rtpmap:96 H264/90000",
  "a=rtpmap:99 H265/90000",
  "a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=Z00AKeKQDwBE/LgLcBAQGkHiRFQ=,aO48gA==",
  "a=control:trackID=1",
  "m=video 0 RTP/AVP 98",
  "a=rtpmap:98 jpeg/90000",
  "a=x-dimensions:2560,1440",
  "a=control:trackID=2",
  "m=audio 0 RTP/AVP 97",
  "a=rtpmap:97 L16/16000/2",
  "a=control:trackID=3",
  "",
].join("\r\n");
