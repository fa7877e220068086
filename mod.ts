/**
 * RTSP, RTP, RTCP and RTP/JPEG: formats, engines, and a server and a client made of them.
 *
 * The formats and engines (floors 0 to 2) are pure: they open nothing, read no clock and draw no random number; bytes,
 * time and chance are arguments. `RtspServer` and `RtspClient` connect them to sockets and files.
 *
 * @example A server and a client in one process
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { RtspClient, RtspServer } from "@deno-rtsp/deno-rtsp";
 *
 * await using server = await RtspServer.start({ media: "media", hostname: "127.0.0.1", port: 0 });
 * await using client = new RtspClient({ url: server.url("video.mjpeg") });
 * await client.setup();
 * const frames = client.frames();
 * await client.play();
 * const { value } = await frames.next();
 * assertEquals([value.width, value.height], [320, 240]);
 * ```
 *
 * @module
 */

// Floor 0: the ground
export {
  FrameFileError,
  JpegFormatError,
  RtcpFormatError,
  RtpFormatError,
  RtspFormatError,
  SdpFormatError,
  type Specification,
  StateError,
  StatusError,
  TransportError,
  WireError,
  type WireErrorDetails,
} from "./lib/errors.ts";
export {
  addSequenceNumber,
  addTimestamp,
  extendSequenceNumber,
  sequenceNumberDistance,
  timestampDistance,
} from "./lib/serial.ts";

// Floor 1: wire formats
export {
  decodeRtp,
  encodedRtpSize,
  encodeRtp,
  encodeRtpInto,
  packetAt,
  type PacketBatch,
  PAYLOAD_TYPE_JPEG,
  RTP_HEADER_SIZE,
  type RtpFault,
  rtpFault,
  type RtpHeaderExtension,
  type RtpPacket,
  type RtpStamp,
  stampBatch,
} from "./lib/rtp.ts";
export {
  type ApplicationDefined,
  compactNtp,
  decodeRtcp,
  encodedRtcpSize,
  encodeRtcp,
  encodeRtcpInto,
  type Goodbye,
  isRtcp,
  ntpFromUnixMs,
  type NtpTimestamp,
  type ReceiverReport,
  type ReportBlock,
  RTCP_PACKET_TYPE,
  type RtcpEncodeOptions,
  type RtcpFault,
  type RtcpPacket,
  SDES_ITEM_TYPE,
  type SdesChunk,
  type SdesItem,
  type SenderReport,
  type SourceDescription,
  unixMsFromNtp,
  type UnknownRtcp,
} from "./lib/rtcp.ts";
export {
  DEFAULT_PACKET_SIZE,
  type DepacketizedFrame,
  type DepacketizerStatistics,
  describeJpegPayload,
  JpegDepacketizer,
  type JpegDepacketizerOptions,
  type JpegPayload,
  type JpegPayloadFault,
  LARGEST_SIDE,
  packetizeJpeg,
  type PacketizeJpegOptions,
  SMALLEST_PACKET_SIZE,
} from "./lib/rtp_jpeg.ts";
export {
  LAB_MAX_DATAGRAM_JPEG,
  LAB_MAX_JPEG,
  LabDepacketizer,
  packetizeLab,
} from "./lib/rtp_lab.ts";
export {
  DEFAULT_RTSP_LIMITS,
  formatInterleaved,
  formatRequest,
  formatResponse,
  headerValue,
  headerValues,
  interleaveBatch,
  INTERLEAVED_HEADER_SIZE,
  type InterleavedFrame,
  isSupportedVersion,
  type LabForm,
  type MaskedMessage,
  maskSecrets,
  reasonPhraseOf,
  RTSP_VERSION,
  type RtspDialect,
  type RtspFormatCode,
  type RtspHeader,
  type RtspLimits,
  type RtspMessage,
  RtspParser,
  type RtspParserOptions,
  type RtspRequest,
  type RtspResponse,
  setInterleavedChannel,
} from "./lib/rtsp.ts";
export {
  type ClockRange,
  formatPublic,
  formatRange,
  formatRtpInfo,
  formatSession,
  formatTransport,
  isLabProtocol,
  type NptRange,
  parsePublic,
  parseRange,
  parseRtpInfo,
  parseScale,
  parseSession,
  parseSpeed,
  parseTransport,
  type PortPair,
  type RtpInfo,
  type RtspRange,
  type RtspSession,
  type SmpteRange,
  type SmpteTime,
  type TransportSpec,
} from "./lib/rtsp_headers.ts";
export {
  baseUrlOf,
  type BaseUrlSources,
  controlUrl,
  type ControlUrlStrategy,
  type MediaPath,
  parseRtspUrl,
  resolveMediaPath,
  type RtspUrl,
  withoutCredentials,
} from "./lib/rtsp_url.ts";
export {
  attributeValue,
  describeEncodings,
  dimensionsOf,
  findMedia,
  formatSdp,
  frameRateOf,
  parseSdp,
  rtpmapOf,
  type SdpAttribute,
  type SdpBandwidth,
  type SdpConnection,
  type SdpFormatCode,
  type SdpMedia,
  type SdpMediaFormat,
  type SdpOrigin,
  type SdpRtpmap,
  type SessionDescription,
} from "./lib/sdp.ts";
export {
  answerChallenge,
  type AnswerChallengeOptions,
  type Authorization,
  type BasicAuthorization,
  type Challenge,
  chooseChallenge,
  type DigestAuthorization,
  equalInConstantTime,
  formatChallenges,
  type FormatChallengesOptions,
  type Hash,
  type HashAlgorithm,
  NonceBook,
  type NonceBookOptions,
  type NonceState,
  parseAuthorization,
  parseChallenges,
  verifyAuthorization,
  type VerifyAuthorizationOptions,
  type VerifyResult,
} from "./lib/auth.ts";

