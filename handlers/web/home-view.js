// The first view: the search form; below it the results, or the collections.
import { collectionList } from "./collection-list.js";
import { h, replaceNodes } from "./dom.js";
import { newCollection } from "./new-collection.js";
import { Results } from "./results.js";
import { MODES, SORTS, searchFrom, searchParameters } from "./search-address.js";
import { suggestions } from "./suggestions.js";

export function homeView(app, _ids, parameters, signal) {
  const { collectionStore } = app;
  const given = searchFrom(parameters);
  const chosen = new Set(given.collections);
  const input = h("input", {
    type: "search", name: "q", "aria-label": "Search your documents", autocomplete: "off", maxlength: 2000,
    placeholder: "Search your documents", value: given.query,
  });
  const modes = h("select", { "aria-label": "Search by", class: "mode", onchange: () => repeat() },
    MODES.map(([name, text]) => h("option", { value: name, selected: name === given.mode }, text)));
  const sorts = h("select", { "aria-label": "Sort by", class: "mode", onchange: () => repeat() },
    SORTS.map(([name, text]) => h("option", { value: name, selected: name === given.sort }, text)));
  const chips = h("fieldset", { class: "chips" });
  const results = new Results(app, signal, { onClose: () => show(typed("")), onSearch: (search) => show(search) });
  const browse = h("div", { class: "stack" }, collectionList(app, signal), newCollection(app, signal));
  const submit = () => show(typed(input.value.trim()));
  const completions = suggestions(input, signal, { collections: () => [...chosen], onChoose: submit });
  const form = h("form", {
    class: "search", role: "search",
    onsubmit: (event) => {
      event.preventDefault();
      completions.close();
      submit();
    },
  }, h("div", { class: "bar" }, input, h("button", { class: "primary" }, "Search"), completions.node),
  h("div", { class: "row" }, chips, h("div", { class: "row choices" }, modes, sorts)));

  function typed(query) {
    return { query, collections: [...chosen], mode: modes.value, sort: sorts.value, exact: false };
  }

  /** Another mode or order was chosen while results are shown. */
  function repeat() {
    if (!results.node.hidden) show({ ...results.current, mode: modes.value, sort: sorts.value });
  }

  function show(search) {
    const address = search.query ? `#/?${new URLSearchParams(searchParameters(search))}` : "#/";
    if (location.hash !== address) history.pushState(null, "", address);
    draw(search);
  }

  function draw(search) {
    browse.hidden = Boolean(search.query);
    if (search.query) {
      if (input.value.trim() !== search.query) input.value = search.query;
      results.search(search);
    } else {
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
  draw(given);
  return { node: h("div", { class: "stack home" }, form, results.node, browse), title: given.query };
}
