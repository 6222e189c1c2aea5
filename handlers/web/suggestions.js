// Completions of what is typed into the search field, in a line below it: former searches, titles, headings and words.
import { request, url } from "./api.js";
import { h } from "./dom.js";

const PAUSE_MS = 120;
const SHORTEST = 2;
const LIMIT = 6;
const FORMER = 2;

/**
 * The list for `input`. `collections()` are the ids to search in, `former()` the searches made before; `onChoose()` is
 * called with a new value set, `onPast()` when the arrow key leaves the list at its end.
 */
export function suggestions(input, signal, { collections, former, onChoose, onPast }) {
  const list = h("ul", { class: "suggestions", role: "listbox", id: "suggestions", "aria-label": "Suggestions", hidden: true });
  const line = h("div", { class: "suggestions-line" }, list);
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
    option?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function choose(text) {
    input.value = text;
    close();
    onChoose();
  }

  const known = (typed) => former().filter((each) => each.toLowerCase().includes(typed) && each.toLowerCase() !== typed)
    .slice(0, FORMER).map((text) => ({ text, kind: "searched before" }));

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const { signal: latest } = asking;
    const query = input.value;
    const body = { query, limit: LIMIT };
    if (collections().length) body.collection_ids = collections();
    const own = known(query.trim().toLowerCase());
    try {
      const answer = await request("POST", url(["suggest"]), { body, signal: latest });
      if (latest.aborted) return;
      const texts = new Set(own.map(({ text }) => text.toLowerCase()));
      texts.add(query.trim().toLowerCase());
      draw([...own, ...answer.suggestions.filter(({ text }) => !texts.has(text.toLowerCase()))].slice(0, LIMIT));
    } catch (error) {
      if (error.name !== "AbortError") close(); // a search works without: it shows its own errors
    }
  }

  function draw(found) {
    const text = list.children[active]?.firstChild.textContent;
    move(-1);
    list.replaceChildren(...found.map(({ text, kind }, at) => h("li", {
      role: "option", id: `suggestion-${at}`, "aria-selected": "false", title: text,
      onpointerdown: (event) => event.preventDefault(), // the field keeps the focus
      onclick: () => choose(text),
    }, h("span", { class: "clip", dir: "auto" }, text), kind === "word" ? null : h("span", { class: "hint" }, kind))));
    list.hidden = found.length === 0;
    move(found.findIndex((each) => each.text === text)); // an answer may come after the first arrow key
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < SHORTEST) close();
    else timer = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    const count = list.hidden ? 0 : list.children.length;
    if (event.key === "ArrowDown") {
      event.preventDefault();
      if (active + 1 < count) move(active + 1);
      else {
        close();
        onPast();
      }
    } else if (event.key === "ArrowUp" && active >= 0) {
      event.preventDefault();
      move(active - 1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      choose(list.children[active].firstChild.textContent);
    } else if (event.key === "Escape") {
      if (count) event.preventDefault(); // the next one empties the field
      close(); // also what is only asked for yet
    }
  });
  input.addEventListener("blur", close);
  signal.addEventListener("abort", close);
  return { node: line, close };
}
