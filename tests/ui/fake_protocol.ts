/** The endpoints of the protocol view without a recorder: the tests say what is told, hostile or plentiful. */
import { encodeBase64 } from "./base64.ts";
import type {
  ProtocolBatch,
  ProtocolFrame,
  ProtocolMessage,
  ProtocolPacket,
  ProtocolSample,
} from "../../lib/ui/protocol_events.ts";
import type { PreviewHandler, PreviewStep } from "../../lib/ui/preview.ts";

/** Answers `/protocol/*` and the commands of the protocol view; the rest goes to a handler of the preview. */
export class FakeProtocol {
  readonly history: Partial<ProtocolBatch> = {};
  /** Commands that came, with their bodies. */
  readonly commands: [path: string, body: unknown][] = [];
  /** What `/state` says besides. */
  extraState: Record<string, unknown> = { side: "client" };
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #preview: PreviewHandler;

  constructor(preview: PreviewHandler, history: Partial<ProtocolBatch> = {}) {
    this.#preview = preview;
    this.history = history;
  }

  /** For `openPreview()`. */
  readonly handler: PreviewHandler = Object.assign(
    (request: Request) => this.#answer(request),
    {
      close: () => {
        for (const stream of this.#streams) stream.close();
        this.#streams.clear();
        this.#preview.close();
      },
    },
  );

  /** Pages that listen now. */
  get listeners(): number {
    return this.#streams.size;
  }

  /** Tells all pages. */
  send(news: Partial<ProtocolBatch>): void {
    for (const stream of this.#streams) stream.enqueue(eventOf(batchOf(news)));
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/protocol/events") return this.#events();
    if (["/open", "/seek", "/step-mode", "/step", "/frame-step"].includes(pathname)) {
      this.commands.push([pathname, await request.json()]);
      return await this.#state();
    }
    if (pathname === "/state") return await this.#state();
    return await this.#preview(request);
  }

  async #state(): Promise<Response> {
    const response = await this.#preview(new Request("http://127.0.0.1/state"));
    return Response.json({ ...await response.json(), ...this.extraState });
  }

  #events(): Response {
    let mine: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        mine = controller;
        this.#streams.add(controller);
        controller.enqueue(eventOf({ ...batchOf(this.history), isFirst: true }));
      },
      cancel: () => void this.#streams.delete(mine),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
}

const NOTHING: Omit<ProtocolBatch, "time"> = {
  side: "client",
  isFirst: false,
  connections: [],
  messages: [],
  packets: [],
  frames: [],
  samples: [],
  transitions: [],
  sessions: [],
  step: { isEnabled: false, waiting: null },
  totals: { packets: 0, packetsSkipped: 0, messages: 0 },
};

function batchOf(news: Partial<ProtocolBatch>): ProtocolBatch {
  return { ...NOTHING, time: Date.now(), ...news };
}

function eventOf(batch: ProtocolBatch): Uint8Array {
  return new TextEncoder().encode(`event: protocol\ndata: ${JSON.stringify(batch)}\n\n`);
}

/** A message of the dialogue. */
export function fakeMessage(
  id: number,
  text: string,
  more: Partial<ProtocolMessage> = {},
): ProtocolMessage {
  const bytes = new TextEncoder().encode(text);
  const isResponse = text.startsWith("RTSP/");
  const [first, second] = text.split(/[\r\n]/)[0].split(" ");
  const headEnd = text.search(/\r?\n\r?\n/);
  const bodyOffset = headEnd < 0
    ? bytes.length
    : headEnd + (text.slice(headEnd).match(/^\r?\n\r?\n/)?.[0].length ?? 0);
  return {
    id,
    time: 1_700_000_000_000 + id * 12.5,
    direction: isResponse ? "in" : "out",
    connection: 1,
    session: null,
    kind: isResponse ? "response" : "request",
    dialect: "rtsp",
    bytes: encodeBase64(bytes),
    size: bytes.length,
    isMasked: false,
    bodyOffset,
    method: isResponse ? null : first,
    uri: isResponse ? null : second,
    statusCode: isResponse ? Number(second) : null,
    reasonPhrase: isResponse ? text.split(/[\r\n]/)[0].split(" ").slice(2).join(" ") : null,
    cseq: text.match(/cseq: *(\d+)/i)?.[1] ?? null,
    sessionId: text.match(/\nsession: *([^;\r\n]+)/i)?.[1] ?? null,
    requestId: isResponse ? id - 1 : null,
    roundTripMs: isResponse ? 3.25 : null,
    isAutomatic: false,
    oddities: [],
    ...more,
  };
}

/** A packet that came. */
export function fakePacket(
  id: number,
  bytes: Uint8Array,
  more: Partial<ProtocolPacket> = {},
): ProtocolPacket {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isRtcp = bytes[1] >= 200 && bytes[1] <= 204;
  return {
    id,
    time: 1_700_000_000_000 + id,
    direction: "in",
    kind: isRtcp ? "rtcp" : "rtp",
    payload: isRtcp ? null : "jpeg",
    session: 1,
    transport: "udp",
    channel: null,
    source: "127.0.0.1:6970",
    destination: "127.0.0.1:5008",
    bytes: encodeBase64(bytes.subarray(0, 2048)),
    size: bytes.length,
    sequenceNumber: isRtcp ? null : view.getUint16(2),
    timestamp: isRtcp ? null : view.getUint32(4),
    marker: isRtcp ? null : (bytes[1] & 0x80) !== 0,
    ...more,
  };
}

/** A frame, with one packet for each letter: r received, o reordered, l late, x lost. */
export function fakeFrame(
  id: number,
  fates: string,
  more: Partial<ProtocolFrame> = {},
): ProtocolFrame {
  const first = id * 20;
  const status = { r: "received", o: "reordered", l: "late", x: "lost" } as const;
  const isWhole = !/[lx]/.test(fates);
  return {
    id,
    time: 1_700_000_000_000 + id * 40,
    session: 1,
    timestamp: id * 3600,
    number: isWhole ? id : null,
    status: isWhole ? "complete" : "dropped",
    size: isWhole ? fates.length * 1300 : 0,
    width: 320,
    height: 240,
    assemblyMs: 4.5,
    runs: [...fates].map((fate, i) => ({
      sequenceNumber: (first + i) & 0xffff,
      count: 1,
      status: status[fate as keyof typeof status],
      packet: fate === "x" ? null : first + i,
      size: fate === "x" ? 0 : 1312,
      lastSize: fate === "x" ? 0 : 1312,
    })),
    packetCount: fates.length,
    ...more,
  };
}

/** One second. */
export function fakeSample(id: number, more: Partial<ProtocolSample> = {}): ProtocolSample {
  return {
    id,
    time: 1_700_000_000_000 + id * 1000,
    session: 1,
    state: "PLAYING",
    bitRate: 1.8e6 + 1e5 * Math.sin(id / 4),
    frameRate: 25,
    packetRate: 220,
    lost: 0,
    lossRatio: 0,
    reordered: 0,
    jitterMs: 2 + Math.sin(id),
    bufferedPackets: 12 + id % 5,
    roundTripMs: 1.5,
    frameLatencyMs: 6,
    captureLatencyMs: null,
    packets: 220 * id,
    bytes: 225_000 * id,
    frames: 25 * id,
    framesDropped: 0,
    totalLost: 0,
    ...more,
  };
}

/** Step mode with a request that waits. */
export function waitingStep(method: string, uri: string): PreviewStep {
  const waiting = { method, uri, since: 1_700_000_000_000 };
  return { state: () => ({ isEnabled: true, waiting }), setEnabled: () => {}, step: () => true };
}
