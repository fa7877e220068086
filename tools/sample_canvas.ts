/**
 * A small drawing surface for the sample film: smooth-edged shapes and a stroke font, nothing but arithmetic, so that
 * the film is the same on every machine.
 *
 * @module
 */

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];
/** Pixels from the left, pixels from the top. */
export type Point = readonly [x: number, y: number];

/** The colour `ratio` of the way from `a` to `b`. */
export function mix(a: Colour, b: Colour, ratio: number): Colour {
  const r = clamp(ratio);
  return [a[0] + (b[0] - a[0]) * r, a[1] + (b[1] - a[1]) * r, a[2] + (b[2] - a[2]) * r];
}

/** `value` within 0 and 1. */
export function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** A picture under construction. */
export class Canvas {
  /** Three samples a pixel, 0 to 255, not yet rounded. */
  readonly samples: Float32Array;

  /** A black picture of so many pixels; all other measures are in units of `scale` pixels. */
  constructor(readonly width: number, readonly height: number, readonly scale = 1) {
    this.samples = new Float32Array(width * height * 3);
  }

  /** Lays `colour` over one pixel, `alpha` 0 to 1. */
  blend(x: number, y: number, colour: Colour, alpha: number): void {
    if (alpha <= 0 || x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y * this.width + x) * 3;
    for (let c = 0; c < 3; c++) this.samples[at + c] += (colour[c] - this.samples[at + c]) * alpha;
  }

  /** Fills every pixel whose distance to a shape is below 0, with an edge one pixel wide. */
  fill(
    box: readonly [left: number, top: number, right: number, bottom: number],
    paint: { readonly colour: Colour; readonly alpha?: number; readonly soft?: number },
    distance: (x: number, y: number) => number,
  ): void {
    const { scale } = this, soft = (paint.soft ?? 1) * Math.max(1, 1 / scale);
    const [left, top, right, bottom] = box;
    const lastY = Math.min(this.height - 1, Math.ceil((bottom + soft) * scale));
    const lastX = Math.min(this.width - 1, Math.ceil((right + soft) * scale));
    for (let y = Math.max(0, Math.floor((top - soft) * scale)); y <= lastY; y++) {
      for (let x = Math.max(0, Math.floor((left - soft) * scale)); x <= lastX; x++) {
        const inside = clamp(0.5 - distance((x + 0.5) / scale, (y + 0.5) / scale) / soft);
        if (inside > 0) this.blend(x, y, paint.colour, inside * (paint.alpha ?? 1));
      }
    }
  }

  /** A filled circle; `soft` is the width of its edge in pixels. */
  circle([cx, cy]: Point, radius: number, colour: Colour, alpha = 1, soft = 1): void {
    this.fill(
      [cx - radius, cy - radius, cx + radius, cy + radius],
      { colour, alpha, soft },
      (x, y) => Math.hypot(x - cx, y - cy) - radius,
    );
  }

  /** A circle's outline. */
  ring([cx, cy]: Point, radius: number, width: number, colour: Colour, alpha = 1): void {
    const outer = radius + width / 2;
    this.fill(
      [cx - outer, cy - outer, cx + outer, cy + outer],
      { colour, alpha },
      (x, y) => Math.abs(Math.hypot(x - cx, y - cy) - radius) - width / 2,
    );
  }

  /** A straight stroke with round ends. */
  line([x0, y0]: Point, [x1, y1]: Point, width: number, colour: Colour, alpha = 1): void {
    const r = width / 2;
    this.fill(
      [Math.min(x0, x1) - r, Math.min(y0, y1) - r, Math.max(x0, x1) + r, Math.max(y0, y1) + r],
      { colour, alpha },
      (x, y) => distanceToSegment(x, y, [x0, y0, x1, y1]) - r,
    );
  }

