/**
 * Typed views of RTSP header values: Transport, Range, Session, RTP-Info, Public, Scale, Speed.
 *
 * Floor 1. Tolerant in reading, strict in writing. It does not look into messages: values go in, values come out.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-12
 * @module
 */
export {
  formatTransport,
  isLabProtocol,
  parseTransport,
  type PortPair,
  type TransportSpec,
} from "./rtsp/transport.ts";
export {
  type ClockRange,
  formatRange,
  type NptRange,
  parseRange,
  type RtspRange,
  type SmpteRange,
  type SmpteTime,
} from "./rtsp/range.ts";
export {
  formatPublic,
  formatRtpInfo,
  formatSession,
  parsePublic,
  parseRtpInfo,
  parseScale,
  parseSession,
  parseSpeed,
  type RtpInfo,
  type RtspSession,
} from "./rtsp/small_headers.ts";