// Floor 1: pictures and files of pictures
export {
  actionText,
  type BaselineScanOptions,
  type BaselineTables,
  type ChromaSampling,
  codingName,
  type ComponentCoefficients,
  type ConversionOptions,
  type ConvertedJpeg,
  convertJpeg,
  decodeCoefficients,
  encodeBaselineScan,
  factorsText,
  findJpegEnd,
  hasWholeScan,
  type HuffmanSpecification,
  type HuffmanTables,
  isLossless,
  JpegBoundaryScanner,
  type JpegBoundaryState,
  type JpegCoefficients,
  type JpegCoefficientsFaultCode,
  type JpegColorSpace,
  type JpegComponent,
  type JpegFault,
  type JpegImage,
  type JpegScan,
  type JpegScanComponent,
  type JpegScanFaultCode,
  type LosslessAction,
  type LossyAction,
  matchStandardQuality,
  MAX_BLOCKS,
  MAX_CONVERTED_PIXELS,
  needsPreparation,
  parseJpeg,
  planRepair,
  type PreparationOptions,
  type PreparedJpeg,
  prepareJpeg,
  type QuantizationTablePair,
  readJpegSize,
  type RecodeScanOptions,
  type RepairAction,
  type RepairedJpeg,
  repairJpeg,
  type RepairLevel,
  type RepairObstacle,
  type RepairOptions,
  type RepairPlan,
  type RestartChoice,
  type SamplingFactors,
  samplingName,
  type ScanComponent,
  ScanRecoder,
  STANDARD_HUFFMAN,
  STANDARD_HUFFMAN_TABLES,
  standardQuantizationTables,
  withHuffmanTables,
} from "./lib/jpeg.ts";
export { detectFrameFormat, HEAD_BYTES, indexerFor } from "./lib/frames/frame_format.ts";
export {
  type FrameDamage,
  type FrameFileFault,
  type FrameFileIndexer,
  type FrameFormat,
  type FrameIndex,
  FrameTable,
} from "./lib/frames/frame_index.ts";
export {
  encodeLabFrame,
  LAB_LARGEST_FRAME_BYTES,
  LabFileIndexer,
  labPrefixAt,
} from "./lib/frames/lab_file.ts";
export { JpegFileIndexer } from "./lib/frames/jpeg_file.ts";
export {
  FilmExaminer,
  type FilmFault,
  type FilmReport,
  type FrameCounts,
  isWhollyPlayable,
  reportLines,
} from "./lib/frames/film_report.ts";
export { AviFileIndexer } from "./lib/frames/avi_file.ts";
export { type AviHead, type AviPatch, AviWriter, encodeAviHead } from "./lib/frames/avi_writer.ts";
export { MatroskaFileIndexer } from "./lib/frames/matroska_file.ts";
export { boundaryOf, MultipartFileIndexer } from "./lib/frames/multipart_file.ts";
export { type GrowingFileIndexer, growingIndexerFor } from "./lib/frames/growing_file.ts";
export { GrowingMultipartIndexer } from "./lib/frames/growing_multipart.ts";
export { QuickTimeFileIndexer } from "./lib/frames/quicktime_file.ts";
export {
  type IndexSteps,
  LARGEST_WANT_BYTES,
  SteppedIndexer,
  type Steps,
  type Want,
} from "./lib/frames/stepped_indexer.ts";
export {
  constantTimeline,
  growingTimeline,
  type Timeline,
  timelineOf,
} from "./lib/frames/timeline.ts";

// Floor 1: captures
export {
  encodeTcpPacket,
  encodeUdpPacket,
  type IpEndpoint,
  MAX_UDP_PAYLOAD,
  type TcpFields,
} from "./lib/ip.ts";
export {
  endpointText,
  formatIpv6,
  mappedAddress,
  parseIpAddress,
  parseIpv4,
  parseIpv6,
} from "./lib/ip_address.ts";
export {
  type CapturedPacket,
  encodePcapngHead,
  encodePcapngPacket,
  encodePcapngStatistics,
  LINKTYPE_RAW,
  type PcapngDescription,
} from "./lib/pcapng.ts";

