/**
 * The scene of the sample film: a train crosses the country while one day goes by.
 *
 * Everything moves by whole periods over the film, so that its end joins its beginning.
 *
 * @module
 */
import { Canvas, clamp, type Colour, mix, type Point } from "./sample_canvas.ts";
import { STRIP_CELLS, STRIP_HEIGHT_RATIO, stripCells } from "./sample_strip.ts";

/** Pixels. */
export const SAMPLE_WIDTH = 320;
/** Pixels. */
export const SAMPLE_HEIGHT = 240;
/** Frames in the film. */
export const SAMPLE_FRAMES = 500;

const TURN = Math.PI * 2;
const TRACK_Y = 236;
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];

/** Sky at the hours of the day: time (0 to 1), top, horizon, light on the land (0 to 1). */
const HOURS: readonly (readonly [number, Colour, Colour, number])[] = [
  [0.00, [58, 62, 128], [244, 158, 118], 0.62],
  [0.10, [96, 138, 206], [250, 210, 168], 0.85],
  [0.24, [70, 144, 222], [206, 232, 246], 1.00],
  [0.44, [78, 138, 208], [226, 228, 214], 0.97],
  [0.56, [92, 84, 158], [250, 150, 96], 0.72],
  [0.64, [44, 40, 104], [190, 84, 106], 0.42],
  [0.72, [12, 17, 52], [44, 50, 104], 0.24],
  [0.90, [10, 16, 50], [40, 50, 108], 0.24],
  [1.00, [58, 62, 128], [244, 158, 118], 0.62],
];

interface Hour {
  readonly top: Colour;
  readonly horizon: Colour;
  readonly light: number;
  /** 0 by day, 1 at night. */
  readonly night: number;
}

/** Draws frame `frameNumber`, 1 to {@linkcode SAMPLE_FRAMES}. */
export function drawFrame(frameNumber: number): Canvas {
  const canvas = new Canvas(SAMPLE_WIDTH, SAMPLE_HEIGHT, SAMPLE_WIDTH / 384);
  const time = (frameNumber - 1) / SAMPLE_FRAMES;
  const hour = hourAt(time);
  drawSky(canvas, time, hour);
  drawLand(canvas, time, hour);
  drawTrack(canvas, time, hour);
  drawTrain(canvas, time, hour);
  drawDisplay(canvas, time, frameNumber);
  drawStrip(canvas, frameNumber);
  return canvas;
}

function hourAt(time: number): Hour {
  const next = HOURS.findIndex(([at]) => at > time);
  const [t0, top0, horizon0, light0] = HOURS[next - 1];
  const [t1, top1, horizon1, light1] = HOURS[next];
  const ratio = (time - t0) / (t1 - t0);
  const light = light0 + (light1 - light0) * ratio;
  return {
    top: mix(top0, top1, ratio),
    horizon: mix(horizon0, horizon1, ratio),
    light,
    night: clamp((0.62 - light) / 0.34),
  };
}

/** Numbers that look random and are the same every time, 0 to 1. */
function scatter(seed: number): number {
  const x = Math.sin(seed * 127.1 + 11.7) * 43758.5453;
  return x - Math.floor(x);
}

function drawSky(canvas: Canvas, time: number, hour: Hour): void {
  canvas.land(() => -1, 215, (_x, y) => mix(hour.top, hour.horizon, Math.pow(y / 205, 1.3)));
  if (hour.night > 0) {
    for (let i = 0; i < 90; i++) {
      const twinkle = 0.65 + 0.35 * Math.sin(TURN * (time * (10 + i % 14) + scatter(i + 900)));
      const centre: Point = [scatter(i) * 384, Math.pow(scatter(i + 300), 1.4) * 170];
      canvas.circle(centre, 0.5 + 0.8 * scatter(i + 600), WHITE, hour.night * twinkle, 1.1);
    }
  }
  const day = (time + 0.03) / 0.64;
  if (day < 1) {
    const sun: Point = [-30 + 444 * day, 196 - 158 * Math.sin(Math.PI * day)];
    canvas.circle(sun, 22, [255, 236, 190], 0.28, 44);
    canvas.circle(sun, 15, [255, 244, 205], 1, 2);
  }
  const night = (time - 0.62) / 0.4;
  if (night > 0) {
    const moon: Point = [-20 + 424 * night, 178 - 120 * Math.sin(Math.PI * night)];
    canvas.circle(moon, 16, [190, 200, 255], 0.16, 30);
    canvas.circle(moon, 12, [236, 238, 226], 1, 1.5);
    for (const [dx, dy, r] of [[-4, -3, 2.6], [3, 2, 3.2], [-2, 5, 1.8], [5, -5, 1.6]]) {
      canvas.circle([moon[0] + dx, moon[1] + dy], r, [206, 208, 204], 0.9);
    }
  }
  drawClouds(canvas, time, hour);
}

