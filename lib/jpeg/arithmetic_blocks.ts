/**
 * Reads blocks coded arithmetically, sequential and progressive (ITU-T T.81 Annex D, F.2.4, G.1.3).
 *
 * Floor 1. It knows one block at a time: `coefficients.ts` knows where it belongs. Nothing here writes arithmetic codes.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { type BlockDecoder, overrun, type ScanBand, type ScanPart } from "./block_decoder.ts";
import { stuffedEnd } from "./stuffing.ts";

/** Reads blocks by what was seen before: probabilities are learned anew in each restart interval. */
export class ArithmeticBlocks implements BlockDecoder {
  readonly #decoder = new BinaryDecoder();
  /** One octet a decision: an index into the table of probabilities, and the more probable symbol in bit 7. */
  readonly #dcStates = Array.from({ length: 4 }, () => new Uint8Array(DC_STATES));
  readonly #acStates = Array.from({ length: 4 }, () => new Uint8Array(AC_STATES));
  readonly #fixedState = new Uint8Array(1);
  /** Bounds of small DC differences, and the last low coefficient, by table (T.81 B.2.4.3). */
  readonly #dcLower = [0, 0, 0, 0];
  readonly #dcUpper = [1, 1, 1, 1];
  readonly #acLow = [5, 5, 5, 5];
  #parts: readonly ScanPart[] = [];
  #band: ScanBand = {
    spectralStart: 0,
    spectralEnd: 63,
    approximationHigh: 0,
    approximationLow: 0,
  };
  #isProgressive = false;

  /** Takes one entry of a DAC segment: conditioning of a table. */
  condition(slot: number, isDc: boolean, value: number): void {
    if (!isDc) this.#acLow[slot] = value;
    else {
      this.#dcLower[slot] = value & 15;
      this.#dcUpper[slot] = value >> 4;
    }
  }

  /** See {@linkcode BlockDecoder.begin}. */
  begin(parts: readonly ScanPart[], band: ScanBand, isProgressive: boolean): void {
    this.#parts = parts;
    this.#band = band;
    this.#isProgressive = isProgressive;
  }

  /** See {@linkcode BlockDecoder.load}. */
  load(jpeg: Uint8Array, start: number): number {
    for (const states of [...this.#dcStates, ...this.#acStates]) states.fill(0);
    for (const part of this.#parts) part.dcContext = 0;
    return this.#decoder.load(jpeg, start);
  }

  /** See {@linkcode BlockDecoder.read}. */
  read(part: ScanPart, at: number): void {
    this.#decoder.checkEnd();
    const { spectralStart, spectralEnd, approximationHigh, approximationLow } = this.#band;
    if (!this.#isProgressive) {
      part.values[at] = this.#readDc(part);
      this.#readAc(part, at, { first: 1, last: 63, shift: 0 });
    } else if (spectralStart > 0) {
      const band = { first: spectralStart, last: spectralEnd, shift: approximationLow };
      if (approximationHigh === 0) this.#readAc(part, at, band);
      else this.#refineAc(part, at, band);
    } else if (approximationHigh === 0) part.values[at] = this.#readDc(part) << approximationLow;
    else if (this.#decideEvenly() === 1) part.values[at] |= 1 << approximationLow;
  }

  /** T.81 F.1.4.1, F.2.4.1. */
  #readDc(part: ScanPart): number {
    const decoder = this.#decoder, table = part.dcTable, states = this.#dcStates[table];
    const context = part.dcContext;
    if (decoder.decide(states, context) === 0) {
      part.dcContext = 0;
      return part.prediction;
    }
    const sign = decoder.decide(states, context + 1);
    let magnitude = decoder.decide(states, context + 2 + sign);
    let state = context + 2 + sign;
    if (magnitude !== 0) {
      state = FIRST_DC_MAGNITUDE;
      while (decoder.decide(states, state) === 1) {
        if ((magnitude <<= 1) === 0x8000) throw overrun(magnitude);
        state++;
      }
    }
    if (magnitude < (1 << this.#dcLower[table]) >> 1) part.dcContext = 0;
    else part.dcContext = (magnitude > (1 << this.#dcUpper[table]) >> 1 ? 12 : 4) + sign * 4;
    const value = this.#readMagnitude(states, state + 14, magnitude);
    return part.prediction = (part.prediction + (sign === 1 ? -value : value)) << 16 >> 16;
  }

  /** T.81 F.1.4.2, F.2.4.2; G.1.3.2. */
  #readAc(part: ScanPart, at: number, { first, last, shift }: Band): void {
    const decoder = this.#decoder, states = this.#acStates[part.acTable];
    for (let k = first; k <= last; k++) {
      let state = 3 * (k - 1);
      if (decoder.decide(states, state) === 1) return;
      while (decoder.decide(states, state + 1) === 0) {
        state += 3;
        if (++k > last) throw overrun(k);
      }
      const sign = this.#decideEvenly();
      state += 2;
      let magnitude = decoder.decide(states, state);
      if (magnitude !== 0 && decoder.decide(states, state) === 1) {
        magnitude <<= 1;
        state = k <= this.#acLow[part.acTable] ? FIRST_LOW_MAGNITUDE : FIRST_HIGH_MAGNITUDE;
        while (decoder.decide(states, state) === 1) {
          if ((magnitude <<= 1) === 0x8000) throw overrun(magnitude);
          state++;
        }
      }
      const value = this.#readMagnitude(states, state + 14, magnitude);
      part.values[at + k] = (sign === 1 ? -value : value) << shift;
    }
  }

  /** T.81 G.1.3.3. */
  #refineAc(part: ScanPart, at: number, { first, last, shift }: Band): void {
    const decoder = this.#decoder, states = this.#acStates[part.acTable];
    const { values } = part, step = 1 << shift;
    let known = last;
    while (known > 0 && values[at + known] === 0) known--;
    for (let k = first; k <= last; k++) {
      let state = 3 * (k - 1);
      if (k > known && decoder.decide(states, state) === 1) return;
      for (;;) {
        const value = values[at + k];
        if (value !== 0) {
          if (decoder.decide(states, state + 2) === 1) values[at + k] += value < 0 ? -step : step;
          break;
        }
        if (decoder.decide(states, state + 1) === 1) {
          values[at + k] = this.#decideEvenly() === 1 ? -step : step;
          break;
        }
        state += 3;
        if (++k > last) throw overrun(k);
      }
    }
  }

  /** The bits below the highest one of a magnitude less one (T.81 Figure F.24). */
  #readMagnitude(states: Uint8Array, state: number, highest: number): number {
    let value = highest;
    for (let bit = highest >> 1; bit > 0; bit >>= 1) {
      if (this.#decoder.decide(states, state) === 1) value |= bit;
    }
    return value + 1;
  }

  #decideEvenly(): 0 | 1 {
    this.#fixedState[0] = EVEN;
    return this.#decoder.decide(this.#fixedState, 0);
  }
}

interface Band {
  readonly first: number;
  readonly last: number;
  readonly shift: number;
}

/** T.81 D.2: one binary decision after the other. */
class BinaryDecoder {
  #data: Uint8Array = new Uint8Array(0);
  #position = 0;
  #end = 0;
  #code = 0;
  #interval = 0;
  #shiftCount = 0;
  #octetsBehindEnd = 0;

  /** Starts at `start`; answers where the next marker stands. */
  load(data: Uint8Array, start: number): number {
    this.#data = data;
    this.#position = start;
    this.#end = stuffedEnd(data, start);
    this.#code = this.#interval = this.#octetsBehindEnd = 0;
    this.#shiftCount = -16;
    return this.#end;
  }

  /** Encoders leave out zeros at the end, so reading behind it is right, but not for ever. */
  checkEnd(): void {
    if (this.#octetsBehindEnd <= TOLERATED_ZEROS) return;
    throw new JpegFormatError(
      `Cannot read scan: its data end ${this.#octetsBehindEnd} octets before its blocks do`,
      { code: "scan-truncated", offset: this.#end, rfc: "T.81 D.2.6" },
    );
  }

  /** Decodes a decision and learns from it. */
  decide(states: Uint8Array, index: number): 0 | 1 {
    while (this.#interval < 0x8000) this.#shiftIn();
    const state = states[index], entry = PROBABILITIES[state & 0x7f];
    const estimate = entry >>> 16;
    let symbol = state >> 7;
    const rest = this.#interval - estimate;
    const bound = rest * 2 ** this.#shiftCount;
    this.#interval = rest;
    // Bits 8 to 15: the state after the more probable symbol; 0 to 7: after the other, which may change places with it.
    if (this.#code >= bound) {
      this.#code -= bound;
      this.#interval = estimate;
      if (rest < estimate) states[index] = (state & 0x80) ^ (entry >> 8 & 0xff);
      else {
        states[index] = (state & 0x80) ^ (entry & 0xff);
        symbol ^= 1;
      }
    } else if (rest < 0x8000) {
      if (rest < estimate) {
        states[index] = (state & 0x80) ^ (entry & 0xff);
        symbol ^= 1;
      } else states[index] = (state & 0x80) ^ (entry >> 8 & 0xff);
    }
    return symbol as 0 | 1;
  }

  #shiftIn(): void {
    if (--this.#shiftCount < 0) {
      this.#code = this.#code * 256 + this.#octet();
      this.#shiftCount += 8;
      if (this.#shiftCount < 0 && ++this.#shiftCount === 0) this.#interval = 0x8000;
    }
    this.#interval *= 2;
  }

  #octet(): number {
    if (this.#position >= this.#end) {
      this.#octetsBehindEnd++;
      return 0;
    }
    const octet = this.#data[this.#position++];
    if (octet === 0xff) {
      while (this.#data[this.#position] === 0xff) this.#position++;
      this.#position++;
    }
    return octet;
  }
}

/** Decisions for DC differences: five contexts of four, then magnitudes. */
const DC_STATES = 64;
const AC_STATES = 256;
const FIRST_DC_MAGNITUDE = 20;
const FIRST_LOW_MAGNITUDE = 189;
const FIRST_HIGH_MAGNITUDE = 217;
const TOLERATED_ZEROS = 4096;
/** The entry of one half that never changes, behind those of Table D.3. */
const EVEN = 113;

/**
 * T.81 Table D.3: for each state the probability of the less probable symbol, the next state after it (plus 128 where the
 * symbols change places), and the next state after the other.
 */
const TABLE_D3 =
  "5a1d:129:1 2586:14:2 1114:16:3 080b:18:4 03d8:20:5 01da:23:6 00e5:25:7 006f:28:8 0036:30:9 001a:33:10 " +
  "000d:35:11 0006:9:12 0003:10:13 0001:12:13 5a7f:143:15 3f25:36:16 2cf2:38:17 207c:39:18 17b9:40:19 " +
  "1182:42:20 0cef:43:21 09a1:45:22 072f:46:23 055c:48:24 0406:49:25 0303:51:26 0240:52:27 01b1:54:28 " +
  "0144:56:29 00f5:57:30 00b7:59:31 008a:60:32 0068:62:33 004e:63:34 003b:32:35 002c:33:9 5ae1:165:37 " +
  "484c:64:38 3a0d:65:39 2ef1:67:40 261f:68:41 1f33:69:42 19a8:70:43 1518:72:44 1177:73:45 0e74:74:46 " +
  "0bfb:75:47 09f8:77:48 0861:78:49 0706:79:50 05cd:48:51 04de:50:52 040f:50:53 0363:51:54 02d4:52:55 " +
  "025c:53:56 01f8:54:57 01a4:55:58 0160:56:59 0125:57:60 00f6:58:61 00cb:59:62 00ab:61:63 008f:61:32 " +
  "5b12:193:65 4d04:80:66 412c:81:67 37d8:82:68 2fe8:83:69 293c:84:70 2379:86:71 1edf:87:72 1aa9:87:73 " +
  "174e:72:74 1424:72:75 119c:74:76 0f6b:74:77 0d51:75:78 0bb6:77:79 0a40:77:48 5832:208:81 4d1c:88:82 " +
  "438e:89:83 3bdd:90:84 34ee:91:85 2eae:92:86 299a:93:87 2516:86:71 5570:216:89 4ca9:95:90 44d9:96:91 " +
  "3e22:97:92 3824:99:93 32b4:99:94 2e17:93:86 56a8:223:96 4f46:101:97 47e5:102:98 41cf:103:99 " +
  "3c3d:104:100 375e:99:93 5231:105:102 4c0f:106:103 4639:107:104 415e:103:99 5627:233:106 50e7:108:107 " +
  "4b85:109:103 5597:110:109 504f:111:107 5a10:238:111 5522:112:109 59eb:240:111 5a1d:113:113";

const PROBABILITIES = Int32Array.from(TABLE_D3.split(" "), (entry) => {
  const [estimate, afterLess, afterMore] = entry.split(":");
  return parseInt(estimate, 16) << 16 | Number(afterMore) << 8 | Number(afterLess);
});
