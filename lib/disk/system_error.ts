/**
 * What the operating system says about a file, as an error of ours.
 *
 * Floor 3: shapes errors only.
 *
 * @module
 */
import { TransportError } from "../errors.ts";

/** Whether an error comes from the system and says why. */
export function isSystemError(error: unknown): error is Error & { code?: string } {
  return error instanceof Error && ("code" in error || error.name in ERRNO_OF);
}

/** Deno's error classes that carry no code of the system. */
const ERRNO_OF: Record<string, string> = {
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  NotCapable: "EACCES",
  IsADirectory: "EISDIR",
  NotADirectory: "ENOTDIR",
};

/** The system's refusal as a {@linkcode TransportError} that names the operation and the file; other errors as they are. */
export function systemError(error: unknown, operation: string, name: string): unknown {
  if (!isSystemError(error)) return error;
  const errno = error.code ?? ERRNO_OF[error.name];
  const reason = operation === "create" && errno === "ENOENT"
    ? "there is no such folder"
    : reasonOf(error);
  return new TransportError(`Cannot ${operation} "${name}": ${reason}`, {
    ...{ operation, errno, cause: error },
  });
}

/** The last part of a path: what an error may tell strangers. */
export function nameOf(path: string | URL): string {
  const text = typeof path === "string" ? path : decodeURIComponent(path.pathname);
  return text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1);
}

/** The system's words without its number and without the whole path, which is nobody else's business. */
function reasonOf(error: Error): string {
  return error.message.replace(/: \w+ '[^]*'$/, "").replace(/ \(os error \d+\)/, "");
}
