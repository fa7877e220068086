/**
 * TCP connections that take bytes at once, by a system call of our own: no promise for each frame.
 *
 * Floor 3 (wall). Linux, through FFI. It reads, waits and closes as the portable connection it is built on; what the
 * system does not take at once is the portable connection's to write. A frame of 30 kB costs a third of the portable way.
 *
 * @module
 */

import { findStreamDescriptor } from "./descriptor_linux.ts";
import { type Libc, openLibc } from "./libc.ts";
import type { ByteStream, SocketAddress, StreamListener } from "./socket.ts";

/**
 * Makes a listener give connections that can write at once. The given one belongs to the result from then on.
 *
 * @returns `undefined` without Linux or without `--allow-ffi`.
 */
export function accelerateTcp(listener: StreamListener): StreamListener | undefined {
  const libc = openLibc();
  return libc && new LinuxStreamListener(listener, libc);
}

class LinuxStreamListener implements StreamListener {
  readonly address: SocketAddress;
  readonly #portable: StreamListener;
  readonly #libc: Libc;

  constructor(portable: StreamListener, libc: Libc) {
    this.#portable = portable;
    this.#libc = libc;
    this.address = portable.address;
  }

  async accept(): Promise<ByteStream | undefined> {
    const stream = await this.#portable.accept();
    return stream && new LinuxByteStream(stream);
  }

  close(): void {
    this.#portable.close();
    this.#libc.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class LinuxByteStream implements ByteStream {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly #portable: ByteStream;
  /** Opened with the first frame: most connections never carry one. */
  #libc: Libc | undefined;
  #fd: number | undefined;
  #isLookedFor = false;

  constructor(portable: ByteStream) {
    this.#portable = portable;
    this.localAddress = portable.localAddress;
    this.remoteAddress = portable.remoteAddress;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#portable.read(buffer);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#portable.write(bytes);
  }

  writeNow(bytes: Uint8Array): number {
    if (!this.#isLookedFor) this.#lookForDescriptor();
    if (this.#libc === undefined || this.#fd === undefined) return 0;
    const taken = this.#libc.calls.sendto(
      this.#fd,
      bytes,
      BigInt(bytes.length),
      MSG_DONTWAIT | MSG_NOSIGNAL,
      null,
      0,
    );
    // A broken connection takes nothing: the portable write that follows tells why.
    return Math.max(0, taken);
  }

  closeWrite(): Promise<void> {
    return this.#portable.closeWrite();
  }

  close(): void {
    // The descriptor's number may belong to another socket as soon as this one is closed.
    this.#fd = undefined;
    this.#isLookedFor = true;
    this.#libc?.close();
    this.#portable.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #lookForDescriptor(): void {
    this.#isLookedFor = true;
    this.#libc = openLibc();
    this.#fd = this.#libc && findStreamDescriptor(this.#libc, this);
  }
}

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