function drawClouds(canvas: Canvas, time: number, hour: Hour): void {
  const colour = mix(mix(WHITE, hour.horizon, 0.3), [40, 46, 88], hour.night * 0.8);
  for (let i = 0; i < 5; i++) {
    const span = 560, drift = (1 + i % 2) * span * time;
    const x = (scatter(i + 40) * span + i * 97 + span * 2 - drift) % span - 90;
    const y = 40 + 26 * i - (i % 2) * 18;
    for (let p = 0; p < 6; p++) {
      const centre: Point = [
        x + p * 13,
        y - 5 * Math.sin(p / 5 * Math.PI) + 3 * scatter(i * 9 + p),
      ];
      canvas.circle(centre, 7 + 6 * Math.sin((p + 0.6) / 6.4 * Math.PI), colour, 0.3, 11);
    }
  }
}

/** A chain of hills that repeats every `period` pixels. */
function hills(x: number, period: number, seed: number): number {
  let sum = 0;
  for (const [waves, height] of [[1, 1], [2, 0.6], [3, 0.45], [5, 0.28], [9, 0.12], [14, 0.06]]) {
    sum += height * Math.sin(TURN * (waves * x / period + scatter(seed + waves)));
  }
  return sum;
}

function drawLand(canvas: Canvas, time: number, hour: Hour): void {
  const haze = mix(hour.horizon, hour.top, 0.25);
  const lit = (colour: Colour, far: number) => mix(mix([8, 10, 30], colour, hour.light), haze, far);
  const far = (x: number) => 168 - 20 * hills(x + 400 * time, 400, 1) - ridge(x + 400 * time, 400);
  canvas.land(far, 230, (x, depth) => {
    const snow = clamp((12 + 5 * Math.sin(x * 0.7 + depth) - depth) / 6) *
      clamp((150 - far(x)) / 8);
    return mix(lit([104, 112, 140], 0.45), lit([240, 244, 250], 0.25), snow);
  });
  const middle = (x: number) => 192 - 13 * hills(x + 600 * time, 600, 2);
  canvas.land(middle, 236, (x, depth) => {
    const u = x + 600 * time;
    const meadow = 0.5 + 0.5 * Math.sin(TURN * u / 60 + depth * 0.12);
    return lit(mix([56, 104, 82], [82, 134, 92], meadow), 0.22);
  });
  const near = (x: number) => 210 - 8 * hills(x + 1200 * time, 1200, 3);
  canvas.land(near, 262, (x, depth) => {
    const u = x + 1200 * time;
    const field = Math.sin(TURN * u / 150 + depth * 0.06) > 0.1 ? 1 : 0;
    const furrow = 0.5 + 0.5 * Math.sin(depth * 0.9 + TURN * u / 60);
    return lit(mix([96, 142, 66], mix([170, 160, 76], [146, 142, 66], furrow), field), 0.06);
  });
  for (let i = 0; i < 34; i++) {
    const x = wrapped(scatter(i + 70) * 1200 - 1200 * time, 1200);
    drawTree(canvas, [x, near(x) + 2 + 4 * scatter(i + 5)], 7 + 8 * scatter(i + 21), lit);
  }
  for (const at of [260, 860]) {
    const x = wrapped(at - 1200 * time, 1200);
    drawWindmill(canvas, [x, near(x) + 3], time, lit);
  }
  for (const at of [60, 470, 700, 1050]) {
    const x = wrapped(at - 1200 * time, 1200);
    drawHouse(canvas, [x, near(x) + 5], hour, lit);
  }
}

type Lit = (colour: Colour, far: number) => Colour;

