// Which collections to search in: a menu that can be searched, so that hundreds of them take one line.
import { h } from "./dom.js";
import { number, plural } from "./format.js";
import { menu } from "./menu.js";

/** `onChoose(ids)` is called when the choice changes; no ids are all collections. */
export function collectionPicker(collectionStore, onChoose) {
  let [chosen, counts] = [[], null];
  const find = h("input", { type: "search", class: "find", "aria-label": "Find a collection", placeholder: "Find a collection…", oninput: () => filter() });
  const list = h("ul", { class: "values" });
  const none = h("p", { class: "hint", hidden: true }, "No collection has such a name.");
  const label = h("span", { class: "clip", dir: "auto" });
  const made = menu(label, [find, list, none], { class: "filter" }, {
    className: "picker",
    onOpen: () => {
      find.value = "";
      drawList();
      filter();
      if (!find.hidden) find.focus();
    },
  });

  function filter() {
    const typed = find.value.trim().toLowerCase();
    for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(typed);
    none.hidden = [...list.children].some((item) => !item.hidden);
  }

  function choose(id) {
    if (!id) chosen = [];
    else chosen = chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id];
    draw(chosen);
    drawList();
    filter();
    onChoose(chosen);
  }

  function option(id, name, count) {
    const checked = id ? chosen.includes(id) : chosen.length === 0;
    return h("li", {}, h("label", { class: "check-line" },
      h("input", { type: "checkbox", checked, "data-key": id || "all", onchange: () => choose(id) }),
      h("span", { class: "clip", dir: "auto", title: name }, name), count === undefined ? null : h("span", { class: "count" }, number(count))));
  }

  function drawList() {
    const { collections } = collectionStore;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const rows = [...collections].sort((a, b) => chosen.includes(b.id) - chosen.includes(a.id));
    find.hidden = collections.length < 8;
    list.replaceChildren(option("", "All collections"), ...rows.map(({ id, name }) => option(id, name, counts?.get(name))));
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function draw(ids) {
    const { collections } = collectionStore;
    chosen = ids.filter((id) => collectionStore.get(id));
    made.node.hidden = collections.length < 2;
    made.node.toggleAttribute("data-chosen", chosen.length > 0);
    label.textContent = chosen.length === 1 ? collectionStore.get(chosen[0]).name
      : chosen.length ? plural(chosen.length, "collection") : "All collections";
  }

  return {
    node: made.node,
    draw,
    /** How many documents of the result each collection has, where its name is its own. */
    counts(facet, search) {
      counts = facet && !search.collections.length ? new Map(facet.values.map(({ value, count }) => [value, count])) : null;
    },
  };
}
