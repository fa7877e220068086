/**
 * RTSP messages: requests, responses and interleaved `$` frames, standard and in the streaming lab's dialect.
 *
 * Floor 1. This file is the door of the room; the code stands in `rtsp/`. It holds no state machine, opens no
 * connection and reads no header's value: see `engine/rtsp_state.ts`, `net/tcp.ts`, `rtsp_headers.ts`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326 sections 4 to 7, 10.12
 * @module
 */
export {
  DEFAULT_RTSP_LIMITS,
  headerValue,
  headerValues,
  type InterleavedFrame,
  isSupportedVersion,
  type LabForm,
  RTSP_VERSION,
  type RtspDialect,
  type RtspFormatCode,
  type RtspHeader,
  type RtspLimits,
  type RtspMessage,
  type RtspRequest,
  type RtspResponse,
} from "./rtsp/message.ts";
export { reasonPhraseOf } from "./rtsp/reason_phrases.ts";
export {
  formatInterleaved,
  formatRequest,
  formatResponse,
  INTERLEAVED_HEADER_SIZE,
} from "./rtsp/format.ts";
export { interleaveBatch, setInterleavedChannel } from "./rtsp/interleaved_batch.ts";
export { RtspParser, type RtspParserOptions } from "./rtsp/parser.ts";
export { type MaskedMessage, maskSecrets } from "./rtsp/secrets.ts";
