/**
 * The few calls of Linux's C library that this folder makes, and the structures they read.
 *
 * Floor 3 (wall). Linux with glibc or musl, 64 bits, little-endian. Needs `--allow-ffi` once {@linkcode openLibc} is
 * called, not before.
 *
 * @module
 */

/** The calls, as Deno's foreign function interface wants them described. Results are `i32`: `isize` would make BigInts. */
export const LIBC_SYMBOLS = {
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  ppoll: { parameters: ["buffer", "u32", "buffer", "pointer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** An opened C library. */
export interface Libc {
  /** Its calls; each answers -1 on failure. */
  readonly calls: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];
  /** The reason of the newest failed call on this thread, one of {@linkcode ERRNO}'s numbers or another. */
  errno(): number;
  /** Says that it is not needed any more. Harmless when repeated. */
  close(): void;
}

/** Numbers of `errno` that the code tells apart (Linux, x86-64 and ARM64). */
export const ERRNO = {
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EEXIST: 17,
  EINVAL: 22,
  EMSGSIZE: 90,
  ENOBUFS: 105,
} as const;

/** Levels and options of `setsockopt` (Linux). */
export const SOCKET_OPTION = {
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  SO_ACCEPTCONN: 30,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_TIMESTAMPNS: 35,
  SOL_UDP: 17,
  UDP_SEGMENT: 103,
  UDP_GRO: 104,
} as const;

let opened:
  | { readonly library: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>; users: number }
  | undefined;

/**
 * Opens the C library, once for each thread however many ask. Whoever got it gives it back with `close()`.
 *
 * @returns `undefined` on another system, without the permission (it never asks), or where a call is missing.
 */
export function openLibc(): Libc | undefined {
  opened ??= load();
  if (opened === undefined) return undefined;
  const holder = opened;
  const { symbols } = holder.library;
  const location = symbols.__errno_location();
  if (location === null) return undefined;
  const view = new Deno.UnsafePointerView(location);
  let isClosed = false;
  holder.users++;
  return {
    calls: symbols,
    errno: () => view.getInt32(),
    close() {
      if (isClosed) return;
      isClosed = true;
      if (--holder.users > 0) return;
      if (opened === holder) opened = undefined;
      holder.library.close();
    },
  };
}

function load(): typeof opened {
  if (Deno.build.os !== "linux" || !isLittleEndian64()) return undefined;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  for (const name of ["libc.so.6", "libc.so"]) {
    try {
      return { library: Deno.dlopen(name, LIBC_SYMBOLS), users: 0 };
    } catch {
      // Another name may do; without any the portable socket does the work.
    }
  }
  return undefined;
}

/** The address of a buffer's first octet. The buffer must stay referenced for as long as the number is used. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}

/** Where the octets of a buffer lie: they do not move. */
const addresses = new WeakMap<ArrayBufferLike, number>();

/** The address of a view's first octet, asked once for each buffer, which must stay referenced as for {@linkcode addressOf}. */
export function octetsAddress({ buffer, byteOffset }: Uint8Array): number {
  let address = addresses.get(buffer);
  if (address === undefined) {
    address = buffer.byteLength === 0 ? 0 : addressOf(new Uint8Array(buffer as ArrayBuffer));
    addresses.set(buffer, address);
  }
  return address + byteOffset;
}

function isLittleEndian64(): boolean {
  return Deno.build.arch === "x86_64" || Deno.build.arch === "aarch64";
}
