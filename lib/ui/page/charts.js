// @ts-check
/// <reference lib="dom" />
// The Charts tab: the last minute, one sample a second, drawn by uPlot, which is loaded when first needed.
import { element, make, setText } from "./dom.js";
import { formatMs, formatRate, integer, oneDecimal, twoDecimals } from "./number_format.js";

/** @typedef {import("./protocol.js").ProtocolStore} ProtocolStore */
/** @typedef {import("./protocol.js").ProtocolSample} ProtocolSample */

/**
 * @typedef {object} Chart
 * @property {string} id
 * @property {string} title
 * @property {string} note what the number is
 * @property {(sample: ProtocolSample) => number | null} value
 * @property {(value: number) => string} show
 * @property {string} colour name of a colour of the stylesheet
 */

/** @type {readonly Chart[]} */
const CHARTS = [
  {
    id: "bit-rate",
    title: "Data rate",
    note: "RTP payload",
    value: (s) => s.bitRate,
    show: formatRate,
    colour: "--chart-1",
  },
  {
    id: "frame-rate",
    title: "Frame rate",
    note: "frames a second",
    value: (s) => s.frameRate,
    show: (v) => `${oneDecimal.format(v)} /s`,
    colour: "--chart-1",
  },
  {
    id: "packet-rate",
    title: "Packet rate",
    note: "RTP packets a second",
    value: (s) => s.packetRate,
    show: (v) => `${integer.format(Math.round(v))} /s`,
    colour: "--chart-1",
  },
  {
    id: "loss",
    title: "Loss",
    note: "of the packets expected",
    value: (s) => s.lossRatio * 100,
    show: (v) => `${twoDecimals.format(v)} %`,
    colour: "--chart-2",
  },
  {
    id: "jitter",
    title: "Jitter",
    note: "interarrival, RFC 3550 A.8",
    value: (s) => s.jitterMs,
    show: formatMs,
    colour: "--chart-3",
  },
  {
    id: "buffer",
    title: "Buffer",
    note: "packets waiting",
    value: (s) => s.bufferedPackets,
    show: (v) => integer.format(v),
    colour: "--chart-1",
  },
  {
    id: "round-trip",
    title: "Round trip",
    note: "of a request, or by RTCP",
    value: (s) => s.roundTripMs,
    show: formatMs,
    colour: "--chart-3",
  },
  {
    id: "latency",
    title: "Frame latency",
    note: "first packet to delivery",
    value: (s) => s.frameLatencyMs,
    show: formatMs,
    colour: "--chart-3",
  },
];

const MINUTE_S = 60;
const HEIGHT = 118;

/** @param {ProtocolStore} store */
export function openCharts(store) {
  const cards = CHARTS.map(makeCard);
  element("chart-grid").replaceChildren(...cards.map(({ card }) => card));
  /** uPlot is one class. @type {any} -- the library has no JSDoc, and its types are not served with it */
  let Plot;
  let isLoading = false;
  let shownSample = -1;
  /** @type {any[]} -- instances of it */
  let plots = [];

  async function load() {
    isLoading = true;
    try {
      Plot = (await import("./uplot.js")).default;
      render();
    } catch {
      isLoading = false; // rtsp-client is gone; the next time
    }
  }

  function render() {
    if (!Plot) {
      if (!isLoading) load();
      return;
    }
    if (plots.length === 0) plots = cards.map(({ place }, i) => makePlot(Plot, place, CHARTS[i]));
    const session = store.focusedSession;
    const samples = [...store.samples.values()].filter(({ session: id }) => id === session?.id);
    const newest = samples.at(-1);
    setText(
      "chart-note",
      session
        ? `The last minute of session ${session.id}, one sample a second.`
        : "No session yet.",
    );
    if (newest && newest.id === shownSample) return;
    shownSample = newest?.id ?? -1;
    const end = newest ? newest.time / 1000 : 0;
    const recent = samples.filter(({ time }) => time / 1000 > end - MINUTE_S - 1);
    const times = recent.map(({ time }) => time / 1000);
    for (const [i, chart] of CHARTS.entries()) {
      const values = recent.map(chart.value);
      plots[i].setData([times, values], false);
      plots[i].setScale("x", { min: end - MINUTE_S, max: end });
      const last = values.at(-1);
      setText(cards[i].value, last === null || last === undefined ? "–" : chart.show(last));
    }
  }

  const redraw = () => {
    for (const plot of plots) plot.destroy();
    plots = [];
    shownSample = -1;
    if (!element("panel-charts").hidden) render();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => {
    for (const [i, plot] of plots.entries()) {
      const width = cards[i].place.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }).observe(element("chart-grid"));
  return { render };
}

/** @param {Chart} chart */
function makeCard({ id, title, note }) {
  const value = make("b", "", "–");
  value.id = `chart-${id}`;
  const place = make("div", "plot");
  place.setAttribute("aria-hidden", "true"); // the number beside it is the newest point
  const card = make(
    "section",
    "card chart",
    make("h2", "", title, " ", make("span", "quiet-text", note)),
    value,
    place,
  );
  return { card, value, place };
}

/** @param {any} Plot uPlot @param {HTMLElement} place @param {Chart} chart */
function makePlot(Plot, place, { show, colour }) {
  const style = getComputedStyle(document.documentElement);
  const stroke = style.getPropertyValue(colour).trim();
  const quiet = style.getPropertyValue("--quiet").trim();
  const line = style.getPropertyValue("--line").trim();
  const axis = {
    stroke: quiet,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, sync: { key: "minute" } },
    scales: {
      x: { time: false },
      y: {
        range: (
          /** @type {unknown} */ _plot,
          /** @type {number | null} */ min,
          /** @type {number | null} */ max,
        ) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 0) * 1.15 || 1],
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        splits: (/** @type {any} */ plot) =>
          (plot.width < 340 ? [60, 40, 20, 0] : [60, 50, 40, 30, 20, 10, 0]).map((ago) =>
            plot.scales.x.max - ago
          ),
        values: (/** @type {any} */ plot, /** @type {number[]} */ at) =>
          at.map((t) => secondsAgo(t, plot.scales.x.max)),
      },
      {
        ...axis,
        size: 62,
        values: (/** @type {unknown} */ _plot, /** @type {number[]} */ at) =>
          at.map((v) => show(v).replace(/[.,]0+(?= |$)/, "")),
      },
    ],
    series: [{}, {
      stroke,
      width: 2,
      fill: `${stroke}26`,
      spanGaps: true,
      points: { show: false },
    }],
  };
  return new Plot(options, [[], []], place);
}

/** @param {number} time @param {number} end */
function secondsAgo(time, end) {
  const seconds = Math.round(end - time);
  return seconds === 0 ? "now" : `-${seconds} s`;
}
