// @ts-check
// Numbers, amounts and times as text, always of the same width where they change.

export const integer = new Intl.NumberFormat("en");
export const oneDecimal = new Intl.NumberFormat("en", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
export const twoDecimals = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/** @param {number} bitsPerSecond */
export function formatRate(bitsPerSecond) {
  return bitsPerSecond >= 1e6
    ? `${twoDecimals.format(bitsPerSecond / 1e6)} Mbit/s`
    : `${integer.format(Math.round(bitsPerSecond / 1e3))} kbit/s`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  return bytes >= 1e9
    ? `${twoDecimals.format(bytes / 1e9)} GB`
    : bytes >= 1e6
    ? `${oneDecimal.format(bytes / 1e6)} MB`
    : `${integer.format(Math.round(bytes / 1e3))} kB`;
}

/** Hours only where there are some. @param {number} seconds */
export function formatDuration(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  if (whole >= 3600) parts.unshift(Math.floor(whole / 3600));
  return parts.map((part, i) => i === 0 ? String(part) : String(part).padStart(2, "0")).join(":");
}

/** @param {number} milliseconds */
export function formatMs(milliseconds) {
  return `${
    milliseconds < 100 ? oneDecimal.format(milliseconds) : integer.format(Math.round(milliseconds))
  } ms`;
}

/** The time of day with thousandths. @param {number} unixMs */
export function formatTime(unixMs) {
  const date = new Date(unixMs);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const thousandths = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${
    two(date.getSeconds())
  }.${thousandths}`;
}

/** A count with its noun. @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${integer.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
