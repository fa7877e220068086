// @ts-check
/// <reference lib="dom" />
// What is known of the protocol: the newest of everything that GET /protocol/events has told, and whom to tell.

/** @typedef {import("../protocol_events.ts").ProtocolBatch} ProtocolBatch */
/** @typedef {import("../protocol_events.ts").ProtocolMessage} ProtocolMessage */
/** @typedef {import("../protocol_events.ts").ProtocolPacket} ProtocolPacket */
/** @typedef {import("../protocol_events.ts").ProtocolFramePacket} FramePacket */
/** @typedef {import("../protocol_events.ts").ProtocolFrame & { readonly packets: readonly FramePacket[] }} ProtocolFrame */
/** @typedef {import("../protocol_events.ts").ProtocolSample} ProtocolSample */
/** @typedef {import("../protocol_events.ts").ProtocolTransition} ProtocolTransition */
/** @typedef {import("../protocol_events.ts").ProtocolSession} ProtocolSession */
/** @typedef {import("../protocol_events.ts").ProtocolConnection} ProtocolConnection */

/** How many of each are kept: memory and the page stay as they are however long the film is. */
const LIMITS = {
  messages: 400,
  rtp: 400,
  rtcp: 100,
  frames: 240,
  samples: 2000,
  transitions: 100,
  connections: 100,
};

export class ProtocolStore {
  /** @type {"client" | "server"} */
  side = "client";
  isConnected = false;
  /** Rises with each batch. */
  version = 0;
  /** @type {Map<number, ProtocolMessage>} */
  messages = new Map();
  /** @type {Map<number, ProtocolPacket>} */
  rtp = new Map();
  /** @type {Map<number, ProtocolPacket>} */
  rtcp = new Map();
  /** @type {Map<number, ProtocolFrame>} */
  frames = new Map();
  /** @type {Map<number, ProtocolSample>} */
  samples = new Map();
  /** @type {Map<number, ProtocolTransition>} */
  transitions = new Map();
  /** @type {Map<number, ProtocolConnection>} */
  connections = new Map();
  /** @type {Map<number, ProtocolSession>} */
  sessions = new Map();
  /** @type {import("../protocol_events.ts").ProtocolStep} */
  step = { isEnabled: false, waiting: null };
  totals = { packets: 0, packetsSkipped: 0, messages: 0 };
  /** The session that is looked at, `null` for all. @type {number | null} */
  chosenSession = null;

  /** @type {EventSource | undefined} */
  #events;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #isTold = true;

  /** @param {() => void} listener called at most once for each picture the browser draws */
  onNews(listener) {
    this.#listeners.add(listener);
  }

  connect() {
    if (this.#events) return;
    const events = new EventSource("/protocol/events");
    this.#events = events;
    events.addEventListener("protocol", (event) => {
      this.isConnected = true;
      this.apply(JSON.parse(/** @type {MessageEvent} */ (event).data));
    });
    events.addEventListener("error", () => {
      this.isConnected = false;
      this.#tell();
    });
  }

  disconnect() {
    this.#events?.close();
    this.#events = undefined;
    this.isConnected = false;
  }

  /** @param {ProtocolBatch} batch */
  apply(batch) {
    if (batch.isFirst) this.#forget();
    this.side = batch.side;
    this.step = batch.step;
    this.totals = batch.totals;
    upsert(this.messages, batch.messages, LIMITS.messages);
    upsert(this.rtp, batch.packets.filter(({ kind }) => kind === "rtp"), LIMITS.rtp);
    upsert(this.rtcp, batch.packets.filter(({ kind }) => kind === "rtcp"), LIMITS.rtcp);
    upsert(this.frames, batch.frames.map(withPackets), LIMITS.frames);
    upsert(this.samples, batch.samples, LIMITS.samples);
    upsert(this.transitions, batch.transitions, LIMITS.transitions);
    upsert(this.connections, batch.connections, LIMITS.connections);
    if (batch.sessions.length > 0) {
      this.sessions = new Map(batch.sessions.map((session) => [session.id, session]));
    }
    if (this.chosenSession !== null && !this.sessions.has(this.chosenSession)) {
      this.chosenSession = null;
    }
    this.version++;
    this.#tell();
  }

  /** The session for what can show one only: the chosen one, else the newest that lives, else the newest. */
  get focusedSession() {
    if (this.chosenSession !== null) return this.sessions.get(this.chosenSession);
    const all = [...this.sessions.values()];
    return all.findLast(({ endedTime }) => endedTime === null) ?? all.at(-1);
  }

  /** @param {{ session: number | null }} entry */
  isChosen({ session }) {
    return this.chosenSession === null || session === null || session === this.chosenSession;
  }

  /** @param {number | null} id */
  choose(id) {
    this.chosenSession = id;
    this.version++;
    this.#tell();
  }

  #forget() {
    for (
      const map of [this.messages, this.rtp, this.rtcp, this.frames, this.samples, this.transitions]
    ) map.clear();
    this.connections.clear();
    this.sessions.clear();
  }

  #tell() {
    if (!this.#isTold) return;
    this.#isTold = false;
    requestAnimationFrame(() => {
      this.#isTold = true;
      for (const listener of this.#listeners) listener();
    });
  }
}

/**
 * Runs of packets as packets.
 *
 * @param {import("../protocol_events.ts").ProtocolFrame} frame @returns {ProtocolFrame}
 */
function withPackets(frame) {
  const packets = frame.runs.flatMap(({ sequenceNumber, count, status, packet, size, lastSize }) =>
    Array.from({ length: count }, (_, i) => ({
      sequenceNumber: (sequenceNumber + i) % 0x10000,
      status,
      packet: packet === null ? null : packet + i,
      size: i === count - 1 ? lastSize : size,
    }))
  );
  return { ...frame, packets };
}

/**
 * @template {{ readonly id: number }} T
 * @param {Map<number, T>} map @param {readonly T[]} news @param {number} limit
 */
function upsert(map, news, limit) {
  for (const entry of news) map.set(entry.id, entry);
  if (map.size <= limit) return;
  let surplus = map.size - limit;
  for (const id of map.keys()) {
    if (surplus-- <= 0) return;
    map.delete(id);
  }
}
