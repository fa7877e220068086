/**
 * Which UDP sockets a server sends with: the portable ones, or Linux's way of a whole frame in one system call.
 *
 * Floor 4 (assembly). It tries before it trusts: a datagram in two segments must arrive on this machine.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { DatagramSocket, StreamListener } from "../net/socket.ts";
import { accelerateTcp } from "../net/tcp_linux.ts";
import { openUdp } from "../net/udp.ts";
import { openEventWait } from "../net/event_wait_linux.ts";
import { accelerateUdp, segmentsArrive } from "../net/udp_linux.ts";
import type { ShortWait } from "./pacer_timer.ts";

/** `linux` insists on the fast path, `portable` avoids it, `auto` takes it where it works. */
export type UdpChoice = "auto" | "portable" | "linux";

/** The way chosen. */
export interface UdpPath {
  /** Makes a socket send the chosen way; the given one belongs to the result. */
  readonly prepare: (socket: DatagramSocket) => DatagramSocket;
  /** Makes TCP connections take frames at once, where that works; the given listener belongs to the result. */
  readonly prepareListener?: (listener: StreamListener) => StreamListener | undefined;
  /** Waits for what is due soon without a turn of the event loop, where that works: portable sockets need the turns. */
  readonly openShortWait?: () => ShortWait | undefined;
  /** Why it is not the fast path, where that was wanted. */
  readonly reason: string | undefined;
}

/**
 * Chooses.
 *
 * @throws {TransportError} when the fast path was insisted on and does not work here.
 */
export async function chooseUdpPath(choice: UdpChoice): Promise<UdpPath> {
  if (choice === "portable") return { prepare: (socket) => socket, reason: undefined };
  const reason = await reasonAgainstLinuxPath();
  if (reason === undefined) {
    return {
      prepare: (socket) => accelerateUdp(socket) ?? socket,
      prepareListener: accelerateTcp,
      openShortWait: openEventWait,
      reason: undefined,
    };
  }
  if (choice === "linux") {
    throw new TransportError(
      `Cannot send UDP by Linux's fast path: ${reason}; leave out --udp linux to do without`,
      { operation: "sendmsg" },
    );
  }
  return { prepare: (socket) => socket, reason };
}

async function reasonAgainstLinuxPath(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return `this system is ${Deno.build.os}`;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return "it needs the permission --allow-ffi";
  }
  const portable = openUdp({ hostname: "127.0.0.1" });
  using socket = accelerateUdp(portable) ?? portable;
  if (socket === portable) return "the system's C library lacks what it needs";
  return await segmentsArrive(socket) ? undefined : "the kernel does not segment datagrams";
}
