// @ts-check
// What the words of RTSP mean: methods, headers, parameters, status codes, lines of SDP. One sentence and one section
// each. Without a section of its own a word of HTTP stands where RFC 2326 takes it from.

/**
 * What a word means, and where it is defined.
 * @typedef {readonly [meaning: string, rfc: string]} Explanation
 */

/** @type {Readonly<Record<string, Explanation>>} */
const METHODS = {
  OPTIONS: [
    "Asks which methods the server knows; also sent to keep a session alive.",
    "RFC 2326 s10.1",
  ],
  DESCRIBE: [
    "Asks what the film consists of; the answer is a description in SDP.",
    "RFC 2326 s10.2",
  ],
  ANNOUNCE: ["Tells the other side what a presentation consists of.", "RFC 2326 s10.3"],
  SETUP: [
    "Agrees on how packets will travel and opens a session: INIT becomes READY.",
    "RFC 2326 s10.4",
  ],
  PLAY: ["Starts the packets: READY becomes PLAYING.", "RFC 2326 s10.5"],
  PAUSE: ["Stops the packets and keeps the session: PLAYING becomes READY.", "RFC 2326 s10.6"],
  TEARDOWN: ["Ends the session and frees what it held: the state is INIT again.", "RFC 2326 s10.7"],
  GET_PARAMETER: [
    "Asks for values; with an empty body it only keeps the session alive.",
    "RFC 2326 s10.8",
  ],
  SET_PARAMETER: ["Sets a value on the other side.", "RFC 2326 s10.9"],
  REDIRECT: ["Sends the client to another server.", "RFC 2326 s10.10"],
  RECORD: [
    "Starts packets from the client to the server: READY becomes RECORDING.",
    "RFC 2326 s10.11",
  ],
};

/** @type {Readonly<Record<string, Explanation>>} */
const HEADERS = {
  "accept": ["The kinds of description the client can read.", "RFC 2326 s12.1"],
  "accept-encoding": ["Compressions the sender can undo.", "RFC 2326 s12.2"],
  "accept-language": ["Human languages the sender would like.", "RFC 2326 s12.3"],
  "allow": ["The methods that are allowed here; comes with a 405 or a 455.", "RFC 2326 s12.4"],
  "authorization": ["The client's proof that it knows name and password.", "RFC 2326 s12.5"],
  "authentication-info": ["The server's proof after a login with Digest.", "RFC 7616 s3.5"],
  "bandwidth": ["Bits a second the client believes it can take.", "RFC 2326 s12.6"],
  "blocksize": ["The largest packet the client would like.", "RFC 2326 s12.7"],
  "cache-control": ["Whether, and how, the film may be kept on its way.", "RFC 2326 s12.8"],
  "conference": ["A conference this session belongs to.", "RFC 2326 s12.9"],
  "connection": ["What becomes of the connection, for example “close”.", "RFC 2326 s12.10"],
  "content-base": [
    "The address that relative addresses in the body start from.",
    "RFC 2326 s12.11",
  ],
  "content-encoding": ["How the body was compressed.", "RFC 2326 s12.12"],
  "content-language": ["The human language of the body.", "RFC 2326 s12.13"],
  "content-length": ["Octets in the body, which begins after the empty line.", "RFC 2326 s12.14"],
  "content-location": ["Where the body could be had by itself.", "RFC 2326 s12.15"],
  "content-type": ["What the body is, for example a description in SDP.", "RFC 2326 s12.16"],
  "cseq": [
    "Number of the request; the answer repeats it, so that both can be matched.",
    "RFC 2326 s12.17",
  ],
  "date": ["When the message was made, by the sender's clock.", "RFC 2326 s12.18"],
  "expires": ["Until when the description is good.", "RFC 2326 s12.19"],
  "from": ["Who sends the request.", "RFC 2326 s12.20"],
  "host": ["A header of HTTP; RTSP has the whole address in the first line.", "RFC 2326 s12.21"],
  "if-match": ["Do this only if the film is still the described one.", "RFC 2326 s12.22"],
  "if-modified-since": ["Answer only if the film has changed since.", "RFC 2326 s12.23"],
  "last-modified": ["When the film was last changed.", "RFC 2326 s12.24"],
  "location": ["Another place where the film is.", "RFC 2326 s12.25"],
  "proxy-authenticate": ["A proxy's demand for name and password.", "RFC 2326 s12.26"],
  "proxy-authorization": ["The client's proof to a proxy.", "RFC 7235 s4.4"],
  "proxy-require": ["Features that every proxy on the way must know.", "RFC 2326 s12.27"],
  "public": ["The methods this server knows.", "RFC 2326 s12.28"],
  "range": ["Which part of the film: “npt” counts seconds from its beginning.", "RFC 2326 s12.29"],
  "referer": ["Where the client found the address.", "RFC 2326 s12.30"],
  "retry-after": ["When to try again.", "RFC 2326 s12.31"],
  "require": ["Features the other side must know, or else refuse with 551.", "RFC 2326 s12.32"],
  "rtp-info": ["For each stream, the RTP numbers with which this PLAY begins.", "RFC 2326 s12.33"],
  "scale": [
    "Speed of what happens in the film: 2 is fast motion, -1 is backwards.",
    "RFC 2326 s12.34",
  ],
  "speed": [
    "Speed of delivery: how fast packets are sent, not how fast the film plays.",
    "RFC 2326 s12.35",
  ],
  "server": ["The program that answers.", "RFC 2326 s12.36"],
  "session": [
    "Which session is meant, and after how many silent seconds it ends.",
    "RFC 2326 s12.37",
  ],
  "timestamp": ["When the client sent this, for measuring the round trip.", "RFC 2326 s12.38"],
  "transport": [
    "How the packets shall travel; the server's answer is what holds.",
    "RFC 2326 s12.39",
  ],
  "unsupported": ["Demanded features that the server lacks.", "RFC 2326 s12.40"],
  "user-agent": ["The program that asks.", "RFC 2326 s12.41"],
  "vary": ["Headers the answer depends on.", "RFC 2326 s12.42"],
  "via": ["Proxies the message came through.", "RFC 2326 s12.43"],
  "www-authenticate": ["The server's demand for name and password.", "RFC 2326 s12.44"],
  "x-dynamic-rate": [
    "A private header of Darwin and QuickTime: may the rate be adapted?",
    "no RFC",
  ],
  "x-accept-dynamic-rate": ["A private header of live555 and others.", "no RFC"],
  "seek-style": ["How exactly a seek has to land (from RTSP 2.0).", "RFC 7826 s18.47"],
  "media-properties": ["What can be done with the film (from RTSP 2.0).", "RFC 7826 s18.29"],
  "pipelined-requests": [
    "Groups requests sent without waiting (from RTSP 2.0).",
    "RFC 7826 s18.33",
  ],
};

