/**
 * Telling the lab's dialect from the standard's, message by message.
 *
 * Floor 1.
 *
 * @module
 */
import { isLabTransportLine } from "./lab.ts";
import type { RtspDialect } from "./message.ts";
import type { PendingHead } from "./pending_head.ts";

/** What one direction of a connection has shown of its dialect. */
export class DialectJudge {
  readonly #role: "server" | "client";
  readonly #dialect: RtspDialect;
  #isLabConnection = false;
  /** Whether this connection has sent a lab request with a whole URL. */
  #hasLabUrls = false;

  /** Knows nothing yet but what it is told. */
  constructor(role: "server" | "client", dialect: RtspDialect) {
    this.#role = role;
    this.#dialect = dialect;
  }

  /** Whether the last request of this connection was the lab's. */
  get isLabConnection(): boolean {
    return this.#isLabConnection;
  }

  /** Remembers how a request was read. */
  remember(head: PendingHead, isLab: boolean): void {
    this.#isLabConnection = isLab;
    this.#hasLabUrls = isLab && (this.#hasLabUrls || head.requestLine?.kind === "standard");
  }

  /**
   * Whether a head may end with silence, with the next request, or without a blank line. A request with a whole URL
   * may not, unless it names a transport that only the lab has; a response may where its first line ends with a bare
   * line feed. `rest` is what has come of the next line.
   */
  mayLackBlankLine(head: PendingHead, rest?: string): boolean {
    // Servers are sent requests and clients responses; only those have a lab form.
    if ((this.#role === "client") !== (head.statusLine !== undefined)) return false;
    if (this.#dialect !== "auto") return this.#dialect === "lab";
    if (head.requestLine === undefined) return head.lineEnd === "\n";
    const { kind } = head.requestLine;
    return kind === "bare" || head.hasLabTransport ||
      (rest !== undefined && isLabTransportLine(rest)) ||
      (kind === "doubtful" ? this.#isLabConnection : this.#hasLabUrls);
  }

  /** Whether a request that ended with a blank line is the lab's all the same. */
  isLabDespiteBlankLine(head: PendingHead): boolean {
    if (this.#dialect !== "auto" || this.#role === "client") return this.#dialect === "lab";
    if (head.requestLine?.version === undefined) return true;
    return head.requestLine.kind !== "standard" && (head.hasLabTransport || this.#isLabConnection);
  }

  /**
   * Whether a response that the end of the connection cut short is the lab's: three lines and a close are how some of
   * its servers answer, whatever they were asked.
   */
  isLabAtEnd(head: PendingHead, lineCount: number): boolean {
    return this.#dialect === "auto" && this.#role === "client" && head.statusLine !== undefined &&
      lineCount <= 3;
  }

  /**
   * Whether a line opens the body although no blank line came: lab servers let a description follow its headers.
   */
  opensBody(head: PendingHead, text: string): boolean {
    if (head.statusLine === undefined || this.#dialect === "rtsp" || head.lines.length < 2) {
      return false;
    }
    if (/^v=0\s*$/.test(text)) return true;
    return this.mayLackBlankLine(head) && head.hasContent && !/^(?:[\w-]+\s*:|\s)/.test(text);
  }
}
