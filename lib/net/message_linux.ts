/**
 * The messages that a thread hands to `sendmsg` and `sendmmsg`: their parts lie in one buffer, laid out once.
 *
 * Floor 3 (wall). `struct msghdr` and `mmsghdr`, `iovec`, the control message of UDP_SEGMENT and the receivers' addresses,
 * for 64-bit little-endian Linux. The octets stay where they are.
 *
 * @module
 */

import { addressOf, type Libc, octetsAddress, SOCKET_OPTION } from "./libc.ts";
import { MAX_SOCKADDR_SIZE } from "./socket_address_linux.ts";

/** A message to fill in and send, again and again. */
export class LinuxMessage {
  readonly #bytes = new Uint8Array(ONE_HEADER + MESSAGE_SIZE + ADDRESS_SIZE);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  readonly #header = this.#bytes.subarray(ONE_HEADER);

  /** Lays out what never changes. */
  constructor() {
    const base = addressOf(this.#bytes);
    layControl(this.#words);
    layHeader(this.#words, { header: ONE_HEADER, address: ONE_ADDRESS, base });
  }

  /**
   * Sends octets to a receiver (`struct sockaddr`), cut into datagrams of `segmentSize` where that is above 0.
   *
   * @returns 0, or the reason why the system refused it (`errno`).
   */
  send(libc: Libc, fd: number, bytes: Uint8Array, to: Uint8Array, segmentSize: number): number {
    const words = this.#words;
    this.#bytes.set(to, ONE_ADDRESS);
    words[ONE_HEADER / 4 + NAME_SIZE_WORD] = to.length;
    words[ONE_HEADER / 4 + CONTROL_SIZE_WORD] = segmentSize === 0 ? 0 : CONTROL_SIZE;
    load(words, octetsAddress(bytes), bytes.length, segmentSize);
    return libc.calls.sendmsg(fd, this.#header, 0) < 0 ? libc.errno() : 0;
  }
}

/** The same octets to many receivers: an entry for each, which share one `iovec` and one control message. */
export class LinuxMessages {
  /** How many receivers there are. */
  readonly size: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** Where each call begins when nothing goes wrong. */
  readonly #heads: Uint8Array<ArrayBuffer>[] = [];
  /** Whether the entries name the control message now. */
  #isSegmented = false;

  /** Lays out what never changes for these receivers (`struct sockaddr`). */
  constructor(receivers: readonly Uint8Array[]) {
    this.size = receivers.length;
    const addresses = HEADERS_OFFSET + this.size * HEADER_SIZE;
    this.#bytes = new Uint8Array(addresses + this.size * ADDRESS_SIZE);
    this.#words = new Uint32Array(this.#bytes.buffer);
    const base = addressOf(this.#bytes);
    layControl(this.#words);
    receivers.forEach((receiver, index) => {
      const header = HEADERS_OFFSET + index * HEADER_SIZE;
      const address = addresses + index * ADDRESS_SIZE;
      this.#bytes.set(receiver, address);
      layHeader(this.#words, { header, address, base });
      this.#words[header / 4 + NAME_SIZE_WORD] = receiver.length;
      if (index % MAX_MESSAGES === 0) this.#heads.push(this.#from(index));
    });
  }

  /** Loads the octets to be sent, cut into datagrams of `segmentSize` where that is above 0. */
  load(bytes: Uint8Array, start: number, end: number, segmentSize: number): void {
    load(this.#words, octetsAddress(bytes) + start, end - start, segmentSize);
    const isSegmented = segmentSize > 0;
    if (isSegmented === this.#isSegmented) return;
    this.#isSegmented = isSegmented;
    const controlSize = isSegmented ? CONTROL_SIZE : 0;
    for (let index = 0; index < this.size; index++) {
      this.#words[(HEADERS_OFFSET + index * HEADER_SIZE) / 4 + CONTROL_SIZE_WORD] = controlSize;
    }
  }

  /**
   * Sends what was loaded to the receivers from `first` on, to 64 at most.
   *
   * @returns to how many; 0 where the system refused the first of them.
   */
  send(libc: Libc, fd: number, first: number): number {
    const place = first % MAX_MESSAGES;
    const count = Math.min(MAX_MESSAGES - place, this.size - first);
    const headers = place === 0 ? this.#heads[first / MAX_MESSAGES] : this.#from(first);
    return Math.max(0, libc.calls.sendmmsg(fd, headers, count, 0));
  }

  #from(index: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(HEADERS_OFFSET + index * HEADER_SIZE);
  }
}

/** The control message, behind the `iovec` at the beginning of the buffer. */
function layControl(words: Uint32Array): void {
  words[CONTROL_OFFSET / 4] = CONTROL_LENGTH;
  words[CONTROL_OFFSET / 4 + 2] = SOCKET_OPTION.SOL_UDP;
  words[CONTROL_OFFSET / 4 + 3] = SOCKET_OPTION.UDP_SEGMENT;
}

/** A `struct msghdr` that names the `iovec`, the control message and a receiver's address in the same buffer. */
function layHeader(
  words: Uint32Array,
  { header, address, base }: {
    readonly header: number;
    readonly address: number;
    readonly base: number;
  },
): void {
  const word = header / 4;
  putAddress(words, word + NAME_WORD, base + address);
  putAddress(words, word + VECTOR_WORD, base + VECTOR_OFFSET);
  words[word + VECTOR_COUNT_WORD] = 1;
  putAddress(words, word + CONTROL_WORD, base + CONTROL_OFFSET);
}

function load(words: Uint32Array, address: number, size: number, segmentSize: number): void {
  putAddress(words, VECTOR_OFFSET / 4, address);
  words[VECTOR_OFFSET / 4 + 2] = size;
  words[CONTROL_OFFSET / 4 + 4] = segmentSize;
}

function putAddress(words: Uint32Array, word: number, address: number): void {
  words[word] = address >>> 0;
  words[word + 1] = Math.floor(address / 2 ** 32);
}

/** `struct iovec`. */
const VECTOR_OFFSET = 0;
const CONTROL_OFFSET = 16;
/** `CMSG_LEN(sizeof(uint16_t))` and `CMSG_SPACE(sizeof(uint16_t))`. */
const CONTROL_LENGTH = 18;
const CONTROL_SIZE = 24;
// struct msghdr, in words of 4 octets.
const NAME_WORD = 0;
const NAME_SIZE_WORD = 2;
const VECTOR_WORD = 4;
const VECTOR_COUNT_WORD = 6;
const CONTROL_WORD = 8;
const CONTROL_SIZE_WORD = 10;
/** `sizeof(struct msghdr)`, and of `struct mmsghdr`: the same and the number of octets sent. */
const MESSAGE_SIZE = 56;
const HEADER_SIZE = 64;
const HEADERS_OFFSET = CONTROL_OFFSET + CONTROL_SIZE;
const ADDRESS_SIZE = Math.ceil(MAX_SOCKADDR_SIZE / 8) * 8;
const ONE_HEADER = HEADERS_OFFSET;
const ONE_ADDRESS = ONE_HEADER + MESSAGE_SIZE;
/** Receivers of one call: a longer one would hold up everything else on this thread. */
const MAX_MESSAGES = 64;
