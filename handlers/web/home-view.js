// The first view: a question on top; below it the passages found, or else the collections.
import { collectionList } from "./collection-list.js";
import { h, refill } from "./dom.js";
import { newCollection } from "./new-collection.js";
import { Results } from "./results.js";

export function homeView(app, _ids, query, signal) {
  const { library } = app;
  const chosen = new Set(query.getAll("in"));
  const input = h("input", {
    type: "search", name: "q", "aria-label": "Search your documents", autocomplete: "off", maxlength: 2000,
    placeholder: "Search your documents", value: query.get("q") ?? "",
  });
  const chips = h("fieldset", { class: "chips" });
  const results = new Results(app, signal, () => show(""));
  const browse = h("div", { class: "stack" }, collectionList(app, signal), newCollection(app, signal));
  const form = h("form", {
    class: "search", role: "search",
    onsubmit: (event) => {
      event.preventDefault();
      show(input.value.trim());
    },
  }, h("div", { class: "bar" }, input, h("button", { class: "primary" }, "Search")), chips);

  function show(question) {
    const parameters = new URLSearchParams(question ? { q: question } : {});
    if (question) for (const id of chosen) parameters.append("in", id);
    const address = question ? `#/?${parameters}` : "#/";
    if (location.hash !== address) history.pushState(null, "", address);
    draw(question);
  }

  function draw(question) {
    browse.hidden = Boolean(question);
    if (question) results.ask(question, [...chosen]);
    else {
      results.clear();
      input.value = "";
    }
  }

  function drawChips() {
    const { collections } = library;
    for (const id of chosen) if (!library.get(id)) chosen.delete(id);
    form.hidden = collections.length === 0;
    chips.hidden = collections.length < 2;
    const boxes = [["", "All collections"], ...collections.map(({ id, name }) => [id, name])];
    refill(chips, [h("legend", {}, "Search in"), ...boxes.map(([id, name]) => {
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

  library.addEventListener("change", drawChips, { signal });
  drawChips();
  draw(query.get("q") ?? "");
  return { node: h("div", { class: "stack home" }, form, results.node, browse), title: query.get("q") ?? "" };
}
