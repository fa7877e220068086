/**
 * A session with a server of the Kurose-Ross lab: SETUP, PLAY, PAUSE, TEARDOWN in the lab's dialect.
 *
 * Floor 4 (client assembly): connects a lab dialogue, one UDP socket and a media receiver. Lab servers do not refuse,
 * they hang up or stay silent: so every spelling of the requests is tried in turn, each on a new connection.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { RtspResponse } from "../rtsp.ts";
import { LAB_REQUEST_FORMS, type LabRequestForm } from "../engine/lab_requests.ts";
import {
  type Conversation,
  type ConversationContext,
  type PlayAnswer,
  refusalOf,
} from "./conversation.ts";
import { Dialogue } from "./dialogue.ts";
import {
  encodeLabReport,
  LAB_REPORT_PERIOD_MS,
  LAB_REPORT_PORT,
  wantsLabReports,
} from "./lab_reports.ts";
import { MediaReceiver } from "./media_receiver.ts";
import { UdpTransport } from "./media_transport.ts";

/** A session with a lab server, ready to play. */
export class LabConversation implements Conversation {
  readonly dialect = "lab";
  readonly transport = "udp";
  readonly media: MediaReceiver;
  readonly #context: ConversationContext;
  readonly #forms: LabRequestForm[];
  #dialogue: Dialogue;
  #udp: UdpTransport;
  #hasPlayed = false;
  #isClosed = false;
  #reportTimer: ReturnType<typeof setInterval> | undefined;

  private constructor(context: ConversationContext, opened: Opened) {
    this.#context = context;
    this.#dialogue = opened.dialogue;
    this.#udp = opened.udp;
    this.#forms = opened.remainingForms;
    const { settings, numbering } = context;
    this.media = new MediaReceiver({
      format: { kind: "lab" },
      listener: context,
      latencyMs: settings.latencyMs,
      numbering,
      onMade: (frame) => context.wire.frame(frame),
    });
    this.#adopt(opened);
  }

  /**
   * Sets up, trying every spelling of the requests.
   *
   * @throws {StatusError} when the server refuses (few lab servers do).
   * @throws {TransportError} when no spelling was answered, or no connection could be made.
   */
  static async open(context: ConversationContext): Promise<LabConversation> {
    const forms = [...context.settings.labForms ?? LAB_REQUEST_FORMS];
    return new LabConversation(context, await openLab(context, forms));
  }

  /** Datagrams from others that were ignored. */
  get foreignDatagrams(): number {
    return this.#udp.foreignDatagrams;
  }

  /** Sends PLAY. Ranges are unknown to the lab and left out. */
  async play(): Promise<PlayAnswer> {
    if (this.#hasPlayed) this.media.reset();
    for (;;) {
      try {
        await this.#ask("PLAY");
        break;
      } catch (error) {
        if (this.#hasPlayed || !isHungUp(error) || this.#forms.length === 0) {
          throw this.#explainPlay(error);
        }
        // A 200 to SETUP and then a closed door: this server wants its requests spelled otherwise.
        this.#udp.close();
        this.#adopt(await openLab(this.#context, this.#forms));
      }
    }
    this.#hasPlayed = true;
    this.#startReports();
    return {};
  }

  /** Sends PAUSE. */
  async pause(): Promise<void> {
    this.#stopReports();
    await this.#ask("PAUSE");
  }

  /** Sends TEARDOWN and closes everything: silence and a closed door are as good as an answer. */
  async teardown(): Promise<void> {
    this.#isClosed = true;
    this.#stopReports();
    this.media.close();
    const { settings } = this.#context;
    try {
      await this.#dialogue.request({
        method: "TEARDOWN",
        uri: labNameOf(settings.target.file),
        timeoutMs: TEARDOWN_TIMEOUT_MS,
      });
    } catch {
      // Gone, which is what was wanted.
    } finally {
      this.close();
    }
  }

  /** Asks for the description, the lab's third exercise; `undefined` from a server that has not done it. */
  async describe(): Promise<string | undefined> {
    const { settings } = this.#context;
    try {
      const response = await this.#dialogue.request({
        method: "DESCRIBE",
        uri: labNameOf(settings.target.file),
        headers: [["Accept", "application/sdp"]],
        timeoutMs: settings.labAnswerMs,
      });
      const text = new TextDecoder().decode(response.body);
      return response.statusCode === 200 && text !== "" ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** Closes everything without a word. */
  close(): void {
    this.#isClosed = true;
    this.#stopReports();
    this.#dialogue.close();
    this.#udp.close();
    this.media.close();
  }

  #adopt({ dialogue, udp }: Opened): void {
    this.#dialogue = dialogue;
    this.#udp = udp;
    const { wire, settings } = this.#context;
    const { number: connection, localAddress, remoteAddress } = dialogue;
    const { hostname } = localAddress;
    udp.start(
      { protocol: "RTP/UDP", lowerTransport: "UDP", isMulticast: false, extra: [] },
      this.media,
      wire.packets({ payload: "lab", connection, hostname }),
    );
    const session = { connection, remote: remoteAddress, url: settings.target.href };
    wire.sessionAgreed({ ...session, dialect: "lab", transport: "udp" });
    void dialogue.closed.then((error) => {
      const isCurrent = this.#dialogue === dialogue;
      // Before the first PLAY a closed door is answered by another spelling, not by giving up.
      if (isCurrent && !this.#isClosed && this.#hasPlayed) this.#context.onClosed(error);
    });
  }

  async #ask(method: string): Promise<RtspResponse> {
    const { settings } = this.#context;
    const uri = labNameOf(settings.target.file);
    const timeoutMs = settings.labAnswerMs;
    const response = await this.#dialogue.request({ method, uri, timeoutMs });
    if (response.statusCode === 200) return response;
    throw refusalOf(response, { method, url: settings.target.href, hasCredentials: false });
  }

  #explainPlay(error: unknown): unknown {
    if (!(error instanceof TransportError)) return error;
    const { file } = this.#context.settings.target;
    const what = isHungUp(error) ? "hung up on PLAY" : "does not answer PLAY";
    return new TransportError(
      `Cannot play "${file}": the server ${what}, which lab servers do when they have no such film; check the name`,
      { operation: "PLAY", errno: error.errno, cause: error },
    );
  }

  #startReports(): void {
    if (this.#reportTimer !== undefined || !wantsLabReports(this.#dialogue.sessionId)) return;
    const report = () => {
      this.#udp.sendTo(encodeLabReport(this.media.counters()), LAB_REPORT_PORT);
    };
    report();
    this.#reportTimer = setInterval(report, LAB_REPORT_PERIOD_MS);
  }

  #stopReports(): void {
    clearInterval(this.#reportTimer);
    this.#reportTimer = undefined;
  }
}