  /** A rectangle with rounded corners. */
  rectangle(
    [left, top]: Point,
    [width, height]: Point,
    colour: Colour,
    radius = 0,
    alpha = 1,
  ): void {
    const cx = left + width / 2, cy = top + height / 2;
    this.fill([left, top, left + width, top + height], { colour, alpha }, (x, y) => {
      const dx = Math.abs(x - cx) - width / 2 + radius, dy = Math.abs(y - cy) - height / 2 + radius;
      return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
    });
  }

  /** A convex polygon, its corners in clockwise order as seen on the screen. */
  polygon(corners: readonly Point[], colour: Colour, alpha = 1): void {
    const xs = corners.map((p) => p[0]), ys = corners.map((p) => p[1]);
    const edges = corners.map(([x, y], i) => {
      const [nx, ny] = corners[(i + 1) % corners.length];
      const length = Math.hypot(nx - x, ny - y) || 1;
      return [x, y, (ny - y) / length, -(nx - x) / length] as const;
    });
    this.fill(
      [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
      { colour, alpha },
      (px, py) => {
        let far = -Infinity;
        for (const [x, y, nx, ny] of edges) far = Math.max(far, (px - x) * nx + (py - y) * ny);
        return far;
      },
    );
  }

  /** Everything from the line `edge(x)` down to `bottom`, in a colour that may change with the depth below the edge. */
  land(edge: (x: number) => number, bottom: number, colour: (x: number, depth: number) => Colour) {
    for (let x = 0; x < this.width; x++) {
      const u = (x + 0.5) / this.scale, top = edge(u);
      for (let y = Math.max(0, Math.floor(top * this.scale)); y < bottom * this.scale; y++) {
        const alpha = clamp(y + 1 - top * this.scale);
        this.blend(x, y, colour(u, Math.max(0, (y + 0.5) / this.scale - top)), alpha);
      }
    }
  }

  /** Text in the stroke font; `size` is the height of a digit in pixels. Returns the x where the text ends. */
  text([left, top]: Point, text: string, style: TextStyle): number {
    const scale = style.size / 7;
    let x = left;
    for (const letter of text) {
      const glyph = GLYPHS[letter];
      for (const stroke of glyph?.strokes ?? []) {
        this.#stroke(stroke.map(([px, py]) => [x + px * scale, top + py * scale] as const), style);
      }
      x += ((glyph?.width ?? 2) + 1.7) * scale;
    }
    return x - 1.7 * scale;
  }

  #stroke(points: readonly Point[], style: TextStyle): void {
    const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]), r = style.weight / 2;
    const segments = points.slice(1).map(([x, y], i) => [...points[i], x, y] as const);
    if (segments.length === 0) segments.push([...points[0], ...points[0]] as const);
    this.fill(
      [Math.min(...xs) - r, Math.min(...ys) - r, Math.max(...xs) + r, Math.max(...ys) + r],
      { colour: style.colour, alpha: style.alpha, soft: style.soft },
      (x, y) => Math.min(...segments.map((s) => distanceToSegment(x, y, s))) - r,
    );
  }

  /** Eight-bit RGB, three octets a pixel. */
  toBytes(): Uint8Array {
    return new Uint8Array(Uint8ClampedArray.from(this.samples, (v) => Math.round(v)).buffer);
  }
}

/** How text is drawn. */
export interface TextStyle {
  /** Height of a digit in pixels. */
  readonly size: number;
  /** Width of the stroke in pixels. */
  readonly weight: number;
  /** Colour of the stroke. */
  readonly colour: Colour;
  /** 0 to 1. */
  readonly alpha?: number;
  /** Width of the edge in pixels. */
  readonly soft?: number;
}

function distanceToSegment(
  x: number,
  y: number,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
): number {
  const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : clamp(((x - x0) * dx + (y - y0) * dy) / length);
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}

/** Part of an ellipse, angles in degrees, 0 to the right and 90 downwards. */
function arc(centre: Point, radius: Point, from = 0, to = 360): Point[] {
  const steps = Math.max(4, Math.ceil(Math.abs(to - from) / 18));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (from + (to - from) * i / steps) * Math.PI / 180;
    return [centre[0] + radius[0] * Math.cos(angle), centre[1] + radius[1] * Math.sin(angle)];
  });
}

