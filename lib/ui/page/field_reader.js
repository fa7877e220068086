// @ts-check
// Walks over the bits of a packet and writes down what it meets.

/** @typedef {import("./packet_fields.js").Field} Field */
/** @typedef {import("./packet_fields.js").Section} Section */

/** Reads past the end give 0 and leave no field behind. */
export class FieldReader {
  #bytes;
  #start;
  #bit;
  /** @type {Field[]} */
  #fields = [];

  /** @param {Uint8Array} bytes @param {number} start first octet */
  constructor(bytes, start) {
    this.#bytes = bytes;
    this.#start = start;
    this.#bit = start * 8;
  }

  /** The next octet. */
  get octet() {
    return this.#bit >> 3;
  }

  /** @param {number} bits whether so many are left */
  has(bits) {
    return this.#bit + bits <= this.#bytes.length * 8;
  }

  /**
   * A number of up to 32 bits.
   * @param {string} name
   * @param {string} title
   * @param {number} bits
   * @param {(value: number) => string} meaningOf
   * @param {(value: number) => string} show
   */
  field(name, title, bits, meaningOf, show = String) {
    if (!this.has(bits)) return 0;
    let value = 0;
    for (let bit = this.#bit; bit < this.#bit + bits; bit++) {
      value = value * 2 + ((this.#bytes[bit >> 3] >> (7 - (bit & 7))) & 1);
    }
    this.#fields.push({
      name,
      title,
      offset: this.#bit,
      bits,
      value: show(value),
      meaning: meaningOf(value),
    });
    this.#bit += bits;
    return value;
  }

  /** @param {string} name @param {string} title @param {readonly [string, string]} meanings of 0 and of 1 */
  flag(name, title, meanings) {
    return this.field(name, title, 1, (value) => meanings[value]) === 1;
  }

  /**
   * Octets as a whole; fewer where the packet ends.
   * @param {string} name @param {string} title @param {number} count @param {string} meaning @param {string} [value]
   */
  octets(name, title, count, meaning, value) {
    const offset = this.#bit;
    const end = Math.min(this.octet + count, this.#bytes.length);
    const octets = this.#bytes.subarray(this.octet, end);
    if (octets.length === 0) return octets;
    this.#fields.push({
      name,
      title,
      offset,
      bits: octets.length * 8,
      value: value ?? `${octets.length.toLocaleString("en")} octets`,
      meaning,
    });
    this.#bit = end * 8;
    return octets;
  }

  /** The next octet's value, which stays unread. */
  peek() {
    return this.#bytes[this.octet] ?? 0;
  }

  /** The next octets as text, which stay unread. @param {number} count */
  text(count) {
    return new TextDecoder().decode(this.#bytes.subarray(this.octet, this.octet + count));
  }

  /**
   * All fields since the beginning, or since the last section.
   * @param {string} title @param {string} rfc @param {Partial<Section>} [more]
   * @returns {Section}
   */
  section(title, rfc, more = {}) {
    const section = {
      title,
      rfc,
      start: this.#start,
      end: this.octet,
      fields: this.#fields,
      ...more,
    };
    this.#start = this.octet;
    this.#fields = [];
    return section;
  }
}

/**
 * Octets that are only counted.
 * @param {string} title @param {string} rfc @param {number} start @param {number} end @param {string} meaning
 * @returns {Section}
 */
export function payloadSection(title, rfc, start, end, meaning = "") {
  const size = Math.max(0, end - start);
  const field = {
    name: title,
    title,
    offset: start * 8,
    bits: size * 8,
    value: `${size.toLocaleString("en")} octets`,
    meaning,
  };
  return { title, rfc, start, end, fields: [field], isText: true };
}

/** @param {number} value */
export function hex32(value) {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** @param {number} value */
export function hex16(value) {
  return `0x${value.toString(16).padStart(4, "0")}`;
}