/** Parameters inside a header's value. @type {Readonly<Record<string, Readonly<Record<string, Explanation>>>>} */
const PARAMETERS = {
  transport: {
    "rtp/avp": ["RTP with the audio and video profile, over UDP.", "RFC 3551"],
    "rtp/avp/udp": ["RTP with the audio and video profile, over UDP.", "RFC 3551"],
    "rtp/avp/tcp": ["RTP inside this RTSP connection, behind “$” signs.", "RFC 2326 s10.12"],
    "rtp/udp": ["The lab's way to say RTP over UDP; RFC 2326 says RTP/AVP.", "Kurose-Ross lab"],
    "unicast": ["To one receiver.", "RFC 2326 s12.39"],
    "multicast": ["To a group of receivers.", "RFC 2326 s12.39"],
    "client_port": [
      "The client's UDP ports: RTP on the even, RTCP on the odd one.",
      "RFC 2326 s12.39",
    ],
    "server_port": ["The server's UDP ports, RTP and RTCP.", "RFC 2326 s12.39"],
    "interleaved": ["Channel numbers in this connection, RTP and RTCP.", "RFC 2326 s10.12"],
    "ssrc": [
      "The synchronization source that the server will send with, in hexadecimal.",
      "RFC 2326 s12.39",
    ],
    "mode": ["What the stream is set up for: PLAY or RECORD.", "RFC 2326 s12.39"],
    "source": ["The address packets come from.", "RFC 2326 s12.39"],
    "destination": ["The address packets go to.", "RFC 2326 s12.39"],
    "ttl": ["How many routers a multicast packet may pass.", "RFC 2326 s12.39"],
    "port": ["Ports of the multicast group.", "RFC 2326 s12.39"],
  },
  session: {
    "timeout": [
      "Seconds without a request after which the server ends the session.",
      "RFC 2326 s12.37",
    ],
  },
  "rtp-info": {
    "url": ["The stream that is meant.", "RFC 2326 s12.33"],
    "seq": [
      "Sequence number of the first packet: what comes with older ones is old.",
      "RFC 2326 s12.33",
    ],
    "rtptime": ["RTP timestamp that belongs to the start of the range.", "RFC 2326 s12.33"],
  },
  range: {
    "npt": ["Normal play time: seconds, or h:m:s, from the film's beginning.", "RFC 2326 s3.6"],
    "clock": ["Times of day in UTC.", "RFC 2326 s3.7"],
    "smpte": ["Time code of television: hours, minutes, seconds, frames.", "RFC 2326 s3.5"],
    "time": ["When, in UTC, the command shall take effect.", "RFC 2326 s12.29"],
  },
};

