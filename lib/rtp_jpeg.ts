/**
 * RTP payload format for JPEG, both ways. {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435}.
 *
 * Floor 1. This file is the door of the room; the code stands in `rtp_jpeg/`.
 *
 * @module
 */
export {
  DEFAULT_PACKET_SIZE,
  describeJpegPayload,
  type JpegPayload,
  type JpegPayloadFault,
  LARGEST_SIDE,
  packetizeJpeg,
  type PacketizeJpegOptions,
  SMALLEST_PACKET_SIZE,
} from "./rtp_jpeg/packetizer.ts";
export {
  type DepacketizedFrame,
  type DepacketizerStatistics,
  JpegDepacketizer,
  type JpegDepacketizerOptions,
} from "./rtp_jpeg/depacketizer.ts";
