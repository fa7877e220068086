/**
 * Basic and Digest authentication, for both sides.
 *
 * Floor 1. Hash functions, random text and the time are handed in. It keeps no users: a server asks with a function.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7616 (Digest), RFC 2617 and RFC 2069 (what most RTSP peers speak)
 * @see https://www.rfc-editor.org/rfc/rfc7617 (Basic)
 * @module
 */
export { NonceBook, type NonceBookOptions, type NonceState } from "./auth/nonce_book.ts";
export {
  answerChallenge,
  type AnswerChallengeOptions,
  type Challenge,
  chooseChallenge,
  parseChallenges,
} from "./auth/challenge.ts";
export {
  type Authorization,
  type BasicAuthorization,
  type DigestAuthorization,
  equalInConstantTime,
  formatChallenges,
  type FormatChallengesOptions,
  parseAuthorization,
  verifyAuthorization,
  type VerifyAuthorizationOptions,
  type VerifyResult,
} from "./auth/authorization.ts";
export type { Hash, HashAlgorithm } from "./auth/digest.ts";