/** @type {Readonly<Record<number, Explanation>>} */
const STATUS_CODES = {
  100: ["Go on: the server has understood so far.", "RFC 2326 s7.1.1"],
  200: ["It is done.", "RFC 2326 s7.1.1"],
  201: ["It is done, and something new was made for it.", "RFC 2326 s7.1.1"],
  250: ["Recording goes on, but storage is getting short.", "RFC 2326 s11.1"],
  300: ["There are several to choose from.", "RFC 2326 s11.2"],
  301: ["The film has moved for good.", "RFC 2326 s11.2"],
  302: ["The film is elsewhere for now.", "RFC 2326 s11.2"],
  303: ["See another place.", "RFC 2326 s11.2"],
  304: ["The description has not changed.", "RFC 2326 s11.2"],
  305: ["Use a proxy.", "RFC 2326 s11.2"],
  400: ["The server could not read the request.", "RFC 2326 s7.1.1"],
  401: ["The server wants a name and a password.", "RFC 2326 s7.1.1"],
  402: ["Payment is required.", "RFC 2326 s7.1.1"],
  403: ["The server will not do this.", "RFC 2326 s7.1.1"],
  404: ["There is no such film.", "RFC 2326 s7.1.1"],
  405: ["This method is not for this film; Allow says which are.", "RFC 2326 s11.3.1"],
  406: ["The server cannot answer in a form the client takes.", "RFC 2326 s7.1.1"],
  407: ["A proxy wants a name and a password.", "RFC 2326 s7.1.1"],
  408: ["The request took too long to come.", "RFC 2326 s7.1.1"],
  410: ["The film is gone for good.", "RFC 2326 s7.1.1"],
  411: ["The request needs a Content-Length.", "RFC 2326 s7.1.1"],
  412: ["A condition of the request is not met.", "RFC 2326 s7.1.1"],
  413: ["The request's body is too large.", "RFC 2326 s7.1.1"],
  414: ["The request's address is too long.", "RFC 2326 s7.1.1"],
  415: ["The server cannot send this kind of film.", "RFC 2326 s7.1.1"],
  451: ["A parameter is not understood.", "RFC 2326 s11.3.2"],
  452: ["There is no such conference.", "RFC 2326 s11.3.3"],
  453: ["There is not enough bandwidth.", "RFC 2326 s11.3.4"],
  454: ["There is no such session: it never was, or it has ended.", "RFC 2326 s11.3.5"],
  455: ["The method is not allowed in this state.", "RFC 2326 s11.3.6"],
  456: ["A header is not valid for this film.", "RFC 2326 s11.3.7"],
  457: ["The range lies outside the film.", "RFC 2326 s11.3.8"],
  458: ["This parameter can only be read.", "RFC 2326 s11.3.9"],
  459: ["Only a single stream can be asked for this, not the whole.", "RFC 2326 s11.3.10"],
  460: ["Only the whole can be asked for this, not a single stream.", "RFC 2326 s11.3.11"],
  461: ["The server offers none of the transports.", "RFC 2326 s11.3.12"],
  462: ["The destination cannot be reached.", "RFC 2326 s11.3.13"],
  500: ["Something in the server went wrong.", "RFC 2326 s7.1.1"],
  501: ["The server does not know this method.", "RFC 2326 s7.1.1"],
  502: ["A server behind the server answered badly.", "RFC 2326 s7.1.1"],
  503: ["The server cannot do this now.", "RFC 2326 s7.1.1"],
  504: ["A server behind the server did not answer.", "RFC 2326 s7.1.1"],
  505: ["The server does not speak this version of RTSP.", "RFC 2326 s7.1.1"],
  551: ["A demanded feature is not there; Unsupported says which.", "RFC 2326 s11.3.14"],
};

