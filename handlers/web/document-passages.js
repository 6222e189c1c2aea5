// The passages of one document that a search finds, in the order of the text: what "next" and "previous" go through.
import { request, url } from "./api.js";
import { h } from "./dom.js";
import { queryText } from "./search-address.js";

const MOST = 50;

/** Their hits; of the whole collection those of the document are asked for by its path. */
export async function passagesOf(search, collectionId, doc, signal) {
  const query = queryText(search);
  if (!query || !search.query) return [];
  const body = {
    query, mode: search.mode, correct: !search.exact, collection_ids: [collectionId], k: MOST, per_document: MOST,
    filters: { path_glob: doc.path.replace(/[*?[\]]/g, "?") },
  };
  const { hits } = await request("POST", url(["search"]), { body, signal, repeatable: true });
  const own = hits.filter((hit) => hit.document.id === doc.id && hit.relevance !== "weak");
  return own.sort((a, b) => a.start - b.start);
}

/** "‹ Passage 2 of 5 ›"; `onSelect(hit)` is called when another one is chosen. */
export function passageSteps(onSelect) {
  let [hits, at] = [[], -1];
  const label = h("span", { class: "steps-label", role: "status" });
  const step = (text, name, change, key) => h("button", {
    type: "button", class: "filter", "aria-label": name, title: `${name} (${key})`, onclick: () => go(change),
  }, text);
  const [previous, next] = [step("‹", "Previous passage", -1, "k"), step("›", "Next passage", 1, "j")];
  const node = h("div", { class: "steps", hidden: true }, previous, label, next);

  function draw() {
    node.hidden = hits.length < 2;
    label.textContent = at < 0 ? `${hits.length} passages` : `Passage ${at + 1} of ${hits.length}`;
    previous.disabled = at === 0;
    next.disabled = at === hits.length - 1;
  }

  function go(change) {
    const target = hits[Math.min(hits.length - 1, Math.max(0, at + change))];
    if (node.hidden || !target || hits.indexOf(target) === at) return;
    at = hits.indexOf(target);
    draw();
    onSelect(target);
  }

  return {
    node, go,
    set(found, current) {
      hits = found;
      at = current ? found.findIndex((hit) => hit.start === current.start) : -1;
      if (current && at < 0) at = found.findIndex((hit) => hit.start <= current.start && current.start < hit.end);
      draw();
    },
  };
}
