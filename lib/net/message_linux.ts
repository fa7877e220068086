/**
 * The one message that a thread hands to `sendmsg` at a time: its parts lie in one buffer, laid out once.
 *
 * Floor 3 (wall). `struct msghdr`, `iovec`, the control message of UDP_SEGMENT and the receiver's address, for 64-bit
 * little-endian Linux. The octets stay where they are.
 *
 * @module
 */

import { addressOf, type Libc, SOCKET_OPTION } from "./libc.ts";
import { MAX_SOCKADDR_SIZE } from "./socket_address_linux.ts";

/** A message to fill in and send, again and again. */
export class LinuxMessage {
  readonly #bytes = new Uint8Array(ADDRESS_OFFSET + Math.ceil(MAX_SOCKADDR_SIZE / 8) * 8);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  /** Where the octets of a buffer lie; they do not move. */
  readonly #addresses = new WeakMap<ArrayBufferLike, number>();

  /** Lays out what never changes. */
  constructor() {
    const base = addressOf(this.#bytes);
    const words = this.#words;
    this.#putAddress(NAME_WORD, base + ADDRESS_OFFSET);
    this.#putAddress(VECTOR_WORD, base + VECTOR_OFFSET);
    words[VECTOR_COUNT_WORD] = 1;
    this.#putAddress(CONTROL_WORD, base + CONTROL_OFFSET);
    words[CONTROL_OFFSET / 4] = CONTROL_LENGTH;
    words[CONTROL_OFFSET / 4 + 2] = SOCKET_OPTION.SOL_UDP;
    words[CONTROL_OFFSET / 4 + 3] = SOCKET_OPTION.UDP_SEGMENT;
  }

  /**
   * Sends octets to a receiver (`struct sockaddr`), cut into datagrams of `segmentSize` where that is above 0.
   *
   * @returns 0, or the reason why the system refused it (`errno`).
   */
  send(libc: Libc, fd: number, bytes: Uint8Array, to: Uint8Array, segmentSize: number): number {
    const words = this.#words;
    this.#bytes.set(to, ADDRESS_OFFSET);
    words[NAME_SIZE_WORD] = to.length;
    this.#putAddress(VECTOR_OFFSET / 4, this.#addressOf(bytes));
    words[VECTOR_OFFSET / 4 + 2] = bytes.length;
    words[CONTROL_SIZE_WORD] = segmentSize === 0 ? 0 : CONTROL_SIZE;
    words[CONTROL_OFFSET / 4 + 4] = segmentSize;
    return libc.calls.sendmsg(fd, this.#bytes, 0) < 0 ? libc.errno() : 0;
  }

  #addressOf({ buffer, byteOffset }: Uint8Array): number {
    let address = this.#addresses.get(buffer);
    if (address === undefined) {
      address = buffer.byteLength === 0 ? 0 : addressOf(new Uint8Array(buffer as ArrayBuffer));
      this.#addresses.set(buffer, address);
    }
    return address + byteOffset;
  }

  #putAddress(word: number, address: number): void {
    this.#words[word] = address >>> 0;
    this.#words[word + 1] = Math.floor(address / 2 ** 32);
  }
}

// struct msghdr, in words of 4 octets.
const NAME_WORD = 0;
const NAME_SIZE_WORD = 2;
const VECTOR_WORD = 4;
const VECTOR_COUNT_WORD = 6;
const CONTROL_WORD = 8;
const CONTROL_SIZE_WORD = 10;
/** `sizeof(struct msghdr)`. */
const VECTOR_OFFSET = 56;
const CONTROL_OFFSET = VECTOR_OFFSET + 16;
/** `CMSG_LEN(sizeof(uint16_t))` and `CMSG_SPACE(sizeof(uint16_t))`. */
const CONTROL_LENGTH = 18;
const CONTROL_SIZE = 24;
const ADDRESS_OFFSET = CONTROL_OFFSET + CONTROL_SIZE;
