// A document's extracted text around a passage, rendered; more of it is loaded at both ends on demand.
// Offsets are characters (code points) as the server counts them, not the UTF-16 units of a JavaScript string.
import { request, url } from "./api.js";
import { h, runGuarded } from "./dom.js";
import { queryPattern } from "./highlight.js";
import { markedNodes } from "./markdown-inline.js";
import { renderMarkdown } from "./markdown.js";
import { isPlain, isWrapped } from "./passage.js";

const WINDOW = 20_000;
const BEFORE = 4_000;
const ROW = /^ {0,3}\|.*\|/; // of a table

export class DocumentText {
  /** `parts` are those of the document's address, `words` the text whose words are marked in the passage. */
  constructor(parts, words, errors, signal) {
    this.parts = parts;
    this.pattern = queryPattern(words);
    this.errors = errors;
    this.signal = signal;
    this.text = h("div", { class: "text md", "aria-busy": "true", dir: "auto" });
    this.earlier = h("button", { type: "button", hidden: true, onclick: () => this.#earlier() }, "Earlier text");
    this.later = h("button", { type: "button", hidden: true, onclick: () => this.#later() }, "Later text");
    this.node = h("div", { class: "document-text stack" }, this.earlier, this.text, this.later);
  }

  /**
   * Show the text around `hit` ({start, end}, or null for the beginning), and return the passage's own text; null if
   * another passage was asked for meanwhile.
   */
  async show(hit, mime) {
    const focused = document.activeElement;
    this.hit = hit;
    this.mime = mime;
    this.text.classList.toggle("plain-text", isPlain(mime));
    this.text.classList.toggle("wrapped", isWrapped(mime));
    this.from = hit ? Math.max(0, hit.start - BEFORE) : 0;
    const content = await this.#read(this.from, Math.max(WINDOW, hit ? hit.end - this.from + BEFORE : 0));
    if (this.hit !== hit) return null;
    this.complete = this.from === 0 && content.next_offset === null ? content.text : null;
    this.next = content.next_offset;
    this.length = content.length;
    this.text.replaceChildren(...this.#nodes(content));
    this.text.removeAttribute("aria-busy");
    this.#drawButtons();
    this.#reveal(focused);
    if (!hit) return "";
    return Array.from(content.text).slice(hit.start - content.offset, hit.end - content.offset).join("");
  }

  /** What stands in place of the text. */
  showNothing(text) {
    this.text.replaceChildren(h("p", { class: "empty" }, text));
    this.text.removeAttribute("aria-busy");
  }

  /** The whole text, up to `most` characters, for its outline. */
  async whole(most) {
    if (this.complete !== null) return this.complete;
    return (await this.#read(0, most)).text;
  }

  #read(offset, limit) {
    return request("GET", url([...this.parts, "content"], { offset, limit }), { signal: this.signal });
  }

  /** The elements of a slice of the text, with the part of the passage that lies in it highlighted. */
  #nodes(content) {
    const characters = Array.from(content.text);
    const clamp = (offset) => Math.min(Math.max(0, offset - content.offset), characters.length);
    const [start, end] = this.hit ? wholeRows(characters, clamp(this.hit.start), clamp(this.hit.end)) : [0, 0];
    const slice = (a, b) => characters.slice(a, b).join("");
    const mail = content.offset === 0 && this.mime === "message/rfc822";
    if (start === end) return this.#rendered(content.text, mail);
    const chunk = h("div", { class: "passage", id: "hit", tabindex: "-1", role: "group", "aria-label": "The passage that was found" },
      this.#rendered(slice(start, end), mail && start < BEFORE, this.pattern));
    return [...this.#rendered(slice(0, start), mail), chunk, ...this.#rendered(slice(end), false)];
  }

  #rendered(text, mail, pattern = null) {
    if (!text.trim()) return [];
    const marks = pattern ? [...text.matchAll(pattern)].map(({ index, 0: word }) => [index, index + word.length]) : [];
    if (isPlain(this.mime)) return [h("p", {}, markedNodes(text.replace(/^\n+|\n+$/g, (ends) => (pattern ? ends : "")), 0, text.length, { marks }))];
    return renderMarkdown(text, { marks, headings: true, mail, joined: this.mime === "message/rfc822", links: true });
  }

  /** The passage takes the focus, unless the reader has moved it elsewhere meanwhile: that would close what they opened. */
  #reveal(focused) {
    const chunk = this.text.querySelector("#hit");
    if (!chunk) return;
    chunk.scrollIntoView({ block: "center" });
    if ([focused, document.body].includes(document.activeElement)) chunk.focus({ preventScroll: true });
  }

  #drawButtons() {
    this.earlier.hidden = this.from === 0;
    this.later.hidden = this.next === null;
  }

  #earlier() {
    return runGuarded(this.earlier, this.errors, async () => {
      const offset = Math.max(0, this.from - WINDOW);
      const content = await this.#read(offset, this.from - offset);
      const height = document.documentElement.scrollHeight;
      this.text.prepend(...this.#nodes(content));
      this.from = offset;
      this.#drawButtons();
      window.scrollBy(0, document.documentElement.scrollHeight - height);
    });
  }

  #later() {
    return runGuarded(this.later, this.errors, async () => {
      const content = await this.#read(this.next, WINDOW);
      this.text.append(...this.#nodes(content));
      this.next = content.next_offset;
      this.#drawButtons();
    });
  }
}

/** A range of characters, with the whole of a row of a table that it begins or ends in: half a row is none. */
function wholeRows(characters, start, end) {
  const lineStart = (at) => (at > 0 ? characters.lastIndexOf("\n", at - 1) + 1 : 0);
  const lineEnd = (at) => {
    const found = characters.indexOf("\n", at);
    return found < 0 ? characters.length : found;
  };
  const inRow = (at) => lineStart(at) < at && at < lineEnd(at) && ROW.test(characters.slice(lineStart(at), lineEnd(at)).join(""));
  return start === end ? [start, end] : [inRow(start) ? lineStart(start) : start, inRow(end) ? lineEnd(end) : end];
}

/** The headings of Markdown as {title, level, start, end}, where offsets count characters. */
export function headingsOf(text) {
  const found = [];
  let at = 0;
  for (const line of text.split("\n")) {
    const heading = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*\s*$/.exec(line);
    const length = Array.from(line).length;
    if (heading?.[2]) found.push({ title: heading[2].replace(/[*_\x60]/g, ""), level: heading[1].length, start: at, end: at + length });
    at += length + 1;
  }
  return found;
}
