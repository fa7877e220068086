/**
 * One end of the way between two threads: messages go in batches, one of which is under way at a time.
 *
 * Floor 4 (assembly). Messages keep their order and none is lost. What waits is bounded by those who ask
 * {@linkcode Mailbox.congestion} before they take in more work: a thread that others flood cannot flood the next one.
 *
 * @module
 */

/** What really goes from thread to thread. */
export type Envelope<Message> =
  | { readonly type: "batch"; readonly messages: readonly Message[] }
  /** The batch has been read: the next one may come. */
  | { readonly type: "taken" };

/** Sends messages to another thread, and hands out those that come from there. */
export class Mailbox<Outgoing, Incoming> {
  readonly #send: (envelope: Envelope<Outgoing>) => void;
  readonly #onMessage: (message: Incoming) => void;
  #waiting: Outgoing[] = [];
  #isUnderWay = false;
  #clear: PromiseWithResolvers<void> | undefined;

  /** `send` hands an envelope to the other thread. */
  constructor(
    send: (envelope: Envelope<Outgoing>) => void,
    onMessage: (message: Incoming) => void,
  ) {
    this.#send = send;
    this.#onMessage = onMessage;
  }

  /** Sends a message, at once or with others. */
  post(message: Outgoing): void {
    this.#waiting.push(message);
    if (!this.#isUnderWay) this.#sendBatch();
  }

  /** Takes what has come from the other thread. */
  receive(envelope: Envelope<Incoming>): void {
    if (envelope.type === "taken") {
      this.#isUnderWay = false;
      if (this.#waiting.length > 0) this.#sendBatch();
      return;
    }
    for (const message of envelope.messages) this.#onMessage(message);
    this.#send({ type: "taken" });
  }

  /** So many messages wait that no work should be begun which makes more; settles when that is over. */
  get congestion(): Promise<void> | undefined {
    if (this.#waiting.length < CONGESTED_MESSAGES) return undefined;
    this.#clear ??= Promise.withResolvers();
    return this.#clear.promise;
  }

  /** Forgets what waits: the other thread is gone. */
  close(): void {
    this.#isUnderWay = true;
    this.#empty();
  }

  #sendBatch(): void {
    this.#isUnderWay = true;
    this.#send({ type: "batch", messages: this.#empty() });
  }

  #empty(): Outgoing[] {
    const messages = this.#waiting;
    this.#waiting = [];
    this.#clear?.resolve();
    this.#clear = undefined;
    return messages;
  }
}

const CONGESTED_MESSAGES = 1000;