/** A stroke font on a grid whose digits are 4 wide and 7 high; small letters start at 2.4. */
const GLYPHS: Record<string, { width: number; strokes: Point[][] }> = {
  "0": { width: 4, strokes: [arc([2, 3.5], [2, 3.5])] },
  "1": { width: 2.6, strokes: [[[0.4, 1.5], [2, 0], [2, 7]]] },
  "2": { width: 4, strokes: [[...arc([2, 2], [2, 2], 190, 398), [0, 7], [4, 7]]] },
  "3": {
    width: 4,
    strokes: [[...arc([1.9, 1.7], [1.8, 1.7], 205, 450), ...arc([1.9, 5.2], [2.1, 1.8], 270, 515)]],
  },
  "4": { width: 4, strokes: [[[3, 7], [3, 0], [0, 5], [4.2, 5]]] },
  "5": {
    width: 4,
    strokes: [[[3.7, 0], [0.7, 0], [0.4, 3.3], ...arc([2, 4.7], [2, 2.3], 235, 505)]],
  },
  "6": { width: 4, strokes: [arc([2, 4.9], [2, 2.1]), [[0.05, 4.6], [0.8, 2.3], [2.7, 0]]] },
  "7": { width: 4, strokes: [[[0, 0], [4, 0], [1.4, 7]]] },
  "8": { width: 4, strokes: [arc([2, 1.7], [1.7, 1.7]), arc([2, 5.2], [2, 1.8])] },
  "9": { width: 4, strokes: [arc([2, 2.1], [2, 2.1]), [[3.95, 2.4], [3.2, 4.7], [1.3, 7]]] },
  "a": { width: 4, strokes: [arc([2, 4.7], [1.9, 2.3]), [[3.9, 2.4], [3.9, 7]]] },
  "d": { width: 4, strokes: [arc([2, 4.7], [1.9, 2.3]), [[3.9, -0.3], [3.9, 7]]] },
  "e": { width: 4, strokes: [[[0.1, 4.6], ...arc([2, 4.7], [1.9, 2.3], 358, 48)]] },
  "f": {
    width: 3,
    strokes: [[...arc([2.8, 1.3], [1.4, 1.5], 300, 180), [1.4, 7]], [[0.2, 2.7], [2.8, 2.7]]],
  },
  "m": {
    width: 5.6,
    strokes: [
      [[0.2, 2.4], [0.2, 7]],
      [...arc([1.5, 4], [1.3, 1.6], 180, 360), [2.8, 7]],
      [...arc([4.1, 4], [1.3, 1.6], 180, 360), [5.4, 7]],
    ],
  },
  "n": {
    width: 4,
    strokes: [[[0.2, 2.4], [0.2, 7]], [...arc([2, 4.3], [1.8, 1.9], 180, 360), [3.8, 7]]],
  },
  "o": { width: 4, strokes: [arc([2, 4.7], [2, 2.3])] },
  "p": { width: 4, strokes: [arc([2, 4.7], [1.9, 2.3]), [[0.1, 2.4], [0.1, 9.2]]] },
  "r": { width: 3, strokes: [[[0.3, 2.4], [0.3, 7]], arc([2.1, 4.4], [1.8, 2], 180, 295)] },
  "s": {
    width: 3.3,
    strokes: [[...arc([1.7, 3.5], [1.4, 1.1], 335, 90), ...arc([1.7, 5.8], [1.5, 1.2], 270, 515)]],
  },
  "t": {
    width: 3,
    strokes: [[[1.3, 0.7], ...arc([2.4, 5.7], [1.1, 1.3], 180, 60)], [[0.1, 2.7], [2.7, 2.7]]],
  },
  "-": { width: 3, strokes: [[[0.4, 4.6], [2.6, 4.6]]] },
  "/": { width: 3, strokes: [[[0.2, 7.6], [2.8, -0.6]]] },
};
