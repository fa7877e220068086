/**
 * Picks the JPEG stream of a session description, and the URLs it is asked for under.
 *
 * RFC 2326 App. C, RFC 8866. Floor 4 (client assembly), pure. It understands JPEG alone; anything else on offer is only
 * named in the error.
 *
 * @module
 */

import { SdpFormatError } from "../errors.ts";
import { headerValue, type RtspResponse } from "../rtsp.ts";
import { parseRange } from "../rtsp_headers.ts";
import { baseUrlOf, controlUrl } from "../rtsp_url.ts";
import {
  attributeValue,
  describeEncodings,
  dimensionsOf,
  findMedia,
  parseSdp,
  type SessionDescription,
} from "../sdp.ts";
import type { MediaFormat } from "./media_receiver.ts";

/** The stream that will be set up. */
export interface ChosenStream {
  /** How it is packed. */
  readonly format: MediaFormat;
  /** URL for PLAY, PAUSE, TEARDOWN and keepalives. */
  readonly aggregateUrl: string;
  /** URLs for SETUP in the order to be tried: servers disagree on how they are joined. */
  readonly setupUrls: readonly string[];
  /** End of the film in seconds from its beginning, where it has one. */
  readonly endSeconds?: number;
  /** Whether the film is live: it has no beginning to ask for. */
  readonly isLive: boolean;
}

/**
 * Reads the answer to a DESCRIBE of `requestUrl` and picks the first JPEG stream.
 *
 * @throws {SdpFormatError} for a text that is no description, or one without JPEG (`code` `"no-jpeg"`; the message
 * names what is offered).
 */
export function chooseStream(response: RtspResponse, requestUrl: string): ChosenStream {
  const sdp = parseSdp(new TextDecoder().decode(response.body));
  const found = findMedia(sdp, "JPEG");
  if (!found) throw nothingToPlay(sdp, requestUrl);
  const aggregateUrl = baseUrlOf({
    requestUrl,
    sessionControl: attributeValue(sdp.attributes, "control"),
    contentBase: headerValue(response.headers, "Content-Base"),
    contentLocation: headerValue(response.headers, "Content-Location"),
  });
  const control = attributeValue(found.media.attributes, "control");
  const setupUrls = new Set([
    controlUrl(aggregateUrl, control, "append"),
    controlUrl(aggregateUrl, control, "rfc3986"),
  ]);
  const size = dimensionsOf(found.media);
  return {
    format: {
      kind: "jpeg",
      payloadType: found.payloadType,
      clockRateHz: found.clockRateHz,
      width: size?.width,
      height: size?.height,
    },
    aggregateUrl,
    setupUrls: [...setupUrls],
    ...rangeOf(sdp, attributeValue(found.media.attributes, "range")),
  };
}

function rangeOf(sdp: SessionDescription, ofMedia: string | undefined) {
  const text = ofMedia ?? attributeValue(sdp.attributes, "range");
  if (text === undefined) return { isLive: false };
  try {
    const range = parseRange(text);
    if (range.unit !== "npt") return { isLive: range.unit === "clock" };
    return { endSeconds: range.end, isLive: range.start === "now" };
  } catch {
    return { isLive: false }; // a range that cannot be read is no reason not to play
  }
}

function nothingToPlay(sdp: SessionDescription, url: string): SdpFormatError {
  const offered = describeEncodings(sdp).join(", ") || "nothing";
  return new SdpFormatError(
    `Cannot play "${url}": no JPEG stream, the server offers ${offered}; choose a Motion-JPEG stream`,
    { code: "no-jpeg", offset: 0, rfc: "RFC 2435" },
  );
}
