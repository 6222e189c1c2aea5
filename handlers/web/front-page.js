// What stands below the search field before anything is searched for: former searches, and the latest collections.
import { countsText, statusTag } from "./collection-list.js";
import { h, replaceNodes } from "./dom.js";
import { number } from "./format.js";
import { EMPTY, searchAddress } from "./search-address.js";

const [MOST_COLLECTIONS, MOST_SEARCHES] = [8, 6];

/** The latest collections, and the way to all of them. */
export function latestCollections({ collectionStore }, signal) {
  const list = h("ul", { class: "latest" });
  const empty = h("p", { class: "empty" },
    "No collections yet. A collection is a folder's documents made searchable: name one below and give its folder.");
  const all = h("a", { href: "#/collections" });
  const section = h("section", { class: "stack tight", "aria-labelledby": "collections-heading" },
    h("div", { class: "row" }, h("h1", { id: "collections-heading" }, "Collections"), all), list, empty);

  function draw() {
    const latest = [...collectionStore.collections].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
    const others = latest.length - MOST_COLLECTIONS;
    empty.hidden = latest.length > 0;
    list.hidden = latest.length === 0;
    all.textContent = others > 0 ? `All ${number(latest.length)} collections` : "Manage collections";
    all.hidden = latest.length === 0;
    replaceNodes(list, latest.slice(0, MOST_COLLECTIONS).map((collection) => h("li", { class: "collection" },
      h("div", { class: "row" },
        h("h2", { class: "clip" }, h("a", { href: `#/collections/${encodeURIComponent(collection.id)}`, title: collection.name, dir: "auto" }, collection.name)),
        statusTag(collection.status)),
      h("p", { class: "hint clip" }, countsText(collection)))));
  }

  collectionStore.addEventListener("change", draw, { signal });
  draw();
  return section;
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
      h("a", { class: "pill", dir: "auto", title: query, href: searchAddress({ ...EMPTY, query }) }, h("span", { class: "clip" }, query)))));
  }

  return { node, draw };
}
