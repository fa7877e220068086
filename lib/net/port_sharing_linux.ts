/**
 * Lets further listeners of this user take the port of a TCP listener that has had it for itself.
 *
 * Floor 3 (wall). Linux, through FFI. Whoever binds a port for sharing from the start shares it with any program of the
 * same user that does so too, and is not told; a listener that was alone first knows that nobody else had the port, and
 * there is no moment in which nobody listens.
 *
 * @module
 */

import { findListenerDescriptor } from "./descriptor_linux.ts";
import { openLibc, SOCKET_OPTION } from "./libc.ts";
import type { StreamListener } from "./socket.ts";

/**
 * Shares the port of a listener, from then on, with listeners that are opened as shared; the system spreads new
 * connections over all of them.
 *
 * @returns whether it worked: not without Linux, nor without `--allow-ffi`.
 */
export function sharePort(listener: Pick<StreamListener, "address">): boolean {
  const libc = openLibc();
  if (libc === undefined) return false;
  try {
    const fd = findListenerDescriptor(libc, listener.address);
    if (fd === undefined) return false;
    const { SOL_SOCKET, SO_REUSEPORT } = SOCKET_OPTION;
    const yes = new Uint8Array(new Int32Array([1]).buffer);
    return libc.calls.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, yes, yes.length) === 0;
  } finally {
    libc.close();
  }
}
