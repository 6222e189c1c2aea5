// A button that opens a panel below it. Escape, a press elsewhere and leaving it with Tab close it. No data.
import { h } from "./dom.js";

/** `label` are nodes or text; `attributes` are those of the button. Returns {node, summary, panel, close}. */
export function menu(label, content, attributes = {}, { className = "", onOpen } = {}) {
  const summary = h("summary", attributes, label);
  const panel = h("div", { class: "panel-list card" }, content);
  const node = h("details", { class: `dropdown ${className}` }, summary, panel);
  const outside = (event) => {
    if (!node.contains(event.target)) node.open = false;
  };
  node.addEventListener("toggle", () => {
    if (node.open) {
      document.addEventListener("pointerdown", outside);
      onOpen?.();
    } else document.removeEventListener("pointerdown", outside);
  });
  node.addEventListener("focusout", (event) => {
    // A press on something that takes no focus stays inside; what is removed while focused has none either.
    if (event.relatedTarget && !node.contains(event.relatedTarget)) node.open = false;
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !node.open) return;
    event.preventDefault();
    event.stopPropagation();
    node.open = false;
    summary.focus();
  });
  return { node, summary, panel, close: () => { node.open = false; } };
}

/** Move the focus among the links or buttons of a list with the arrow keys. */
export function arrowKeys(list, selector) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...list.querySelectorAll(selector)].filter((node) => !node.closest("[hidden]"));
    const next = all[all.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
