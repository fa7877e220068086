/**
 * What a client is told: where to play from, in which dialect, by which transport, and how patient to be.
 *
 * Floor 4 (client assembly). It reads no command line (see `lib/client/command_line.ts`) and opens nothing.
 *
 * @module
 */

import { parseRtspUrl } from "../rtsp_url.ts";
import type { Credentials } from "../engine/client_credentials.ts";
import type { LabRequestForm } from "../engine/lab_requests.ts";
import type { WireTap } from "../engine/wire_tap.ts";
import type { ReceiveChoice } from "./receive_choice.ts";
import type { BeforeRequest } from "./wire.ts";

export type { Credentials } from "../engine/client_credentials.ts";

/** The lab's way to name a film: a server and a bare file name. */
export interface LabAddress {
  /** Name or address of the server. */
  readonly host: string;
  /** RTSP port of the server, 1 to 65535. */
  readonly port: number;
  /** Name of the film on the server. */
  readonly file: string;
}

/** Options of an `RtspClient`. */
export interface RtspClientOptions {
  /** What to play: an `rtsp://` URL, or server and file. A user name and password in the URL are used, never shown. */
  readonly url: string | LabAddress;
  /** Dialect; `"auto"` speaks RFC 2326 first and recognises a lab server by its answer. @default {"auto"} */
  readonly dialect?: "auto" | "rtsp" | "lab";
  /** Transport; `"auto"` asks for UDP and changes to TCP after a 461 or silence. @default {"auto"} */
  readonly transport?: "auto" | "udp" | "tcp";
  /**
   * How UDP is received: `"linux"` by a thread that does nothing else (Linux, `--allow-ffi`), `"portable"` by Deno alone,
   * `"auto"` by the thread where that works. @default {"auto"}
   */
  readonly udp?: ReceiveChoice;
  /** UDP port for RTP (the next one takes RTCP), 0 to let the system choose. @default {0} */
  readonly rtpPort?: number;
  /** How long the jitter buffer waits for a missing packet, in milliseconds. @default {100} */
  readonly latencyMs?: number;
  /** Name and password; those of the URL come second. */
  readonly credentials?: Credentials;
  /** Called when the server asks for a password and none is known; `undefined` gives up. */
  readonly askCredentials?: () => Promise<Credentials | undefined>;
  /** How long to wait for a connection, an answer, or a packet while PLAYING, in milliseconds. @default {10000} */
  readonly timeoutMs?: number;
  /** Whether a lost connection is taken up again, with growing pauses. @default {false} */
  readonly reconnects?: boolean;
  /** First pause before a new connection, in milliseconds; it doubles up to 30 s. @default {1000} */
  readonly reconnectDelayMs?: number;
  /** UDP without a packet for this long makes `"auto"` change to TCP, in milliseconds. @default {3000} */
  readonly udpSilenceMs?: number;
  /** A server that stays silent for this long is tried in the lab dialect, in milliseconds. @default {1500} */
  readonly probeMs?: number;
  /** Silence that ends a film in the lab dialect, which has no other sign, in milliseconds. @default {2000} */
  readonly labSilenceMs?: number;
  /** How long a lab server may take to answer, in milliseconds. @default {2000} */
  readonly labAnswerMs?: number;
  /** The spellings of lab requests to try, in order. @default {all three} */
  readonly labForms?: readonly LabRequestForm[];
  /** Value of the `User-Agent` header. @default {"deno-rtsp"} */
  readonly userAgent?: string;
  /** Told of everything on the wire, its secrets included: see `WireTap`. @default {nobody} */
  readonly tap?: WireTap;
  /** May hold requests back, for as long as it likes. @default {none is held back} */
  readonly beforeRequest?: BeforeRequest;
}

/** Where the options point to, without credentials. */
export interface ClientTarget {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string;
  /** RTSP port. */
  readonly port: number;
  /** URL of the presentation, without credentials. */
  readonly href: string;
  /** Name of the film for the lab dialect. */
  readonly file: string;
}

