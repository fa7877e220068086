/**
 * Blanks and quoted strings in header values.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-15.1
 * @module
 */

/** A piece of a header value and where it starts in it. */
export interface TextPiece {
  /** The piece, untrimmed. */
  readonly text: string;
  /** Characters from the start of the value. */
  readonly start: number;
}

/** A text without the blanks and tabs at its ends; other white space of Unicode is text (RFC 2326 s15.1: `LWS`). */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Splits at a one-character separator, but not between double quotes; a backslash inside quotes escapes one character. */
export function splitOutsideQuotes(value: string, separator: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    const character = value[at];
    if (isQuoted && character === "\\") {
      at++;
    } else if (character === '"') {
      isQuoted = !isQuoted;
    } else if (!isQuoted && character === separator) {
      pieces.push({ text: value.slice(start, at), start });
      start = at + 1;
    }
  }
  pieces.push({ text: value.slice(start), start });
  return pieces;
}

/** The text between the double quotes, escapes resolved; a text without them, or with only one, loses just those. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const inner = text.length > 1 && text.endsWith('"') ? text.slice(1, -1) : text.slice(1);
  return inner.replace(/\\([^])/g, "$1");
}

/** A quoted string: backslash and double quote are escaped. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t";
}
