// One document of a result: its best passages, rendered, where they stand, how well they fit, and what can be done.
import { copyButton } from "./clipboard.js";
import { citation, deepLink, documentLink, originalUrl, pageText } from "./passage-address.js";
import { h } from "./dom.js";
import { folderOf, shownPath } from "./format.js";
import { menu } from "./menu.js";
import { passage, passageLine } from "./passage.js";
import { reasons, relevanceMeter } from "./relevance.js";
import { EMPTY, searchAddress } from "./search-address.js";

const [MOST_TAGS, MOST_AUTHORS] = [3, 2];

/** The headings above a passage, without the title of the document. */
function headingText({ heading, document: doc }) {
  const parts = (heading ?? "").split(" › ");
  return (parts[0] === doc.title ? parts.slice(1) : parts).join(" › ");
}

function positionText(hit) {
  return [pageText(hit), headingText(hit), hit.recognised ? "recognised text" : ""].filter(Boolean).join(" · ");
}

/** The address of more passages like one. */
export function likeAddress(hit) {
  const { collection, document: doc, seq } = hit;
  return searchAddress({ ...EMPTY, like: { collection: collection.id, document: doc.id, seq, name: doc.title || doc.name } });
}

/** Further passages of the same document, a line each, with their places. */
function furtherPassages(hits, query) {
  if (!hits.length) return null;
  return h("ul", { class: "more", "aria-label": "More of this document" }, hits.map((hit) => h("li", {},
    h("a", { href: documentLink(hit, query) }, positionText(hit) || "Further on"), " ",
    h("span", { class: "snippet", dir: "auto" }, passageLine(hit)))));
}

function copies(hits, query) {
  if (!hits.length) return null;
  const links = hits.map((copy) =>
    h("a", { href: documentLink(copy, query), title: shownPath(copy.document.path) }, copy.document.name));
  return h("p", { class: "hint copies clip" }, "Also in ", links.flatMap((link, at) => (at ? [", ", link] : [link])));
}

/** The authors and the first tags of a document. */
function known({ authors, tags }) {
  const shown = tags.slice(0, MOST_TAGS).map((tag) => h("span", { class: "own" }, `#${tag}`));
  return [authors.length ? h("span", { class: "clip" }, authors.slice(0, MOST_AUTHORS).join(", ")) : null, ...shown];
}

/** The menu of a hit. `card` shows the reasons and the whole passage. */
function actions(hit, card) {
  const whole = h("button", { type: "button", class: "quiet", "aria-pressed": "false" }, "Whole passage");
  const why = h("button", { type: "button", class: "quiet", "aria-pressed": "false" }, "Why this hit?");
  const made = menu("⋯", [why, whole,
    h("a", { class: "quiet", href: likeAddress(hit) }, "More like this passage"),
    copyButton("Copy citation", () => citation(hit)),
    copyButton("Copy link", () => deepLink(hit)),
    h("a", { class: "quiet", href: originalUrl(hit.collection.id, hit.document), target: "_blank", rel: "noopener" }, "Open the file"),
    h("a", { class: "quiet", href: originalUrl(hit.collection.id, hit.document, { download: true }) }, "Save the file"),
  ], { class: "quiet", "aria-label": `Actions for ${hit.document.name}` }, { className: "actions-menu" });
  const toggle = (button, change) => button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    made.close();
    made.summary.focus();
    change(pressed);
  });
  toggle(why, (shown) => {
    if (shown) card.append(reasons(hit));
    else card.querySelector(".why").remove();
  });
  toggle(whole, (shown) => {
    card.classList.toggle("whole", shown);
    card.querySelector(".chunk").replaceWith(passage(hit, { whole: shown }));
  });
  return made.node;
}

/** The card of a hit; `query` are the parameters of the search: `[["q", "pump"], ["in", "id"], …]`. */
export function hitCard(hit, query) {
  const { document: doc, collection } = hit;
  const position = positionText(hit);
  const titled = doc.title && doc.title !== doc.name;
  const name = h("span", { class: "name" }, doc.name);
  const card = h("li", { class: `hit${hit.more.length || hit.also_in.length ? " several" : ""}` },
    h("div", { class: "hit-head" },
      h("h2", { dir: "auto" }, h("a", { href: documentLink(hit, query), title: shownPath(doc.path) },
        titled ? [h("span", {}, doc.title), " "] : null, name)),
      relevanceMeter(hit)),
    h("p", { class: "place" }, position ? h("span", { class: "position clip" }, position) : null,
      h("span", { class: "clip where", title: shownPath(doc.path) }, h("b", {}, collection.name), " ", folderOf(doc)), known(doc)),
    passage(hit), furtherPassages(hit.more, query), copies(hit.also_in, query));
  card.querySelector(".hit-head").append(actions(hit, card));
  return card;
}
