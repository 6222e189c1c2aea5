// A small live chart: chunks and bytes per second over the last minutes, as two lines with their newest and largest values.
import { h } from "./dom.js";
import { bytes, number } from "./format.js";
import { svg } from "./icons.js";

const WIDTH = 240;
const HEIGHT = 44;
const WINDOW_MS = 120_000;
const SERIES = [
  ["chunks", "Chunks per second", (value) => `${number(Math.round(value * 10) / 10)} chunks/s`],
  ["bytes", "Bytes per second", (value) => `${bytes(Math.round(value))}/s`],
];

/** `node`, and `draw(state)`: an OperationState, whose samples are drawn. */
export function operationChart() {
  const series = SERIES.map(([key, label, text]) => {
    const area = svg("path", { class: "area" });
    const line = svg("path", { class: "line" });
    const value = h("span", { class: "value" });
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: `spark ${key}`, "aria-hidden": "true" }, area, line);
    const node = h("figure", { class: "chart" }, h("figcaption", {}, h("span", { class: "hint" }, label), value), picture);
    return { key, text, area, line, value, node };
  });
  const node = h("div", { class: "charts", hidden: true }, series.map((one) => one.node));
  return {
    node,
    draw({ samples, live, chunkRate, byteRate }) {
      const newest = { chunks: chunkRate ?? 0, bytes: byteRate ?? 0 };
      node.hidden = samples.length < 2;
      if (node.hidden) return;
      const end = samples.at(-1).at;
      const shown = samples.filter(({ at }) => at > end - WINDOW_MS);
      for (const { key, text, area, line, value } of series) {
        const top = Math.max(...shown.map((sample) => sample[key]), 1e-9);
        const points = shown.map((sample) => [
          (WIDTH * (sample.at - end + WINDOW_MS)) / WINDOW_MS, HEIGHT - 2 - ((HEIGHT - 4) * sample[key]) / top,
        ]).map((point) => point.map((part) => part.toFixed(1)).join(" "));
        line.setAttribute("d", `M${points.join("L")}`);
        area.setAttribute("d", `M${points[0].split(" ")[0]} ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}Z`);
        value.textContent = live ? text(newest[key]) : "–";
      }
    },
  };
}