/** The options with every default filled in. */
export interface ClientSettings {
  /** Where to play from. */
  readonly target: ClientTarget;
  /** See {@linkcode RtspClientOptions.dialect}. */
  readonly dialect: "auto" | "rtsp" | "lab";
  /** See {@linkcode RtspClientOptions.transport}. */
  readonly transport: "auto" | "udp" | "tcp";
  /** See {@linkcode RtspClientOptions.udp}. */
  readonly udp: ReceiveChoice;
  /** See {@linkcode RtspClientOptions.rtpPort}. */
  readonly rtpPort: number;
  /** See {@linkcode RtspClientOptions.latencyMs}. */
  readonly latencyMs: number;
  /** See {@linkcode RtspClientOptions.credentials}. */
  readonly credentials: Credentials | undefined;
  /** See {@linkcode RtspClientOptions.askCredentials}. */
  readonly askCredentials: (() => Promise<Credentials | undefined>) | undefined;
  /** See {@linkcode RtspClientOptions.timeoutMs}. */
  readonly timeoutMs: number;
  /** See {@linkcode RtspClientOptions.reconnects}. */
  readonly reconnects: boolean;
  /** See {@linkcode RtspClientOptions.reconnectDelayMs}. */
  readonly reconnectDelayMs: number;
  /** See {@linkcode RtspClientOptions.udpSilenceMs}. */
  readonly udpSilenceMs: number;
  /** See {@linkcode RtspClientOptions.probeMs}. */
  readonly probeMs: number;
  /** See {@linkcode RtspClientOptions.labSilenceMs}. */
  readonly labSilenceMs: number;
  /** See {@linkcode RtspClientOptions.labAnswerMs}. */
  readonly labAnswerMs: number;
  /** See {@linkcode RtspClientOptions.labForms}. */
  readonly labForms: readonly LabRequestForm[] | undefined;
  /** See {@linkcode RtspClientOptions.userAgent}. */
  readonly userAgent: string;
}

/**
 * Fills in the defaults and checks the numbers.
 *
 * @throws {RangeError} for a port or a time that cannot be.
 * @throws {RtspFormatError} for a text that is no RTSP URL.
 */
export function settingsOf(options: RtspClientOptions): ClientSettings {
  const rtpPort = options.rtpPort ?? 0;
  if (!Number.isInteger(rtpPort) || rtpPort < 0 || rtpPort > 65535) {
    throw new RangeError(`Cannot receive on RTP port ${rtpPort}: ports are 0 to 65535`);
  }
  const latencyMs = options.latencyMs ?? 100;
  if (!(latencyMs >= 0)) throw new RangeError(`Cannot wait ${latencyMs} ms: latency is 0 or more`);
  const { target, credentials } = targetOf(options.url);
  return {
    target,
    dialect: options.dialect ?? "auto",
    transport: options.transport ?? "auto",
    udp: options.udp ?? "auto",
    rtpPort,
    latencyMs,
    credentials: options.credentials ?? credentials,
    askCredentials: options.askCredentials,
    timeoutMs: options.timeoutMs ?? 10_000,
    reconnects: options.reconnects ?? false,
    reconnectDelayMs: options.reconnectDelayMs ?? 1000,
    udpSilenceMs: options.udpSilenceMs ?? 3000,
    probeMs: options.probeMs ?? 1500,
    labSilenceMs: options.labSilenceMs ?? 2000,
    labAnswerMs: options.labAnswerMs ?? 2000,
    labForms: options.labForms,
    userAgent: options.userAgent ?? "deno-rtsp",
  };
}

/**
 * The same settings for another film.
 *
 * @param url A URL, or the name of a film on the same server.
 * @param known Name and password in use: they stay where host and port do.
 * @throws {RtspFormatError} for a text that is no RTSP URL, {@linkcode RangeError} for one that cannot be played.
 */
export function settingsElsewhere(
  settings: ClientSettings,
  url: string | LabAddress,
  known: Credentials | undefined,
): ClientSettings {
  const { host, port } = settings.target;
  const isName = typeof url === "string" && !/^[a-z][a-z0-9+.-]*:\/\//i.test(url.trim());
  const { target, credentials } = targetOf(
    typeof url !== "string" ? url : isName ? { host, port, file: url.trim() } : url.trim(),
  );
  const isSameServer = target.host === host && target.port === port;
  return { ...settings, target, credentials: credentials ?? (isSameServer ? known : undefined) };
}

function targetOf(
  url: string | LabAddress,
): { target: ClientTarget; credentials: Credentials | undefined } {
  if (typeof url !== "string") {
    const host = url.host.replace(/^\[(.*)\]$/, "$1");
    const authority = host.includes(":") ? `[${host}]` : host;
    const path = url.file.split("/").map(encodeURIComponent).join("/");
    const href = `rtsp://${authority}:${url.port}/${path.replace(/^\/+/, "")}`;
    return { target: { host, port: url.port, href, file: url.file }, credentials: undefined };
  }
  const parsed = parseRtspUrl(url);
  const { host, port } = parsed;
  if (parsed.scheme === "rtsps") {
    throw new RangeError(`Cannot play "${parsed.href}": TLS is not spoken here, use rtsp://`);
  }
  // On the wire a URL is ASCII; what was typed may not be (RFC 3986 s2.1).
  const href = parsed.href.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text));
  const credentials = parsed.username === undefined
    ? undefined
    : { username: parsed.username, password: parsed.password ?? "" };
  return { target: { host, port, href, file: fileOf(parsed.path) }, credentials };
}

/** The lab knows no percent signs: its servers take the name as it stands. */
function fileOf(path: string): string {
  const name = path.replace(/^\/+/, "");
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
