// A field for a folder of the server: typed, or chosen in a browser below it; with what indexing it would mean.
import { errorLine, field, h } from "./dom.js";

const TYPING_MS = 600;

/**
 * `onModel(name)`: a recommended model was chosen. `onPath(path)`: another folder is in the field. `open`: the browser stands
 * open from the beginning, and the field follows it. Returns {input, node, reset}.
 */
export function folderField({ label, hint, required = false, open = false, onModel, onPath = () => {}, signal }) {
  const input = h("input", { name: "source_path", placeholder: "/srv/documents/manuals", required, autocomplete: "off", spellcheck: "false" });
  const errors = errorLine();
  const below = h("div", { class: `stack tight chooser${open ? " following" : ""}` });
  const browse = open ? null : h("button", { type: "button", class: "browse", "aria-expanded": "false", onclick: () => toggle() }, "Browse…");
  let loading = null;
  let typing = 0;

  async function make() {
    const { folderChooser } = await import("./folder-chooser.js");
    const made = folderChooser({ onModel, signal, onOpen: follow, onChoose: choose });
    made.browser.node.hidden = true;
    below.append(made.browser.node, made.preview.node);
    return made;
  }

  /** Call `action({browser, preview})`, in the order of the calls; both are loaded at the first one. */
  async function use(action) {
    try {
      loading ??= make();
      const made = await loading;
      if (!signal.aborted) action(made);
    } catch (error) {
      loading = null;
      if (!signal.aborted) errors.show(error);
    }
  }

  function follow(path, byUser) {
    if (!open || (!byUser && input.value.trim())) return;
    input.value = path;
    onPath(path);
  }

  function choose(path) {
    input.value = path;
    onPath(path);
    toggle(false);
    input.focus();
  }

  function toggle(wanted = browse.getAttribute("aria-expanded") !== "true") {
    browse.setAttribute("aria-expanded", String(wanted));
    browse.textContent = wanted ? "Close" : "Browse…";
    return use(({ browser, preview }) => {
      browser.node.hidden = !wanted;
      if (wanted) browser.open(input.value.trim() || null, true);
      else preview.look(input.value.trim());
    });
  }

  input.addEventListener("focus", () => use(() => {}));
  // The room is made with the first letter: what comes later must not move a button that is just being clicked.
  input.addEventListener("input", () => {
    const path = input.value.trim();
    onPath(path);
    use(({ preview }) => preview.reserve(path));
    clearTimeout(typing);
    typing = setTimeout(() => use(({ preview }) => preview.look(path)), TYPING_MS);
  });
  signal.addEventListener("abort", () => clearTimeout(typing));
  if (open) {
    use(({ browser }) => {
      browser.node.hidden = false;
      browser.open(null);
    });
  }
  return {
    input,
    node: h("div", { class: "stack tight folder-field" }, h("div", { class: "with-button" }, field(label, input, hint), browse), errors.node, below),
    reset() {
      clearTimeout(typing);
      if (browse?.getAttribute("aria-expanded") === "true") toggle(false);
      if (loading) use(({ preview }) => preview.stop());
    },
  };
}
