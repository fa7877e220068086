/**
 * The messages that a thread lets `recvmmsg` fill: their parts lie in one buffer, laid out once.
 *
 * Floor 3 (wall). `struct mmsghdr`, `iovec`, addresses and the control messages of SO_TIMESTAMPNS and UDP_GRO, for 64-bit
 * little-endian Linux. The octets stay where they are, and are overwritten by the next call.
 *
 * @module
 */

import { addressOf, type Libc, SOCKET_OPTION } from "./libc.ts";
import { MAX_SOCKADDR_SIZE } from "./socket_address_linux.ts";

/** Room for messages, to be filled again and again. */
export class ReceivedMessages {
  /** Octets of all messages, one behind the other. */
  readonly octets: Uint8Array<ArrayBuffer> = new Uint8Array(MESSAGE_COUNT * MESSAGE_SIZE);
  /** The rest: headers, vectors, senders' addresses and control messages, in words. */
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(
    (CONTROLS_AT + MESSAGE_COUNT * CONTROL_ROOM) / 4,
  );
  /** How many messages a call can bring. */
  readonly capacity: number = MESSAGE_COUNT;
  readonly #bytes = new Uint8Array(this.words.buffer);
  #segmentSize = 0;
  #timestampMs: number | undefined;

  /** Lays out what never changes. */
  constructor() {
    const base = addressOf(this.#bytes);
    const data = addressOf(this.octets);
    for (let index = 0; index < MESSAGE_COUNT; index++) {
      const header = index * HEADER_SIZE / 4;
      this.#putAddress(header, base + NAMES_AT + index * NAME_ROOM);
      this.#putAddress(header + 4, base + VECTORS_AT + index * VECTOR_SIZE);
      this.words[header + 6] = 1;
      this.#putAddress(header + 8, base + CONTROLS_AT + index * CONTROL_ROOM);
      const vector = (VECTORS_AT + index * VECTOR_SIZE) / 4;
      this.#putAddress(vector, data + index * MESSAGE_SIZE);
      this.words[vector + 2] = MESSAGE_SIZE;
    }
  }

  /** Takes what a socket has, without waiting; returns how many messages, or -1 as the system does. */
  receive(libc: Libc, fd: number): number {
    for (let index = 0; index < MESSAGE_COUNT; index++) {
      const header = index * HEADER_SIZE / 4;
      this.words[header + NAME_SIZE_WORD] = MAX_SOCKADDR_SIZE;
      this.words[header + CONTROL_SIZE_WORD] = CONTROL_ROOM;
    }
    return libc.calls.recvmmsg(fd, this.#bytes, MESSAGE_COUNT, MSG_DONTWAIT, null);
  }

  /** Octets of a message. */
  lengthOf(index: number): number {
    return this.words[index * HEADER_SIZE / 4 + LENGTH_WORD];
  }

  /** Where in {@linkcode ReceivedMessages.octets} a message begins. */
  startOf(index: number): number {
    return index * MESSAGE_SIZE;
  }

  /** Where in {@linkcode ReceivedMessages.words} its sender's address begins. */
  addressAt(index: number): number {
    return (NAMES_AT + index * NAME_ROOM) / 4;
  }

  /** Reads the control messages of a message: for the two below. */
  readControl(index: number): void {
    this.#segmentSize = 0;
    this.#timestampMs = undefined;
    const { words } = this;
    const start = (CONTROLS_AT + index * CONTROL_ROOM) / 4;
    const end = start + words[index * HEADER_SIZE / 4 + CONTROL_SIZE_WORD] / 4;
    for (let word = start; word + 4 <= end;) {
      const length = words[word];
      const level = words[word + 2];
      const type = words[word + 3];
      if (level === SOCKET_OPTION.SOL_UDP && type === SOCKET_OPTION.UDP_GRO) {
        this.#segmentSize = words[word + 4];
      } else if (level === SOCKET_OPTION.SOL_SOCKET && type === SOCKET_OPTION.SO_TIMESTAMPNS) {
        const seconds = words[word + 5] * 2 ** 32 + (words[word + 4] >>> 0);
        this.#timestampMs = seconds * 1000 + (words[word + 6] >>> 0) / 1e6;
      }
      if (length < CONTROL_HEAD_SIZE) return;
      word += length + 7 >> 3 << 1;
    }
  }

  /** Octets of the datagrams that the kernel has put into this message, the last may be shorter; 0: it is one datagram. */
  get segmentSize(): number {
    return this.#segmentSize;
  }

  /** When the message came, in Unix milliseconds; `undefined` where the kernel did not tell. */
  get timestampMs(): number | undefined {
    return this.#timestampMs;
  }

  #putAddress(word: number, address: number): void {
    this.words[word] = address | 0;
    this.words[word + 1] = Math.floor(address / 2 ** 32);
  }
}

/** Messages a call: the packets of a small frame, and half of those of a large one. */
const MESSAGE_COUNT = 32;
/** The longest that the kernel puts together. */
const MESSAGE_SIZE = 65_536;
const MSG_DONTWAIT = 0x40;
// struct mmsghdr, in octets and in words of 4.
const HEADER_SIZE = 64;
const NAME_SIZE_WORD = 2;
const CONTROL_SIZE_WORD = 10;
const LENGTH_WORD = 14;
const VECTOR_SIZE = 16;
const NAME_ROOM = 32;
/** Two control messages of at most 32 octets each. */
const CONTROL_ROOM = 96;
const CONTROL_HEAD_SIZE = 16;
const VECTORS_AT = MESSAGE_COUNT * HEADER_SIZE;
const NAMES_AT = VECTORS_AT + MESSAGE_COUNT * VECTOR_SIZE;
const CONTROLS_AT = NAMES_AT + MESSAGE_COUNT * NAME_ROOM;