function ridge(x: number, period: number): number {
  const wave = (waves: number) => Math.abs((x / period * waves % 1 + 1) % 1 - 0.5) * 2;
  return 24 * wave(2) * wave(3) + 7 * wave(11) + 3 * wave(23);
}

/** `x` moved by whole periods into the picture, with room for what is wider than a point. */
function wrapped(x: number, period: number): number {
  return ((x + 60) % period + period) % period - 60;
}

function drawTree(canvas: Canvas, [x, y]: Point, height: number, lit: Lit): void {
  if (x < -20 || x > 404) return;
  canvas.line([x, y], [x, y - height * 0.4], 1.6, lit([84, 62, 48], 0.05));
  const colour = lit([38, 84, 58], 0.08);
  for (const [up, wide] of [[0.25, 0.42], [0.55, 0.34], [0.85, 0.24]]) {
    const base = y - height * up;
    canvas.polygon(
      [[x, base - height * 0.55], [x + height * wide, base], [x - height * wide, base]],
      colour,
    );
  }
}

function drawWindmill(canvas: Canvas, [x, y]: Point, time: number, lit: Lit): void {
  if (x < -50 || x > 434) return;
  const wall = lit([222, 206, 180], 0.02), roof = lit([120, 62, 52], 0.02);
  canvas.polygon([[x - 5, y - 38], [x + 5, y - 38], [x + 9, y + 4], [x - 9, y + 4]], wall);
  canvas.polygon([[x, y - 48], [x + 7, y - 37], [x - 7, y - 37]], roof);
  canvas.rectangle([x - 2, y - 8], [4, 9], roof, 1);
  const hub: Point = [x, y - 38], sail = lit([250, 246, 236], 0);
  for (let blade = 0; blade < 4; blade++) {
    const angle = TURN * (time * 10 + blade / 4), c = Math.cos(angle), s = Math.sin(angle);
    const at = (along: number, across: number): Point => [
      hub[0] + c * along - s * across,
      hub[1] + s * along + c * across,
    ];
    canvas.line(hub, at(27, 0), 1.4, roof);
    canvas.polygon([at(7, 0), at(27, 0), at(27, 5), at(7, 4)], sail, 0.92);
  }
  canvas.circle(hub, 2.2, roof);
}

function drawHouse(canvas: Canvas, [x, y]: Point, hour: Hour, lit: Lit): void {
  if (x < -40 || x > 424) return;
  canvas.rectangle([x - 11, y - 12], [22, 13], lit([226, 214, 196], 0.04));
  canvas.polygon([[x, y - 22], [x + 14, y - 11], [x - 14, y - 11]], lit([164, 74, 58], 0.04));
  const window = mix(lit([86, 100, 120], 0), [255, 208, 110], hour.night);
  for (const dx of [-7, 2]) canvas.rectangle([x + dx, y - 9], [5, 5], window, 0.5);
}

function drawTrack(canvas: Canvas, time: number, hour: Hour): void {
  const lit = (colour: Colour) => mix([8, 10, 26], colour, 0.1 + 0.9 * hour.light);
  const travelled = 2000 * time;
  canvas.land(
    () => TRACK_Y + 2,
    288,
    (_x, depth) => lit(mix([150, 138, 120], [104, 92, 82], depth / 44)),
  );
  for (let i = 0; i < 70; i++) {
    const x = wrapped(scatter(i + 31) * 500 - travelled % 500, 500);
    const size = 1 + 2 * scatter(i + 77);
    canvas.circle([x, TRACK_Y + 10 + 40 * scatter(i + 3)], size, lit([92, 82, 74]), 0.8);
  }
  for (let i = 0; i < 18; i++) {
    const x = wrapped(i * 25 - travelled % 25, 450);
    canvas.rectangle([x, TRACK_Y + 3], [13, 4], lit([82, 62, 50]), 1);
  }
  canvas.rectangle([-4, TRACK_Y], [392, 2.6], lit([196, 200, 206]));
  for (let i = 0; i < 2; i++) {
    const x = wrapped(i * 250 - travelled % 250, 500);
    const wood = lit([92, 74, 60]);
    canvas.rectangle([x, TRACK_Y - 84], [3, 84], wood);
    canvas.rectangle([x - 9, TRACK_Y - 80], [21, 2.4], wood);
    for (const dx of [-8, 9]) canvas.circle([x + dx + 1, TRACK_Y - 83], 1.8, lit([206, 214, 214]));
  }
  const phase = wrapped(-(travelled % 250), 250);
  for (const dx of [-7, 10]) {
    canvas.fill([0, 140, 384, 180], { colour: lit([60, 62, 70]), alpha: 0.75 }, (x, y) => {
      const along = ((x - phase - dx) / 250 % 1 + 1) % 1;
      return Math.abs(y - (TRACK_Y - 83 + 44 * along * (1 - along))) - 0.4;
    });
  }
}

