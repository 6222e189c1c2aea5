// The statistics of a collection: read for the page, and shown in a panel whose content is loaded when it is opened.
import { request, url } from "./api.js";
import { errorLine, h } from "./dom.js";

/** `isTooLarge()`: there are none. `onFilter(changes)` shows documents in the table. `onLoaded(statistics)`: also while the panel is closed. Returns {node, refresh}. */
export function collectionStatistics(id, { isTooLarge, onFilter, onLoaded, signal }) {
  const facts = h("dl", { class: "fact-list" });
  const charts = h("div", { class: "bar-charts" });
  const errors = errorLine();
  const node = h("details", { class: "card panel statistics" }, h("summary", {}, "Statistics"), errors.node, facts, charts);
  node.addEventListener("toggle", () => { if (node.open) refresh(); });
  let reading = false;
  let again = false;

  async function refresh() {
    again = reading;
    if (reading) return;
    if (isTooLarge()) {
      charts.replaceChildren(h("p", { class: "hint" }, "Statistics are made of at most 500,000 documents."));
      return;
    }
    reading = true;
    try {
      const { open } = node; // what only the panel shows is read when it is open
      const [found, collection] = await Promise.all([request("GET", url(["collections", id, "statistics"]), { signal }),
        open && request("GET", url(["collections", id]), { signal })]);
      errors.clear();
      onLoaded(found);
      if (open) await draw(found, collection);
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    } finally {
      reading = false;
    }
    if (again && !signal.aborted) refresh();
  }

  async function draw(found, collection) {
    const { statisticsNodes } = await import("./statistics-panel.js");
    const nodes = statisticsNodes(found, collection, onFilter);
    facts.replaceChildren(...nodes.facts);
    charts.replaceChildren(...nodes.charts);
  }

  return { node, refresh };
}
