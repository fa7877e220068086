/**
 * Why the system refused a socket, in words for the user.
 *
 * Floor 3: words only.
 *
 * @module
 */

/** The reason, in lower case and without the "(os error 98)" that says nothing to a reader. */
export function refusalReason(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "it is in use by another program";
  if (error instanceof Deno.errors.AddrNotAvailable) return "it is no address of this machine";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied, choose a port above 1023";
  }
  if (error instanceof Deno.errors.ConnectionRefused) {
    return "nobody listens there, start the server or check the port";
  }
  if (error instanceof Deno.errors.ConnectionReset) return "the peer broke the connection";
  if (error instanceof Deno.errors.BrokenPipe) return "the peer has closed the connection";
  if (!(error instanceof Error)) return String(error);
  if (NAME_UNKNOWN.test(error.message)) return "there is no host of that name";
  return error.message.replace(/ \(os error \d+\)$/, "").toLowerCase();
}

/** The system's short name of the error, as in `EADDRINUSE`. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** What the resolvers of glibc, musl and macOS say. */
const NAME_UNKNOWN =
  /failed to lookup address information|name (?:does not resolve|or service not known)/i;
