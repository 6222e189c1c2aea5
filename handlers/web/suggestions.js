// Completions of what is typed into the search field: titles, headings and words, in a list below it.
import { request, url } from "./api.js";
import { h } from "./dom.js";

const PAUSE_MS = 120;
const SHORTEST = 2;
const LIMIT = 8;

/** The list for `input`; `collections()` are the ids to search in, and `onChoose()` is called with a new value set. */
export function suggestions(input, signal, { collections, onChoose }) {
  const list = h("ul", { class: "suggestions card", role: "listbox", id: "suggestions", "aria-label": "Suggestions", hidden: true });
  let asking = new AbortController();
  let timer;
  let active = -1;
  for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", list.id]]) input.setAttribute(name, value);

  function close() {
    clearTimeout(timer);
    asking.abort();
    list.hidden = true;
    move(-1);
  }

  /** Mark one suggestion as the active one; -1 is none. */
  function move(position) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = position;
    const option = list.children[active];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function choose(text) {
    input.value = text;
    close();
    onChoose();
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const { signal: latest } = asking;
    const query = input.value;
    const body = { query, limit: LIMIT };
    if (collections().length) body.collection_ids = collections();
    try {
      const answer = await request("POST", url(["suggest"]), { body, signal: latest });
      if (!latest.aborted) draw(answer.suggestions);
    } catch (error) {
      if (error.name !== "AbortError") close(); // a search works without: it shows its own errors
    }
  }

  function draw(found) {
    const text = list.children[active]?.firstChild.textContent;
    move(-1);
    list.replaceChildren(...found.map(({ text, kind }, at) => h("li", {
      role: "option", id: `suggestion-${at}`, "aria-selected": "false",
      onpointerdown: (event) => event.preventDefault(), // the field keeps the focus
      onclick: () => choose(text),
    }, h("span", {}, text), kind === "word" ? null : h("span", { class: "hint" }, kind))));
    list.hidden = found.length === 0;
    move(found.findIndex((each) => each.text === text)); // an answer may come after the first arrow key
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < SHORTEST) close();
    else timer = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const count = list.children.length + 1; // the position before the first is the field itself
      move(((active + 1 + step + count) % count) - 1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      choose(list.children[active].firstChild.textContent);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
  });
  input.addEventListener("blur", close);
  signal.addEventListener("abort", close);
  return { node: list, close };
}
