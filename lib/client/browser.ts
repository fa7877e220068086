/**
 * Starts the browser of the system.
 *
 * Floor 4 (client assembly). Needs the permission to run `xdg-open` or `open`.
 *
 * @module
 */

import { TransportError } from "../errors.ts";

/**
 * Opens an address in the browser that the system prefers.
 *
 * @throws {TransportError} where that cannot be done; the message names the address.
 */
export async function openBrowser(address: string): Promise<void> {
  const opener = Deno.build.os === "darwin" ? "open" : "xdg-open";
  try {
    const { success } = await new Deno.Command(opener, {
      args: [address],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    if (success) return;
  } catch {
    // Said below.
  }
  throw new TransportError(`Cannot start a browser: open ${address} yourself`, {
    operation: opener,
  });
}
