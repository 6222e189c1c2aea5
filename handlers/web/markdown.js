// Text of the readers (Markdown, or fragments of it) as elements, with ranges of it marked. Pure; parses no HTML.
//
// A passage is a fragment: a table without its head, a fence that is never closed. Every node knows where its text
// comes from, so that ranges of the source are marked in what is shown. Offsets are UTF-16 units here.
import { h } from "./dom.js";
import { inlineNodes } from "./markdown-inline.js";

const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/;
const FENCE = /^ {0,3}(\x60{3,}|~{3,})/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const ROW = /^ {0,3}\|.*\|[ \t]*$/;
const DELIMITER = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const ITEM = /^([ \t]*)([-*+•]|\d{1,9}[.)])[ \t]+/;
const QUOTE = /^ {0,3}> ?/;
const MAIL = /^(Subject|From|To|Cc|Bcc|Reply-To|Date): /;
const LEAST_COLUMNS = 2;
const DEEPEST = 6;
const FILLED = 55; // characters of a line that a mail program has broken

/** The lines of `text` as {from, to}, without their ends. */
function linesOf(text) {
  const lines = [];
  let from = 0;
  for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
    lines.push({ from, to: text[to - 1] === "\r" ? to - 1 : to });
    from = to + 1;
  }
  lines.push({ from, to: text.length });
  return lines;
}

/**
 * `text` as a list of elements. `marks` are ranges [start, end) in a <mark>, ascending; `best` is a range in
 * <span class="best">. `headings` is whether headings are <h2>…<h6>, or paragraphs (inside a hit); with `mail` the
 * first lines of a message are its headers. With `joined` a paragraph of filled lines is shown as one.
 */
export function renderMarkdown(text, { marks = [], best = null, headings = false, mail = false, joined = false, links = false } = {}) {
  return new Blocks(text, { marks, best, links }, { headings, mail, joined }).render();
}

class Blocks {
  constructor(text, inline, options) {
    this.text = text;
    this.inline = inline;
    Object.assign(this, options);
    this.level = 1;
    this.lines = linesOf(text);
    this.at = 0;
    this.nodes = [];
    this.paragraph = null;
  }

  render() {
    while (this.at < this.lines.length) this.#block();
    this.#endParagraph();
    return this.nodes;
  }

