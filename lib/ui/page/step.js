// @ts-check
/// <reference lib="dom" />
// Step mode: each request waits until somebody says "send it", so that a class can talk about it first.
import { element, setText } from "./dom.js";
import { onState, post } from "./player.js";
import { explainMethod } from "./rtsp_words.js";

const button = element("step-mode");
let isEnabled = false;
let isWaiting = false;

/** @param {import("../protocol_events.ts").ProtocolStep} step */
export function showStep(step) {
  isEnabled = step.isEnabled;
  isWaiting = step.waiting !== null;
  button.setAttribute("aria-pressed", String(isEnabled));
  if (step.waiting) {
    setText("waiting-method", step.waiting.method);
    setText("waiting-uri", step.waiting.uri);
    setText("waiting-meaning", explainMethod(step.waiting.method)?.[0] ?? "");
  }
  element("waiting").hidden = !isWaiting;
}

export function toggleStepMode() {
  post("/step-mode", { enabled: !isEnabled });
}

export function sendWaiting() {
  if (isWaiting) post("/step", {});
}

button.addEventListener("click", toggleStepMode);
element("step").addEventListener("click", sendWaiting);
onState(({ step }) => step && showStep(step));