// Floor 2: engines
export { CaptureEncoder, type CaptureEncoderOptions } from "./lib/engine/capture.ts";
export { type KeptPacket, PacketRing, type PacketRingOptions } from "./lib/engine/packet_ring.ts";
export { WireHistory, type WireHistoryOptions } from "./lib/engine/wire_history.ts";
export {
  joinTaps,
  type WireConnection,
  type WireDirection,
  type WireFlow,
  type WireFrame,
  type WireMessage,
  type WireSession,
  type WireState,
  type WireTap,
  type WireTransition,
} from "./lib/engine/wire_tap.ts";
export {
  allowedMethods,
  CLIENT_STATE_TABLE,
  LAB_SERVER_STATE_TABLE,
  renderStateDiagram,
  renderStateTable,
  RTSP_METHODS,
  RTSP_STATES,
  type RtspMethod,
  type RtspState,
  type RtspStateTable,
  type RtspTransition,
  SERVER_STATE_TABLE,
  transitionOf,
} from "./lib/engine/rtsp_state.ts";
export {
  type ConversationEvent,
  type Refusal,
  ServerConversation,
  type ServerConversationOptions,
} from "./lib/engine/server_session.ts";
export {
  type ClientRequest,
  ClientSession,
  type ClientSessionEvent,
  type ClientSessionOptions,
} from "./lib/engine/client_session.ts";
export { ReaderReports, type ReaderStatistics } from "./lib/engine/reader_reports.ts";
export { type FrameFacts, FrameRing, type RingFrame } from "./lib/engine/frame_ring.ts";
export { Relay, type RelayFrame, type RelayReader, type RelayWay } from "./lib/engine/relay.ts";
export {
  RtpSender,
  type RtpSenderOptions,
  type RtpSenderStatistics,
  type SenderNumbers,
} from "./lib/engine/sender.ts";
export {
  type ReceiverEvent,
  RtpReceiver,
  type RtpReceiverOptions,
  type RtpReceiverStatistics,
} from "./lib/engine/receiver.ts";
export {
  type DueFrame,
  Playback,
  type PlaybackOptions,
  type PlaybackRequest,
  type PlaybackStatistics,
  type PlayingRange,
  SCALE_LIMIT,
} from "./lib/engine/playback.ts";
export {
  type FilmRange,
  filmRangeOf,
  type FilmTimes,
  formatPlayedRange,
} from "./lib/engine/media_range.ts";
export { type Paced, Pacer, type PacerPlace } from "./lib/engine/pacer.ts";
export { Overload } from "./lib/engine/overload.ts";
export { type StartPhase, StartPhases } from "./lib/engine/start_phases.ts";
export {
  type CallMethod,
  type ConversationSession,
  type RequestContext,
  type RtspAnswer,
  type RtspCall,
  type SessionDirectory,
} from "./lib/engine/request_checks.ts";
export { type LabRequestForm } from "./lib/engine/lab_requests.ts";

// Floor 3: sockets
export {
  type ByteStream,
  type DatagramSocket,
  type DatagramStatistics,
  type ReceivedDatagram,
  type SocketAddress,
  type StreamListener,
  type TakeDatagram,
} from "./lib/net/socket.ts";
export { openUdp, openUdpPair, type UdpOptions, type UdpPairOptions } from "./lib/net/udp.ts";

// Floor 4: the programs as classes
export { RtspServer } from "./lib/server/server.ts";
export { RtspServerPool, type RtspServerPoolOptions } from "./lib/server/server_pool.ts";
export { type RtspServerOptions } from "./lib/server/options.ts";
export { type UdpChoice } from "./lib/server/udp_choice.ts";
export {
  type ServerEvent,
  type ServerListener,
  type ServerSessionSnapshot,
  type ServerStatistics,
  type StreamDescription,
} from "./lib/server/events.ts";
export { type RepairCounts } from "./lib/server/frame_preparation.ts";
export { CLIENT_VERBS, type ClientVerb, RtspClient } from "./lib/client/client.ts";
export { type Credentials, type LabAddress, type RtspClientOptions } from "./lib/client/options.ts";
export { type FilmPosition, type PlayRange } from "./lib/client/conversation.ts";
export { type BeforeRequest, type WaitingRequest } from "./lib/client/wire.ts";
export { type ReceiveChoice } from "./lib/client/receive_choice.ts";
export { type FrameQueueOptions } from "./lib/client/delivery.ts";
export { type EndReason, type RtspClientEvent } from "./lib/client/events.ts";
export {
  type ClientDialect,
  type ClientState,
  type ClientStatistics,
  type ClientTransport,
  type ReceivedFrame,
  type ReceiverCounters,
  type StreamCounters,
} from "./lib/client/statistics.ts";
