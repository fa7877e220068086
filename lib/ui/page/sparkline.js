// @ts-check
/// <reference lib="dom" />
// Small charts of the last minute, one point a second, drawn with SVG.

const POINTS = 60;
const WIDTH = 120;
const HEIGHT = 32;

/**
 * Draws into an empty `<svg viewBox="0 0 120 32">`; the result adds a point.
 * @param {Element} svg
 * @returns {(value: number) => void}
 */
export function createSparkline(svg) {
  const base = addShape(svg, "line", "base");
  const area = addShape(svg, "polygon", "area");
  const line = addShape(svg, "polyline", "line");
  base.setAttribute("x2", String(WIDTH));
  base.setAttribute("y1", String(HEIGHT));
  base.setAttribute("y2", String(HEIGHT));
  /** @type {number[]} */
  const values = [];
  return (value) => {
    values.push(value);
    if (values.length > POINTS) values.shift();
    const top = Math.max(...values) * 1.15 || 1;
    const step = WIDTH / (POINTS - 1);
    const first = WIDTH - (values.length - 1) * step;
    const points = values.map((value, i) =>
      `${(first + i * step).toFixed(1)},${(HEIGHT * (1 - value / top)).toFixed(1)}`
    ).join(" ");
    line.setAttribute("points", points);
    area.setAttribute(
      "points",
      `${first.toFixed(1)},${HEIGHT} ${points} ${WIDTH},${HEIGHT}`,
    );
  };
}

/** @param {Element} svg @param {string} name @param {string} role */
function addShape(svg, name, role) {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
  shape.setAttribute("class", role);
  svg.append(shape);
  return shape;
}
