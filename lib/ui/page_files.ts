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
import statesCss from "./page/states.css" with { type: "text" };
import dialogueCss from "./page/dialogue.css" with { type: "text" };
import packetsCss from "./page/packets.css" with { type: "text" };
import framesCss from "./page/frames.css" with { type: "text" };
import chartsCss from "./page/charts.css" with { type: "text" };
import sessionsCss from "./page/sessions.css" with { type: "text" };
import overlaysCss from "./page/overlays.css" with { type: "text" };
import narrowCss from "./page/narrow.css" with { type: "text" };
import protocolCss from "./page/protocol.css" with { type: "text" };
import themeCss from "./page/theme.css" with { type: "text" };
import addressJs from "./page/address.js" with { type: "text" };
import chartsJs from "./page/charts.js" with { type: "text" };
import dialogueJs from "./page/dialogue.js" with { type: "text" };
import domJs from "./page/dom.js" with { type: "text" };
import fieldReaderJs from "./page/field_reader.js" with { type: "text" };
import framesJs from "./page/frames.js" with { type: "text" };
import jpegFieldsJs from "./page/jpeg_fields.js" with { type: "text" };
import keyedListJs from "./page/keyed_list.js" with { type: "text" };
import labFieldsJs from "./page/lab_fields.js" with { type: "text" };
import messageDetailJs from "./page/message_detail.js" with { type: "text" };
import numberFormatJs from "./page/number_format.js" with { type: "text" };
import packetDetailJs from "./page/packet_detail.js" with { type: "text" };
import packetFieldsJs from "./page/packet_fields.js" with { type: "text" };
import packetsJs from "./page/packets.js" with { type: "text" };
import pageJs from "./page/page.js" with { type: "text" };
import playerJs from "./page/player.js" with { type: "text" };
import protocolJs from "./page/protocol.js" with { type: "text" };
import rtcpFieldsJs from "./page/rtcp_fields.js" with { type: "text" };
import rtspWordsJs from "./page/rtsp_words.js" with { type: "text" };
import screenJs from "./page/screen.js" with { type: "text" };
import sessionsJs from "./page/sessions.js" with { type: "text" };
import shortcutsJs from "./page/shortcuts.js" with { type: "text" };
import sparklineJs from "./page/sparkline.js" with { type: "text" };
import stateDiagramJs from "./page/state_diagram.js" with { type: "text" };
import statesJs from "./page/states.js" with { type: "text" };
import statisticsJs from "./page/statistics.js" with { type: "text" };
import stepJs from "./page/step.js" with { type: "text" };
import tabsJs from "./page/tabs.js" with { type: "text" };
import timelineJs from "./page/timeline.js" with { type: "text" };
import videoJs from "./page/video.js" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };

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
  ...styles({
    theme: themeCss,
    page: pageCss,
    protocol: protocolCss,
    states: statesCss,
    dialogue: dialogueCss,
    packets: packetsCss,
    frames: framesCss,
    charts: chartsCss,
    sessions: sessionsCss,
    overlays: overlaysCss,
    narrow: narrowCss,
  }),
  ...scripts({
    address: addressJs,
    charts: chartsJs,
    dialogue: dialogueJs,
    dom: domJs,
    field_reader: fieldReaderJs,
    frames: framesJs,
    jpeg_fields: jpegFieldsJs,
    keyed_list: keyedListJs,
    lab_fields: labFieldsJs,
    message_detail: messageDetailJs,
    number_format: numberFormatJs,
    packet_detail: packetDetailJs,
    packet_fields: packetFieldsJs,
    packets: packetsJs,
    page: pageJs,
    player: playerJs,
    protocol: protocolJs,
    rtcp_fields: rtcpFieldsJs,
    rtsp_words: rtspWordsJs,
    screen: screenJs,
    sessions: sessionsJs,
    shortcuts: shortcutsJs,
    sparkline: sparklineJs,
    state_diagram: stateDiagramJs,
    states: statesJs,
    statistics: statisticsJs,
    step: stepJs,
    tabs: tabsJs,
    timeline: timelineJs,
    video: videoJs,
    uplot: `${uplotJs}
export default uPlot;`, // the package's smallest file is a script: make it a module
  }),
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