/** Lines of a session description by their letter. @type {Readonly<Record<string, Explanation>>} */
const SDP_LINES = {
  v: ["Version of SDP, always 0.", "RFC 8866 s5.1"],
  o: ["Who made the description: user, number, version, address.", "RFC 8866 s5.2"],
  s: ["Name of the session.", "RFC 8866 s5.3"],
  i: ["A few words about it.", "RFC 8866 s5.4"],
  u: ["An address with more about it.", "RFC 8866 s5.5"],
  e: ["Somebody's mail address.", "RFC 8866 s5.6"],
  p: ["Somebody's telephone number.", "RFC 8866 s5.6"],
  c: ["The address of the media; 0.0.0.0 leaves it to SETUP.", "RFC 8866 s5.7"],
  b: ["Bandwidth in kbit/s.", "RFC 8866 s5.8"],
  t: ["From when to when; “0 0” is without end.", "RFC 8866 s5.9"],
  r: ["Repetitions.", "RFC 8866 s5.10"],
  z: ["Time zones.", "RFC 8866 s5.11"],
  k: ["A key; obsolete.", "RFC 8866 s5.12"],
  m: ["A stream: kind, port, transport, and its RTP payload types.", "RFC 8866 s5.14"],
  a: ["An attribute.", "RFC 8866 s5.13"],
};

/** Attributes (`a=`) of a session description. @type {Readonly<Record<string, Explanation>>} */
const SDP_ATTRIBUTES = {
  control: [
    "The address to use in SETUP for this stream, or in PLAY for all of them.",
    "RFC 2326 C.1.1",
  ],
  range: ["How long the film is.", "RFC 2326 C.1.5"],
  rtpmap: ["What a payload type stands for, and its clock rate.", "RFC 8866 s6.6"],
  fmtp: ["Details of a format.", "RFC 8866 s6.15"],
  framerate: ["Frames a second.", "RFC 8866 s6.13"],
  framesize: ["Width and height of the picture.", "3GPP TS 26.234"],
  "x-dimensions": ["Width and height of the picture, a private attribute.", "no RFC"],
  cliprect: ["The part of the picture to show, a private attribute.", "no RFC"],
  tool: ["The program that wrote the description.", "RFC 8866 s6.3"],
  type: ["Kind of conference, for example broadcast.", "RFC 8866 s6.10"],
  recvonly: ["The receiver only receives.", "RFC 8866 s6.7.1"],
  sendonly: ["The receiver only sends.", "RFC 8866 s6.7.3"],
  sendrecv: ["Both sides send.", "RFC 8866 s6.7.2"],
  etag: ["Name of this state of the film, for If-Match.", "RFC 2326 C.1.8"],
  "rtcp-mux": ["RTP and RTCP share a port.", "RFC 5761 s5.1"],
};

/** @param {Readonly<Record<string, Explanation>>} table @param {string} key @returns {Explanation | undefined} */
function entry(table, key) {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** @param {string} method */
export function explainMethod(method) {
  return entry(METHODS, method.toUpperCase());
}

/** @param {string} name */
export function explainHeader(name) {
  return entry(HEADERS, name.trim().toLowerCase());
}

/** @param {number} code */
export function explainStatus(code) {
  return entry(STATUS_CODES, String(code)) ??
    (code >= 100 && code < 600 ? STATUS_CODES[Math.floor(code / 100) * 100] : undefined);
}

/**
 * Parameters in a header's value that have a meaning of their own, in their order.
 * @param {string} name @param {string} value
 * @returns {[name: string, explanation: Explanation][]}
 */
export function explainParameters(name, value) {
  const key = name.trim().toLowerCase();
  const table = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key] : undefined;
  if (!table) return [];
  /** @type {Map<string, Explanation>} */
  const found = new Map();
  for (const part of value.split(/[;,]/)) {
    const parameter = part.split("=")[0].trim();
    const explanation = entry(table, parameter.toLowerCase());
    if (explanation) found.set(parameter, explanation);
  }
  return [...found];
}

/** A line of SDP. @param {string} line */
export function explainSdpLine(line) {
  const attribute = line.match(/^a=([^:\r\n]+)/)?.[1].trim().toLowerCase();
  const named = attribute === undefined ? undefined : entry(SDP_ATTRIBUTES, attribute);
  return named ?? (line[1] === "=" ? entry(SDP_LINES, line[0]) : undefined);
}