  #line(at = this.at) {
    const line = this.lines[at];
    return line === undefined ? "" : this.text.slice(line.from, line.to);
  }

  #block() {
    const line = this.#line();
    const { from, to } = this.lines[this.at];
    if (!line.trim()) {
      this.#endParagraph();
      this.at += 1;
    } else if (FENCE.test(line)) this.#add(this.#code(FENCE.exec(line)[1]));
    else if (HEADING.test(line)) this.#add(this.#heading(HEADING.exec(line), from));
    else if (RULE.test(line)) {
      this.at += 1;
      this.#add(h("hr"));
    } else if (this.#startsTable(line)) this.#add(this.#table());
    else if (ITEM.test(line) && this.#startsList(line)) this.#add(this.#list());
    else if (QUOTE.test(line)) this.#add(this.#quote());
    else {
      this.paragraph ??= { from, to };
      this.paragraph.to = to;
      this.at += 1;
    }
  }

  #add(node) {
    this.#endParagraph();
    if (node) this.nodes.push(node);
  }

  #endParagraph() {
    if (!this.paragraph) return;
    const { from, to } = this.paragraph;
    this.paragraph = null;
    const header = this.mail ? MAIL.exec(this.text.slice(from, to)) : null;
    if (header) {
      const colon = from + header[1].length;
      this.nodes.push(h("p", { class: "mail-header" }, h("b", {}, this.#text(from, colon)), " ",
        h("span", {}, this.#text(colon + 2, to))));
      return;
    }
    const lines = this.joined ? this.text.slice(from, to).split("\n").slice(0, -1) : [];
    const filled = lines.length > 0 && lines.every((line) => line.length >= FILLED);
    this.nodes.push(h("p", filled ? { class: "filled" } : {}, this.#text(from, to)));
  }

  #text(from, to) {
    return inlineNodes(this.text, from, to, this.inline);
  }

  #heading(found, from) {
    const start = from + found[0].indexOf(found[2], found[0].indexOf(found[1]) + found[1].length);
    const content = this.#text(start, start + found[2].length);
    this.at += 1;
    if (!this.headings) return h("p", { class: "heading" }, content);
    this.level = Math.min(this.level + 1, found[1].length + 1, DEEPEST); // no level is left out
    return h(`h${this.level}`, { "data-offset": from }, content);
  }

  #code(fence) {
    const first = this.at + 1;
    let end = first;
    while (end < this.lines.length && !this.#line(end).trim().startsWith(fence)) end += 1;
    this.at = end + 1;
    if (first >= end) return null;
    return h("pre", { tabindex: "0" }, h("code", {}, inlineNodes(this.text, this.lines[first].from, this.lines[end - 1].to,
      { ...this.inline, plain: true })));
  }

  /** A row between bars, or one without them above a row of dashes. */
  #startsTable(line) {
    if (ROW.test(line)) return true;
    const next = this.#line(this.at + 1);
    return line.includes("|") && next.includes("|") && DELIMITER.test(next);
  }

  #table() {
    const rows = [];
    let head = null;
    for (; this.at < this.lines.length; this.at += 1) {
      const line = this.#line();
      if (!line.includes("|") || !line.trim()) break;
      if (!DELIMITER.test(line)) rows.push(this.#cells(this.lines[this.at]));
      else if (rows.length === 1 && !head) head = rows.pop();
    }
    if (head?.every((cell) => cell.from === cell.to)) head = null;
    const most = Math.max(...[head ?? [], ...rows].map((cells) => cells.length));
    if (most < LEAST_COLUMNS && !rows.length && !head) return null;
    const row = (cells, tag) => h("tr", {}, cells.map(({ from, to }) => {
      const empty = from === to;
      return h(empty && tag === "th" ? "td" : tag, tag === "th" && !empty ? { scope: "col" } : {}, this.#text(from, to));
    }));
    return h("div", { class: "table", tabindex: "0" }, h("table", {},
      head ? h("thead", {}, row(head, "th")) : null, h("tbody", {}, rows.map((cells) => row(cells, "td")))));
  }

  /** The cells of a row as ranges, without the spaces around them. */
  #cells({ from, to }) {
    const cells = [];
    let start = from;
    const push = (end) => {
      let [a, b] = [start, end];
      while (a < b && /\s/.test(this.text[a])) a += 1;
      while (b > a && /\s/.test(this.text[b - 1])) b -= 1;
      cells.push({ from: a, to: b });
    };
    for (let at = from; at < to; at += 1) {
      if (this.text[at] === "\\") at += 1;
      else if (this.text[at] === "|") {
        push(at);
        start = at + 1;
      }
    }
    push(to);
    if (cells.length > 1 && cells[0].from === cells[0].to && this.text.slice(from, to).trimStart().startsWith("|")) cells.shift();
    const last = cells.at(-1);
    if (cells.length > 1 && last.from === last.to && this.text.slice(from, to).trimEnd().endsWith("|")) cells.pop();
    return cells;
  }

  /** A number alone is no list: it may be that of a heading, or begin a line inside a sentence. */
  #startsList(line) {
    if (!/^\s*\d/.test(line)) return true;
    return !this.paragraph && [1, 2].some((next) => ITEM.test(this.#line(this.at + next)));
  }

  #list() {
    const items = [];
    for (; this.at < this.lines.length; this.at += 1) {
      const line = this.#line();
      const found = ITEM.exec(line);
      const { from, to } = this.lines[this.at];
      if (found && !RULE.test(line)) {
        items.push({ indent: found[1].length, number: /\d+/.exec(found[2])?.[0], ranges: [{ from: from + found[0].length, to }] });
      } else if (line.trim() && /^\s/.test(line) && items.length) {
        const start = from + line.search(/\S/);
        items.at(-1).ranges.push({ from: start, to });
      } else if (!line.trim() && ITEM.test(this.#line(this.at + 1))) continue;
      else break;
    }
    return this.#nested(items, 0, items.length);
  }

  /** Items from `first` to `end` as one list; those that are indented more are lists in the item before them. */
  #nested(items, first, end) {
    const { indent, number } = items[first];
    const list = number === undefined ? h("ul") : h("ol", { start: Number(number) === 1 ? null : number });
    for (let at = first; at < end;) {
      let next = at + 1;
      while (next < end && items[next].indent > indent) next += 1;
      const content = items[at].ranges.flatMap(({ from, to }, line) => [line ? " " : "", ...this.#text(from, to)]);
      list.append(h("li", {}, content, next > at + 1 ? this.#nested(items, at + 1, next) : null));
      at = next;
    }
    return list;
  }

  #quote() {
    const content = [];
    for (; QUOTE.test(this.#line()); this.at += 1) {
      const { from, to } = this.lines[this.at];
      const start = from + QUOTE.exec(this.#line())[0].length;
      content.push(...(content.length ? ["\n"] : []), ...this.#text(start, to));
    }
    return h("blockquote", {}, h("p", {}, content));
  }
}
