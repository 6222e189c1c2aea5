// A list of all that one address of the API has; read again when something has changed.
import { all } from "./api.js";
import { errorLine, h } from "./dom.js";

/** {nodes, errors, refresh}. `row(item)` makes the entry of an item; `onItems(items)` is called before the entries are made. */
export function loadedList(path, row, emptyText, signal, onItems = () => {}) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, emptyText);
  const errors = errorLine();

  async function refresh() {
    try {
      const items = await all(path);
      if (signal.aborted) return;
      onItems(items);
      empty.hidden = items.length > 0;
      list.replaceChildren(...items.map(row));
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  return { nodes: [list, empty, errors.node], errors, refresh };
}
