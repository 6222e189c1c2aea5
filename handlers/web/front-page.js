// What stands below the search field before anything is searched for: former searches, the latest collections, a new one.
import { countsText, statusTag } from "./collection-list.js";
import { errorLine, h, replaceNodes } from "./dom.js";
import { number } from "./format.js";
import { EMPTY, searchAddress } from "./search-address.js";

const [MOST_COLLECTIONS, MOST_SEARCHES] = [8, 6];

/** The latest collections, and the way to all of them. */
export function latestCollections({ collectionStore }, signal) {
  const list = h("ul", { class: "latest" });
  const all = h("a", { href: "#/collections" });
  const section = h("section", { class: "stack tight", "aria-labelledby": "collections-heading" },
    h("div", { class: "row" }, h("h1", { id: "collections-heading" }, "Collections"), all), list);

  function draw() {
    const latest = [...collectionStore.collections].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
    const others = latest.length - MOST_COLLECTIONS;
    section.hidden = latest.length === 0;
    all.textContent = others > 0 ? `All ${number(latest.length)} collections` : "Manage collections";
    replaceNodes(list, latest.slice(0, MOST_COLLECTIONS).map((collection) => h("li", { class: "collection" },
      h("div", { class: "row" },
        h("h2", { class: "clip", dir: "auto" }, h("a", { href: `#/collections/${encodeURIComponent(collection.id)}`, title: collection.name }, collection.name)),
        statusTag(collection.status)),
      h("p", { class: "hint clip" }, countsText(collection)))));
  }

  collectionStore.addEventListener("change", draw, { signal });
  draw();
  return section;
}

/**
 * The way to a new collection: on a server without any, the first thing to be done; else a panel, closed. `onFirst()` is called
 * when there is something to search for the first time. The form is loaded when it is shown.
 */
export function creation(app, signal, onFirst) {
  const { collectionStore } = app;
  const node = h("div", { class: "stack" });
  let first = null;

  async function fill(place, options) {
    const errors = errorLine();
    place.append(errors.node);
    try {
      const { newCollection } = await import("./new-collection.js");
      if (!signal.aborted) errors.node.replaceWith(newCollection(app, signal, options));
    } catch (error) {
      errors.show(error);
    }
  }

  function welcome() {
    const place = h("div", { class: "card" });
    fill(place, {
      browsing: true,
      onCreated({ name, operation_id: operation }) {
        if (operation) node.prepend(invitation(name));
        onFirst();
      },
    });
    return [h("header", { class: "stack tight welcome" }, h("h1", {}, "What do you want to search?"),
      h("p", { class: "hint" }, "No collections yet. A collection is a folder’s documents made searchable: choose the folder, and it is indexed.")), place];
  }

  function panel() {
    const details = h("details", { class: "card panel" }, h("summary", {}, "New collection"));
    details.addEventListener("toggle", () => fill(details, { onCreated: () => { details.open = false; } }), { once: true });
    return [details];
  }

  function draw() {
    const none = collectionStore.collections.length === 0;
    if (none === first) return;
    first = none;
    node.replaceChildren(...(none ? welcome() : panel()));
  }

  collectionStore.addEventListener("change", draw, { signal });
  draw();
  return node;
}

function invitation(name) {
  return h("p", { class: "note", role: "status" }, h("b", { dir: "auto" }, `“${name}”`),
    " is being indexed. Search already: what has been read is found at once, and the ring above shows how far it is.");
}

/** The searches of `former`, a SearchHistory; `draw()` shows them as they are now, `onClear()` is called when they are cleared. */
export function formerSearches(former, onClear) {
  const node = h("section", { class: "recent", "aria-labelledby": "recent-heading" });
  const list = h("ul", { class: "recent-list" });
  const clear = () => {
    former.clear();
    draw();
    onClear();
  };
  node.append(h("div", { class: "row" }, h("h2", { id: "recent-heading" }, "Recent searches"),
    h("button", { type: "button", class: "quiet", onclick: clear }, "Clear")), list);

  function draw() {
    const queries = former.queries.slice(0, MOST_SEARCHES);
    node.hidden = queries.length === 0;
    list.replaceChildren(...queries.map((query) => h("li", {},
      h("a", { class: "pill", title: query, href: searchAddress({ ...EMPTY, query }) }, h("span", { class: "clip", dir: "auto" }, query)))));
  }

  return { node, draw };
}
