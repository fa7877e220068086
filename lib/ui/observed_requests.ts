/**
 * Which request a response answers, and which one made a state change, by what was seen on the wire.
 *
 * Floor 3 (wall), pure, bounded in memory. It keeps numbers of messages; the messages are `protocol_recorder.ts`'s.
 *
 * @module
 */
import type { WireMessage } from "../engine/wire_tap.ts";
import { headerValue } from "../rtsp.ts";
import type { ProtocolMessage, ProtocolSession } from "./protocol_events.ts";
import type { RecentList } from "./recent_list.ts";

/** When a request was seen, and its number. */
export interface ObservedRequest {
  /** Number of the message. */
  readonly id: number;
  /** When it was seen. */
  readonly now: number;
}

/** The requests of all connections. */
export class ObservedRequests {
  /** Those that wait for an answer, by connection, direction and CSeq. */
  readonly #asked = new Map<string, ObservedRequest>();
  /** The newest on each connection. */
  readonly #last = new Map<number, ProtocolMessage>();

  /** A request was seen; `message` is what is kept of it. */
  asked({ connection, direction }: WireMessage, message: ProtocolMessage, now: number): void {
    this.#last.set(connection, message);
    this.#asked.set(`${connection} ${direction} ${message.cseq}`, { id: message.id, now });
    if (this.#asked.size > MAX_ASKED) this.#asked.delete(this.#asked.keys().next().value!);
  }

  /** The request that a response answers, where it was seen; a final response answers it once. */
  answered({ connection, direction, message, request }: WireMessage): ObservedRequest | undefined {
    const asked = direction === "in" ? "out" : "in";
    const cseq = headerValue((request ?? message!).headers, "CSeq") || null;
    const key = `${connection} ${asked} ${cseq}`;
    const found = this.#asked.get(key);
    if (message?.type === "response" && message.statusCode >= 200) this.#asked.delete(key);
    return found;
  }

  /** The connection is closed. */
  forget(connection: number): void {
    this.#last.delete(connection);
    for (const key of this.#asked.keys()) {
      if (key.startsWith(`${connection} `)) this.#asked.delete(key);
    }
  }

  /** The newest request that a cause may mean: one that is a method, or "" for any; `undefined` for other causes. */
  causeOf(
    session: ProtocolSession | undefined,
    cause: string,
    messages: RecentList<ProtocolMessage>,
  ): ProtocolMessage | undefined {
    if (cause !== "" && !/^[A-Z_]+$/.test(cause)) return undefined;
    for (const connection of [...session?.connections ?? []].reverse()) {
      const request = this.#last.get(connection);
      if (request && (cause === "" || request.method === cause)) return request;
    }
    return messages.all().findLast((message) =>
      message.kind === "request" && message.method === cause &&
      (session === undefined || message.session === session.id)
    );
  }
}

const MAX_ASKED = 256;