function drawTrain(canvas: Canvas, time: number, hour: Hour): void {
  const lit = (colour: Colour) => mix(mix([10, 12, 30], colour, 0.55), colour, hour.light);
  const sway = 0.5 * Math.sin(TURN * time * 50);
  drawSmoke(canvas, time, hour);
  const glass = mix(lit([150, 190, 214]), [255, 214, 122], hour.night);
  const colours: Colour[] = [[176, 58, 60], [58, 96, 152], [206, 152, 62]];
  for (let car = 0; car < 3; car++) {
    const x = 14 + car * 76, y = TRACK_Y - 40 + sway * (car % 2 ? 1 : -1);
    canvas.rectangle([x, y], [70, 32], lit(colours[car]), 4);
    canvas.rectangle([x - 1, y - 3], [72, 6], lit([70, 72, 84]), 3);
    canvas.rectangle([x + 2, y + 23], [66, 2], lit([244, 232, 206]));
    for (let w = 0; w < 4; w++) canvas.rectangle([x + 7 + w * 15, y + 7], [11, 11], glass, 2);
    canvas.line([x + 70, TRACK_Y - 11], [x + 77, TRACK_Y - 11], 3, lit([40, 40, 48]));
    for (const dx of [13, 57]) drawWheel(canvas, [x + dx, TRACK_Y - 7], 7, time, lit);
  }
  drawEngine(canvas, [244, TRACK_Y - 46 + sway], time, { hour, lit, glass });
}

interface EngineLight {
  readonly hour: Hour;
  readonly lit: (colour: Colour) => Colour;
  readonly glass: Colour;
}

function drawEngine(canvas: Canvas, [x, y]: Point, time: number, light: EngineLight): void {
  const { hour, lit, glass } = light;
  const green = lit([38, 112, 82]), dark = lit([38, 42, 48]), brass = lit([232, 186, 84]);
  canvas.rectangle([x, y + 2], [28, 38], green, 3);
  canvas.rectangle([x - 3, y - 3], [34, 6], dark, 3);
  canvas.rectangle([x + 6, y + 9], [15, 12], glass, 2);
  canvas.rectangle([x + 26, y + 12], [56, 24], green, 9);
  for (const dx of [40, 56, 71]) canvas.rectangle([x + dx, y + 12], [2, 24], brass);
  canvas.rectangle([x + 68, y - 6], [9, 20], dark, 1);
  canvas.rectangle([x + 65, y - 9], [15, 5], dark, 2);
  canvas.circle([x + 48, y + 12], 6, brass);
  canvas.rectangle([x - 1, y + 35], [88, 5], dark, 1);
  canvas.polygon([[x + 84, y + 36], [x + 94, y + 46], [x + 80, y + 46]], lit([176, 58, 60]));
  if (hour.night > 0) canvas.circle([x + 88, y + 20], 20, [255, 236, 170], 0.35 * hour.night, 30);
  canvas.circle([x + 84, y + 20], 4, mix(brass, [255, 246, 206], hour.night));
  const wheels: Point[] = [[x + 18, TRACK_Y - 11], [x + 43, TRACK_Y - 11], [x + 68, TRACK_Y - 11]];
  for (const centre of wheels) drawWheel(canvas, centre, 11, time, lit);
  const angle = TURN * time * 28, crank: Point = [6 * Math.cos(angle), 6 * Math.sin(angle)];
  canvas.line(
    [wheels[0][0] + crank[0], wheels[0][1] + crank[1]],
    [wheels[2][0] + crank[0], wheels[2][1] + crank[1]],
    3,
    lit([214, 216, 222]),
  );
}