interface Opened {
  readonly dialogue: Dialogue;
  readonly udp: UdpTransport;
  readonly remainingForms: LabRequestForm[];
}

/** SETUP in each spelling, on a new connection, until one is answered. Takes what it tries out of `forms`. */
async function openLab(context: ConversationContext, forms: LabRequestForm[]): Promise<Opened> {
  const { settings } = context;
  const { host, port, href } = settings.target;
  let failure: unknown;
  for (let form = forms.shift(); form !== undefined; form = forms.shift()) {
    context.signal.throwIfAborted();
    const dialogue = await connectLab(context, form);
    const hangUp = () => dialogue.close();
    context.signal.addEventListener("abort", hangUp);
    let udp: UdpTransport | undefined;
    try {
      udp = UdpTransport.open({
        rtpPort: settings.rtpPort,
        hasRtcp: false,
        server: dialogue.remoteAddress,
        note: context.note,
        thread: context.receiveThread,
      });
      const response = await dialogue.request({
        method: "SETUP",
        uri: labNameOf(settings.target.file),
        headers: [["Transport", udp.offer]],
        timeoutMs: settings.labAnswerMs,
      });
      if (response.statusCode !== 200) {
        throw refusalOf(response, { method: "SETUP", url: href, hasCredentials: false });
      }
      return { dialogue, udp, remainingForms: forms };
    } catch (error) {
      dialogue.close();
      udp?.close();
      if (!isUnanswered(error)) throw error;
      failure = error;
    } finally {
      context.signal.removeEventListener("abort", hangUp);
    }
  }
  context.signal.throwIfAborted();
  const what = isHungUp(failure) ? "hangs up on" : "does not answer";
  throw new TransportError(
    `Cannot play "${settings.target.file}": ${host} port ${port} ${what} SETUP in the lab dialect; check host, port and name`,
    { operation: "SETUP", errno: (failure as TransportError | undefined)?.errno, cause: failure },
  );
}

function connectLab(context: ConversationContext, labForm: LabRequestForm): Promise<Dialogue> {
  const { settings, signal } = context;
  let hasNoticed = false;
  const { host, port } = settings.target;
  return Dialogue.connect({
    host,
    port,
    dialect: "lab",
    labForm,
    userAgent: settings.userAgent,
    timeoutMs: settings.timeoutMs,
    signal,
    wire: context.wire,
    onRequest: (request) => context.onRequest(request),
    onResponse: (request, response) => context.onResponse(request, response),
    onNotice: (text) => {
      if (!hasNoticed) context.note(`${text}; lab servers do that, it does no harm`);
      hasNoticed = true;
    },
  });
}

/** A lab server takes the second word of the first line: a name must not have blanks in it. */
function labNameOf(file: string): string {
  // deno-lint-ignore no-control-regex -- control characters would end the line
  return file.replace(/[\s\x00-\x1f]/g, (character) => encodeURIComponent(character));
}

function isHungUp(error: unknown): boolean {
  return error instanceof TransportError && error.errno === "ECONNRESET";
}

function isUnanswered(error: unknown): boolean {
  return error instanceof TransportError &&
    (error.errno === "ECONNRESET" || error.errno === "ETIMEDOUT") && error.operation === "SETUP";
}

const TEARDOWN_TIMEOUT_MS = 1000;
