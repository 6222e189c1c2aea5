// The first view: the search form; below it the results, or the collections.
import { collectionList } from "./collection-list.js";
import { h, replaceNodes } from "./dom.js";
import { newCollection } from "./new-collection.js";
import { Results } from "./results.js";

const MODES = [["hybrid", "Meaning and words"], ["meaning", "Meaning"], ["words", "Words"]];

export function homeView(app, _ids, query, signal) {
  const { collectionStore } = app;
  const chosen = new Set(query.getAll("in"));
  const input = h("input", {
    type: "search", name: "q", "aria-label": "Search your documents", autocomplete: "off", maxlength: 2000,
    placeholder: "Search your documents", value: query.get("q") ?? "",
  });
  const mode = h("select", { name: "mode", "aria-label": "Search by", onchange: () => input.value.trim() && show(input.value.trim()) },
    MODES.map(([value, label]) => h("option", { value, selected: value === query.get("mode") }, label)));
  const chips = h("fieldset", { class: "chips" });
  const results = new Results(app, signal, () => show(""));
  const browse = h("div", { class: "stack" }, collectionList(app, signal), newCollection(app, signal));
  const form = h("form", {
    class: "search", role: "search",
    onsubmit: (event) => {
      event.preventDefault();
      show(input.value.trim());
    },
  }, h("div", { class: "bar" }, input, mode, h("button", { class: "primary" }, "Search")), chips);

  function show(search) {
    const parameters = new URLSearchParams(search ? { q: search } : {});
    if (search) for (const id of chosen) parameters.append("in", id);
    if (search && mode.value !== "hybrid") parameters.set("mode", mode.value);
    const address = search ? `#/?${parameters}` : "#/";
    if (location.hash !== address) history.pushState(null, "", address);
    draw(search);
  }

  function draw(search) {
    browse.hidden = Boolean(search);
    if (search) results.search(search, [...chosen], mode.value);
    else {
      results.clear();
      input.value = "";
    }
  }

  function drawChips() {
    const { collections } = collectionStore;
    for (const id of chosen) if (!collectionStore.get(id)) chosen.delete(id);
    form.hidden = collections.length === 0;
    chips.hidden = collections.length < 2;
    const boxes = [["", "All collections"], ...collections.map(({ id, name }) => [id, name])];
    replaceNodes(chips, [h("legend", {}, "Search in"), ...boxes.map(([id, name]) => {
      const checked = id ? chosen.has(id) : chosen.size === 0;
      const box = h("input", { type: "checkbox", checked, "data-key": id || "all", onchange: () => choose(id) });
      return h("label", { class: "chip" }, box, name);
    })]);
  }

  function choose(id) {
    if (!id) chosen.clear();
    else if (!chosen.delete(id)) chosen.add(id);
    drawChips();
  }

  collectionStore.addEventListener("change", drawChips, { signal });
  drawChips();
  draw(query.get("q") ?? "");
  return { node: h("div", { class: "stack home" }, form, results.node, browse), title: query.get("q") ?? "" };
}
