/**
 * The common grammar of `WWW-Authenticate` and `Authorization`: schemes with parameters.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7235#section-2.1
 * @module
 */

/** Parameters by name in lower case; of one that comes twice the first counts. */
export type AuthParameters = ReadonlyMap<string, string>;

/** One scheme of a header's value. */
export interface AuthScheme {
  /** Scheme as it came. */
  readonly scheme: string;
  /** Its parameters. */
  readonly parameters: AuthParameters;
  /** What stands behind the scheme where it is no list of parameters: Basic's Base64. */
  readonly token?: string;
}

/** Reads a header's value as far as it can be read; the rest is passed over. */
export function parseAuthSchemes(value: string): AuthScheme[] {
  const schemes: { scheme: string; parameters: Map<string, string>; token?: string }[] = [];
  const scanner = new RegExp(SCANNER);
  let current: typeof schemes[number] | undefined;
  for (let match = scanner.exec(value); match !== null; match = scanner.exec(value)) {
    const [, name, quoted, plain, scheme, token] = match;
    if (scheme !== undefined) {
      current = token === undefined
        ? { scheme, parameters: new Map() }
        : { scheme, parameters: new Map(), token };
      schemes.push(current);
    } else if (name !== undefined && current !== undefined) {
      const key = name.toLowerCase();
      const text = quoted === undefined ? plain ?? "" : quoted.replace(/\\([^])/g, "$1");
      if (!current.parameters.has(key)) current.parameters.set(key, text);
    } else if (match[0] === "") break;
  }
  return schemes;
}

/**
 * From where the last piece ended: separators, then a parameter (quoted or plain), or a scheme (with the token68 that
 * nothing but the end or a comma follows), or a run that fits nowhere and is passed over whole, so that the time stays
 * in proportion to the length.
 */
const SCANNER =
  /[\s,]*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\[^])*)"?|([^\s,"]*))|([\w!#$%&'*+.^`|~-]+)(?:\s+([A-Za-z0-9._~+/-]+=*)(?=\s*(?:,|$)))?(?=\s|,|$)|[^\s,]+|$)/gy;
