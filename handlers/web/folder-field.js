// A field for a folder of the server: typed, or chosen in a browser below it; with what indexing it would mean.
import { field, h } from "./dom.js";
import { folderBrowser } from "./folder-browser.js";
import { folderPreview } from "./folder-preview.js";

const TYPING_MS = 600;

/** `onModel(name)` as in `folderPreview`. Returns {input, browser, preview, reset}: nodes, from top to bottom. */
export function folderField({ label, hint, required = false, onModel, signal }) {
  const input = h("input", { name: "source_path", placeholder: "/srv/documents/manuals", required, autocomplete: "off", spellcheck: "false" });
  const preview = folderPreview({ onModel, signal });
  const browser = folderBrowser({
    signal,
    onOpen: (path) => preview.look(path),
    onChoose: (path) => {
      input.value = path;
      toggle(false);
      preview.look(path);
      input.focus();
    },
  });
  let typing = 0;
  browser.node.hidden = true;
  const browse = h("button", { type: "button", class: "browse", "aria-expanded": "false", onclick: () => toggle(browser.node.hidden) }, "Browse…");

  function toggle(open) {
    browser.node.hidden = !open;
    browse.setAttribute("aria-expanded", String(open));
    browse.textContent = open ? "Close" : "Browse…";
    if (open) browser.open(input.value.trim() || null, true);
    else preview.look(input.value.trim());
  }

  // The room is made with the first letter: what comes later must not move a button that is just being clicked.
  input.addEventListener("input", () => {
    const path = input.value.trim();
    preview.reserve(path);
    clearTimeout(typing);
    typing = setTimeout(() => preview.look(path), TYPING_MS);
  });
  signal.addEventListener("abort", () => clearTimeout(typing));
  return {
    input,
    node: h("div", { class: "stack tight folder-field" }, h("div", { class: "with-button" }, field(label, input, hint), browse), browser.node, preview.node),
    reset() {
      clearTimeout(typing);
      toggle(false);
      preview.stop();
    },
  };
}
