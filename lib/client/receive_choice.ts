/**
 * How a client receives datagrams: by Deno's own sockets, or on Linux by a thread that does nothing else.
 *
 * Floor 4 (client assembly). It holds the thread; it knows nothing of what is received.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import {
  openReceiveThread,
  reasonAgainstReceiveThread,
  type ReceiveThread,
} from "../net/receive_thread.ts";

/** `linux` insists on the thread, `portable` avoids it, `auto` takes it where it works. */
export type ReceiveChoice = "auto" | "portable" | "linux";

/** Once in a program: it is the system's fault, whatever the film. */
let isReasonTold = false;

/**
 * Holds the receiving thread, which starts beside whatever else is done, if it is to be used.
 *
 * @param note Told once why there is none, where it was wanted.
 * @throws {TransportError} when it was insisted on and cannot work here.
 */
export function openChosenThread(
  choice: ReceiveChoice,
  note: (text: string) => void,
): ReceiveThread | undefined {
  if (choice === "portable") return undefined;
  const thread = openReceiveThread();
  if (thread !== undefined) {
    void thread.ready.then((isReady) => {
      const fault = isReady ? undefined : reasonAgainstReceiveThread();
      if (fault !== undefined) tell(note, fault);
    });
    return thread;
  }
  const reason = reasonAgainstReceiveThread() ?? "the system refuses descriptors";
  if (choice === "linux") {
    throw new TransportError(
      `Cannot receive UDP in a thread of its own: ${reason}; leave out --udp linux to do without`,
      { operation: "recvmmsg" },
    );
  }
  tell(note, reason);
  return undefined;
}

function tell(note: (text: string) => void, reason: string): void {
  if (!isReasonTold) note(`UDP is received without a thread of its own: ${reason}`);
  isReasonTold = true;
}
