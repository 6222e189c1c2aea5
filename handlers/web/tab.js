// The browser's tab: its title, with the progress of what runs before it, and its icon.
import { meanPercent } from "./operation-state.js";

const PROGRESS = /^(\d+ %|…) · /;
const STEPS = 4; // icons progress-0.svg to progress-4.svg

let shown = "";

/** Set the title of the view. */
export function setTitle(text) {
  document.title = shown + (text ? `${text} · Semantik` : "Semantik");
}

/** Show how far operations are, in per cent; null: none runs. */
function setProgress(percent) {
  const text = percent === null ? "" : `${percent ? `${Math.floor(percent)} %` : "…"} · `;
  const icon = document.getElementById("icon");
  const name = percent === null ? "icon.svg" : `progress-${Math.min(STEPS, Math.floor((percent * (STEPS + 1)) / 100))}.svg`;
  const href = new URL(name, import.meta.url).pathname;
  if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  if (text === shown && document.title.startsWith(text)) return;
  shown = text;
  document.title = text + document.title.replace(PROGRESS, "");
}

/** Show the mean progress of the operations of `feed` that run. */
export function trackProgress(feed) {
  const draw = () => {
    const states = [...feed.entries.values()].map(({ state }) => state);
    const running = states.filter(({ status, options }) => status === "processing" && !options.watched);
    setProgress(running.length ? meanPercent(running) : null);
  };
  feed.addEventListener("change", draw);
  feed.addEventListener("removed", draw);
}
