/**
 * The requests of a client that wait for their answers, and which answer is whose (RFC 2326 s12.17).
 *
 * Floor 2 (engine), pure: `client_session.ts` sends and judges.
 *
 * @module
 */

import { RtspFormatError } from "../errors.ts";
import { headerValue, type RtspRequest, type RtspResponse } from "../rtsp.ts";
import type { ClientRequest } from "./client_session_types.ts";

/** A request that was sent. */
export interface OutstandingRequest {
  /** Number of the order. */
  readonly id: number;
  /** What was ordered. */
  readonly order: ClientRequest;
  /** Whether the session made it up to keep itself alive. */
  readonly isKeepAlive: boolean;
  /** How often it was sent before. */
  readonly retries: number;
  /** What was sent, without secrets. */
  readonly request: RtspRequest;
  /** Its CSeq. */
  readonly cseq: number;
  /** When nobody waits any longer, in ms. */
  readonly deadlineMs: number;
}

/** Keeps them by CSeq, the oldest first. */
export class OutstandingRequests {
  readonly #waiting = new Map<number, OutstandingRequest>();
  readonly #abandoned = new Set<number>(); // CSeqs whose answer nobody waits for any more

  /** Waits for an answer. */
  add(request: OutstandingRequest): void {
    this.#waiting.set(request.cseq, request);
  }

  /** The first deadline in ms, `Infinity` where nothing waits. */
  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { deadlineMs } of this.#waiting.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  /** Gives up those whose deadline has come, and hands them out; a late answer is dropped without a word. */
  takeExpired(now: number): OutstandingRequest[] {
    const expired = [...this.#waiting.values()].filter(({ deadlineMs }) => now >= deadlineMs);
    for (const { cseq } of expired) {
      this.#waiting.delete(cseq);
      this.#abandoned.add(cseq);
      if (this.#abandoned.size > MAX_ABANDONED) {
        this.#abandoned.delete(this.#abandoned.values().next().value!);
      }
    }
    return expired;
  }

  /** The request that an answer is for, as far as can be said before it is judged. */
  of(response: RtspResponse): OutstandingRequest | undefined {
    const cseq = Number(headerValue(response.headers, "CSeq") ?? Number.NaN);
    if (this.#abandoned.has(cseq)) return undefined;
    return this.#waiting.get(cseq) ?? (response.lab ? this.#oldest() : undefined);
  }

  /**
   * Takes out the request that an answer is for: by CSeq; a lab server's number may be rubbish, there the oldest is
   * meant, and the `notice` says so. `undefined` for an answer that nobody waits for any more.
   *
   * @throws {RtspFormatError} when the answer is to nothing that was asked.
   */
  take(response: RtspResponse): { request: OutstandingRequest; notice?: string } | undefined {
    const text = headerValue(response.headers, "CSeq");
    const cseq = text !== undefined && /^\d{1,10}$/.test(text.trim()) ? Number(text) : undefined;
    if (cseq !== undefined && this.#abandoned.delete(cseq)) return undefined;
    const named = cseq === undefined ? undefined : this.#waiting.get(cseq);
    const mayBeOldest = response.lab !== undefined || cseq === undefined;
    const request = named ?? (mayBeOldest ? this.#oldest() : undefined);
    if (request === undefined) {
      if (response.lab !== undefined) return undefined;
      throw new RtspFormatError(
        `Cannot match RTSP response: CSeq "${text ?? ""}", outstanding ${
          [...this.#waiting.keys()].join(", ") || "none"
        }`,
        { code: "cseq", offset: 0, rfc: "RFC 2326 s12.17", value: text },
      );
    }
    this.#waiting.delete(request.cseq);
    if (named) return { request };
    const notice = `The server's answer to ${request.order.method} carries the CSeq "${
      text ?? ""
    }" where ${request.cseq} was sent`;
    return { request, notice };
  }

  #oldest(): OutstandingRequest | undefined {
    return this.#waiting.values().next().value;
  }
}

const MAX_ABANDONED = 32;
