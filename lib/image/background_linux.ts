/**
 * Puts a thread behind the others: pictures take whole processors, and shall not take them from the threads that receive.
 *
 * Floor 3 (wall). Linux, through FFI; elsewhere, and without the permission, threads stay equal.
 *
 * @module
 */

/** Lets the calling thread have a processor only when others leave one; tells whether that worked. */
export function stepBehind(): boolean {
  if (Deno.build.os !== "linux") return false;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return false;
  for (const name of ["libc.so.6", "libc.so"]) {
    try {
      const libc = Deno.dlopen(name, {
        setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
      });
      // To Linux a thread is a process of its own, and 0 the one that calls.
      const result = libc.symbols.setpriority(PRIO_PROCESS, 0, NICENESS);
      libc.close();
      return result === 0;
    } catch {
      // Another name may do; without any the thread stays as it is.
    }
  }
  return false;
}

const PRIO_PROCESS = 0;
/** A tenth of what others get when all want a processor. */
const NICENESS = 10;
