// Small horizontal bars for counts: a table to those who hear it, bars to those who see it. No library, no canvas.
import { h } from "./dom.js";
import { number } from "./format.js";

/**
 * `rows` are {label, value, note, onClick}; the longest bar is the largest value. Rows with `onClick` are buttons.
 * Without any value nothing is shown.
 */
export function barChart(title, rows, unit) {
  const largest = Math.max(1, ...rows.map((row) => row.value));
  if (!rows.some((row) => row.value)) return null;
  const bar = (value) => {
    const fill = h("span", { class: "bar-fill", hidden: !value });
    fill.style.width = `${(100 * value) / largest}%`;
    return h("span", { class: "bar-track", "aria-hidden": "true" }, fill);
  };
  const body = rows.map(({ label, value, note, onClick }) => h("tr", {},
    h("th", { scope: "row" }, onClick ? h("button", { type: "button", class: "link", onclick: onClick }, label) : label),
    h("td", { class: "bar-cell" }, bar(value)),
    h("td", { class: "bar-value", title: note }, number(value))));
  return h("table", { class: "bar-chart" }, h("caption", {}, title),
    h("thead", { class: "unseen" }, h("tr", {}, h("th", { scope: "col" }, "Group"), h("td"), h("th", { scope: "col" }, unit))), h("tbody", {}, body));
}