function drawWheel(
  canvas: Canvas,
  [x, y]: Point,
  radius: number,
  time: number,
  lit: (colour: Colour) => Colour,
): void {
  canvas.circle([x, y], radius, lit([34, 36, 42]));
  canvas.circle([x, y], radius - 2, lit([120, 56, 52]));
  const turns = radius > 8 ? 28 : 45;
  for (let spoke = 0; spoke < 5; spoke++) {
    const angle = TURN * (time * turns + spoke / 5);
    const end: Point = [x + (radius - 2) * Math.cos(angle), y + (radius - 2) * Math.sin(angle)];
    canvas.line([x, y], end, 1.5, lit([34, 36, 42]));
  }
  canvas.circle([x, y], 2, lit([226, 190, 96]));
}

function drawSmoke(canvas: Canvas, time: number, hour: Hour): void {
  const colour = mix(mix([236, 236, 240], hour.horizon, 0.25), [70, 74, 108], hour.night * 0.8);
  const puffs = 14;
  for (let i = 0; i < puffs; i++) {
    const age = (time * 25 + i / puffs) % 1;
    const x = 316 - 210 * Math.pow(age, 1.15), y = TRACK_Y - 58 - 62 * Math.sqrt(age);
    const wobble = 5 * Math.sin(i * 2.4 + age * 5);
    canvas.circle([x, y + wobble], 5 + 17 * age, colour, 0.62 * (1 - age), 4 + 9 * age);
  }
}

function drawDisplay(canvas: Canvas, time: number, frameNumber: number): void {
  for (const shadow of [true, false]) {
    const colour = shadow ? BLACK : WHITE, alpha = shadow ? 0.4 : 1, soft = shadow ? 3 : 1;
    const d = shadow ? 1 : 0;
    canvas.text([14 + d, 13 + d], "deno-rtsp", { size: 17, weight: 2.3, colour, alpha, soft });
    const digits = String(frameNumber).padStart(3, "0");
    const end = canvas.text([14 + d, 43 + d], digits, {
      size: 24,
      weight: 3.4,
      colour,
      alpha,
      soft,
    });
    canvas.text([end + 7, 57 + d], `/${SAMPLE_FRAMES}`, {
      size: 10,
      weight: 1.6,
      colour,
      alpha: alpha * 0.9,
      soft,
    });
  }
  drawClock(canvas, [348, 38], time);
  canvas.rectangle([12, 269], [360, 4], BLACK, 2, 0.45);
  canvas.rectangle(
    [12, 269],
    [Math.max(4, 360 * frameNumber / SAMPLE_FRAMES), 4],
    [255, 196, 64],
    2,
  );
  canvas.circle([12 + 360 * frameNumber / SAMPLE_FRAMES, 271], 5, WHITE);
}

/** A clock whose long hand turns once in five seconds and whose short hand turns once in the film. */
function drawClock(canvas: Canvas, centre: Point, time: number): void {
  const at = (turns: number, radius: number): Point => [
    centre[0] + radius * Math.sin(TURN * turns),
    centre[1] - radius * Math.cos(TURN * turns),
  ];
  canvas.circle(centre, 25, [16, 20, 40], 0.55);
  canvas.ring(centre, 25, 2, WHITE, 0.95);
  for (let i = 0; i < 20; i++) {
    canvas.line(at(i / 20, i % 5 ? 20.5 : 18), at(i / 20, 22), i % 5 ? 1 : 1.8, WHITE, 0.9);
  }
  canvas.line(centre, at(time, 11), 3, WHITE);
  canvas.line(centre, at(time * 5, 19), 1.8, [255, 150, 70]);
  canvas.circle(centre, 2.6, [255, 150, 70]);
}

function drawStrip(canvas: Canvas, frameNumber: number): void {
  const height = 288 * STRIP_HEIGHT_RATIO, width = 384 / STRIP_CELLS;
  canvas.rectangle([-1, 288 - height], [386, height + 2], BLACK);
  stripCells(frameNumber).forEach((white, cell) => {
    if (white) canvas.rectangle([cell * width, 288 - height], [width, height + 2], WHITE);
  });
}
