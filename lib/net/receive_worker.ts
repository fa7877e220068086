/**
 * The thread that receives datagrams: it does nothing else, so that nothing the program does makes the kernel's buffers
 * run over.
 *
 * Floor 3 (wall). Linux, through FFI. Started by `receive_thread.ts`, which names the sockets to it by adding them to an
 * epoll descriptor and takes the datagrams out of a {@linkcode RingWriter ring}. It understands no packet.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { EPOLL_CTL_DEL, EPOLL_DATA_AT, EPOLL_EVENT_SIZE } from "./event_loop_linux.ts";
import { ERRNO, type Libc, openLibc } from "./libc.ts";
import { ReceivedMessages } from "./receive_messages_linux.ts";
import { RingWriter } from "./receive_ring.ts";
import {
  acknowledge,
  CLOCK,
  readClockMs,
  type ReceiveAnswer,
  type ReceiveWork,
  STATE,
  threadWords,
} from "./receive_work.ts";

self.addEventListener("message", (event: MessageEvent<ReceiveWork>) => {
  const words = threadWords(event.data.memory);
  try {
    const libc = openLibc();
    if (libc === undefined) throw new Error("the C library cannot be used in a worker");
    if (Atomics.compareExchange(words, STATE.word, STATE.starting, STATE.running) !== 0) return;
    answer({ type: "running" });
    new Reception(libc, event.data, words).run();
    libc.close();
  } catch (error) {
    answer({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
  } finally {
    Atomics.store(words, STATE.word, STATE.stopped);
    Atomics.notify(words, STATE.word);
    self.close();
  }
}, { once: true });

function answer(message: ReceiveAnswer): void {
  self.postMessage(message);
}

class Reception {
  readonly #libc: Libc;
  readonly #work: ReceiveWork;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #ring: RingWriter;
  readonly #messages = new ReceivedMessages();
  readonly #events = new Uint8Array(EVENT_COUNT * EPOLL_EVENT_SIZE);
  readonly #eventView = new DataView(this.#events.buffer);
  /** One object for all datagrams. */
  readonly #from = { socket: 0, arrivalMs: 0 };
  readonly #scratch = new Uint8Array(8);
  #failures = 0;

  constructor(libc: Libc, work: ReceiveWork, words: Int32Array<SharedArrayBuffer>) {
    this.#libc = libc;
    this.#work = work;
    this.#words = words;
    this.#ring = new RingWriter(work.memory);
  }

  /** Receives until it is told to stop. */
  run(): void {
    const { epoll } = this.#work;
    const words = this.#words;
    while (Atomics.load(words, STATE.word) === STATE.running) {
      // Nothing of the last round is in hand any more: what was taken off the list before is let go.
      acknowledge(words);
      const count = this.#libc.calls.epoll_wait(epoll, this.#events, EVENT_COUNT, LONGEST_WAIT_MS);
      if (count < 0 && this.#libc.errno() !== ERRNO.EINTR) {
        throw new Error(`epoll_wait failed with error ${this.#libc.errno()}`);
      }
      for (let index = 0; index < count; index++) {
        const at = index * EPOLL_EVENT_SIZE + EPOLL_DATA_AT;
        const socket = this.#eventView.getInt32(at, true);
        const fd = this.#eventView.getInt32(at + 4, true);
        if (fd === this.#work.wake) this.#libc.calls.read(fd, this.#scratch, 8n);
        else this.#receive(socket, fd);
      }
    }
  }

  /** Takes what a socket has, but no more than a share: others wait. */
  #receive(socket: number, fd: number): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const count = this.#messages.receive(this.#libc, fd);
      if (count <= 0) {
        if (count < 0) this.#judgeFailure(fd);
        return;
      }
      this.#failures = 0;
      this.#keep(socket, count);
      if (count < this.#messages.capacity) return;
    }
  }

  #keep(socket: number, count: number): void {
    const messages = this.#messages;
    const from = this.#from;
    from.socket = socket;
    const unixMs = readClockMs(this.#libc, CLOCK.realtime);
    const nowMs = readClockMs(this.#libc, CLOCK.monotonic) + this.#work.clockOffsetMs;
    for (let index = 0; index < count; index++) {
      messages.readControl(index);
      const agoMs = messages.timestampMs === undefined ? 0 : unixMs - messages.timestampMs;
      // The wall clock may have been set meanwhile.
      from.arrivalMs = agoMs > 0 && agoMs < MAX_AGE_MS ? nowMs - agoMs : nowMs;
      const start = messages.startOf(index);
      const length = messages.lengthOf(index);
      const size = messages.segmentSize || length;
      let offset = 0;
      do {
        const datagram = messages.octets.subarray(
          start + offset,
          start + Math.min(offset + size, length),
        );
        this.#ring.write(datagram, from, messages.words, messages.addressAt(index));
        offset += size;
      } while (offset < length); // an empty datagram is one, too
    }
    this.#ring.publish();
  }

  /** An error is told once and then gone; a socket that tells one after the other is let go. */
  #judgeFailure(fd: number): void {
    const errno = this.#libc.errno();
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return;
    if (++this.#failures < MAX_FAILURES) return;
    this.#libc.calls.epoll_ctl(this.#work.epoll, EPOLL_CTL_DEL, fd, this.#events);
    this.#failures = 0;
  }
}

const EVENT_COUNT = 64;
/** So that the thread notices the end of a program that could not say good-bye. */
const LONGEST_WAIT_MS = 1_000;
const MAX_ROUNDS = 8;
const MAX_AGE_MS = 60_000;
const MAX_FAILURES = 100;
