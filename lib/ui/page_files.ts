/**
 * The files of the preview's page, as text inside the program: nothing is read or fetched while it runs.
 *
 * Floor 3 (wall). The page is plain HTML, CSS and JavaScript under `page/`, one subject a file, served as written. The
 * one library is uPlot (MIT): charts of time series on a canvas, 50 kB, because a minute of samples a second in seven
 * charts must cost a slow projector machine nothing. It is loaded when the charts are first shown.
 *
 * @module
 */
import pageCss from "./page/page.css" with { type: "text" };
import pageHtml from "./page/page.html" with { type: "text" };
import pageIcon from "./page/page.svg" with { type: "text" };
import pageJs from "./page/page.js" with { type: "text" };
import sparklineJs from "./page/sparkline.js" with { type: "text" };
import themeCss from "./page/theme.css" with { type: "text" };
import videoJs from "./page/video.js" with { type: "text" };

/** One file of the page. */
export interface PageFile {
  /** Path in its address, with the leading slash. */
  readonly path: string;
  /** Its `Content-Type`. */
  readonly contentType: string;
  /** What is in it. */
  readonly text: string;
}

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

/** All files of the page; `/` is the page itself. */
export const PAGE_FILES: readonly PageFile[] = [
  { path: "/", contentType: HTML, text: pageHtml },
  { path: "/page.svg", contentType: "image/svg+xml", text: pageIcon },
  ...styles({ theme: themeCss, page: pageCss }),
  ...scripts({ page: pageJs, sparkline: sparklineJs, video: videoJs }),
];

function styles(texts: Readonly<Record<string, string>>): PageFile[] {
  return Object.entries(texts).map(([name, text]) => ({
    path: `/${name}.css`,
    contentType: CSS,
    text,
  }));
}

function scripts(texts: Readonly<Record<string, string>>): PageFile[] {
  return Object.entries(texts).map(([name, text]) => ({
    path: `/${name}.js`,
    contentType: JAVASCRIPT,
    text,
  }));
}
