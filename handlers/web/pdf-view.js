// A PDF file beside its text: its pages are drawn when they are looked at, and the passage is marked on its page.
//
// pdf.js (vendor/pdfjs) is loaded only here, when a PDF is opened. It reads the file in ranges, uses neither eval nor
// WebAssembly, and loads nothing from elsewhere, so the page's strict policy holds.
import { h } from "./dom.js";
import { passageRanges } from "./pdf-highlight.js";

const LIBRARY = new URL("./vendor/pdfjs/", import.meta.url);
const RANGE_BYTES = 128 << 10;
const NEAR = "600px 0px"; // pages are drawn this far before they are seen
const MOST_DRAWN = 12;
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const DEFAULT_ZOOM = 2; // the width of the pane

async function library() {
  const pdfjs = await import(new URL("pdf.min.mjs", LIBRARY));
  pdfjs.GlobalWorkerOptions.workerSrc = new URL("pdf.worker.min.mjs", LIBRARY).href;
  return pdfjs;
}

/** A viewer of the PDF at `address`. `onOutline(entries)` gets {title, level, page} of its own outline, if it has one. */
export class PdfView {
  #zoom = DEFAULT_ZOOM;
  #pages = [];
  #drawn = [];
  #wanted = null;

  constructor(address, signal, { onOutline }) {
    this.address = address;
    this.signal = signal;
    this.onOutline = onOutline;
    this.number = h("input", { class: "page-number", "aria-label": "Page", inputmode: "numeric", value: "1", onchange: () => this.goTo(Number(this.number.value)) });
    this.total = h("span", { class: "hint" });
    const step = (text, label, action) => h("button", { type: "button", class: "quiet", "aria-label": label, onclick: action }, text);
    this.bar = h("div", { class: "pdf-bar" },
      step("‹", "Previous page", () => this.goTo(this.#current - 1)), this.number, this.total, step("›", "Next page", () => this.goTo(this.#current + 1)),
      h("span", { class: "grow" }), step("−", "Smaller", () => this.#scale(-1)), step("+", "Larger", () => this.#scale(1)));
    this.scroller = h("div", { class: "pdf-pages", tabindex: "0", role: "region", "aria-label": "Pages of the original" });
    this.status = h("p", { class: "hint pdf-status", role: "status" }, "Loading the original…");
    this.node = h("div", { class: "pdf" }, this.bar, this.status, this.scroller);
    signal.addEventListener("abort", () => this.task?.destroy());
  }

  /** Load the file. Raises an error that says what is wrong with it. */
  async open() {
    this.pdfjs = await library();
    if (this.signal.aborted) return;
    this.task = this.pdfjs.getDocument({
      url: this.address, rangeChunkSize: RANGE_BYTES, disableAutoFetch: true, disableStream: true,
      cMapUrl: new URL("cmaps/", LIBRARY).href, cMapPacked: true, standardFontDataUrl: new URL("standard_fonts/", LIBRARY).href,
      useWasm: false, wasmUrl: LIBRARY.href, useWorkerFetch: true, useSystemFonts: true, enableXfa: false,
      verbosity: this.pdfjs.VerbosityLevel.ERRORS,
    });
    this.document = await this.task.promise;
    const first = await this.document.getPage(1);
    const { width, height } = first.getViewport({ scale: 1 });
    this.total.textContent = `of ${this.document.numPages}`;
    this.#pages = Array.from({ length: this.document.numPages }, (_, at) => {
      const node = h("div", { class: "pdf-page", "data-page": at + 1, role: "img", "aria-label": `Page ${at + 1}` });
      node.style.setProperty("--ratio", String(width / height));
      return { node, number: at + 1 };
    });
    this.scroller.replaceChildren(...this.#pages.map(({ node }) => node));
    this.status.hidden = true;
    this.#observe();
    if (this.#wanted) this.show(this.#wanted);
    this.#outline();
  }

  /** Show a passage: {page, text}. */
  show(passage) {
    this.#wanted = passage;
    if (!this.document) return;
    for (const page of this.#pages) if (page.marked) this.#clear(page);
    this.goTo(passage.page);
  }

  goTo(number) {
    const page = this.#pages[Math.min(this.#pages.length, Math.max(1, number || 1)) - 1];
    if (!page) return;
    this.scroller.scrollTop = page.node.offsetTop - 8;
    this.number.value = page.number;
  }

  get #current() {
    return Number(this.number.value);
  }

  #observe() {
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#draw(this.#pages[target.dataset.page - 1]);
      }
    }, { root: this.scroller, rootMargin: NEAR });
    for (const { node } of this.#pages) observer.observe(node);
    this.observer = observer;
    this.signal.addEventListener("abort", () => observer.disconnect());
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true, signal: this.signal });
    this.resized = new ResizeObserver(() => this.#redrawSoon());
    this.resized.observe(this.scroller);
    this.signal.addEventListener("abort", () => this.resized.disconnect());
  }

  #scrolled() {
    const middle = this.scroller.scrollTop + this.scroller.clientHeight / 3;
    const page = this.#pages.findLast(({ node }) => node.offsetTop <= middle);
    if (page && document.activeElement !== this.number) this.number.value = page.number;
  }

  #scale(change) {
    this.#zoom = Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + change));
    const number = this.#current;
    this.scroller.style.setProperty("--zoom", String(ZOOMS[this.#zoom]));
    this.goTo(number);
  }

  #redrawSoon() {
    clearTimeout(this.redrawing);
    this.redrawing = setTimeout(() => {
      if (this.signal.aborted) return;
      for (const page of this.#drawn) if (page.width !== page.node.clientWidth) this.#draw(page);
    }, 150);
  }

  #clear(page) {
    page.task?.cancel();
    Object.assign(page, { task: null, width: 0, marked: false });
    page.node.replaceChildren();
    this.#drawn = this.#drawn.filter((each) => each !== page);
    this.observer.unobserve(page.node);
    this.observer.observe(page.node); // it is drawn again when it is seen
  }

  async #draw(page) {
    const width = page.node.clientWidth;
    if (!width || page.width === width) return;
    page.width = width;
    page.task?.cancel();
    const source = await this.document.getPage(page.number);
    const size = source.getViewport({ scale: 1 });
    page.node.style.setProperty("--ratio", String(size.width / size.height));
    const scale = width / size.width;
    const viewport = source.getViewport({ scale });
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const canvas = h("canvas", { width: Math.floor(viewport.width * density), height: Math.floor(viewport.height * density) });
    page.task = source.render({ canvas, viewport, transform: density === 1 ? null : [density, 0, 0, density, 0, 0] });
    try {
      await page.task.promise;
    } catch (error) {
      if (error.name !== "RenderingCancelledException") throw error;
      return;
    }
    if (page.width !== width || this.signal.aborted) return;
    const layer = h("div", { class: "textLayer" });
    page.node.replaceChildren(canvas, layer);
    page.node.removeAttribute("role");
    page.node.removeAttribute("aria-label");
    page.node.style.setProperty("--total-scale-factor", String(scale));
    await this.#text(page, source, viewport, layer);
    this.#drawn = [...this.#drawn.filter((each) => each !== page), page];
    while (this.#drawn.length > MOST_DRAWN) this.#clear(this.#farthest());
  }

  #farthest() {
    const distance = ({ number }) => Math.abs(number - this.#current);
    return this.#drawn.reduce((far, page) => (distance(page) > distance(far) ? page : far));
  }

  /** The text of a page, which can be selected, with the wanted passage marked in it. */
  async #text(page, source, viewport, layer) {
    const text = new this.pdfjs.TextLayer({ textContentSource: await source.getTextContent(), container: layer, viewport });
    await text.render();
    const wanted = this.#wanted;
    if (!wanted || page.number < wanted.page || page.number > wanted.page + 1) return;
    const ranges = passageRanges(text.textContentItemsStr, wanted.text, page.number > wanted.page);
    for (const { item, from, to } of ranges) this.#mark(text.textDivs[item], from, to);
    page.marked = ranges.length > 0;
    if (page.number === wanted.page && ranges.length && wanted.seen !== true) {
      wanted.seen = true;
      const first = text.textDivs[ranges[0].item].getBoundingClientRect();
      const pane = this.scroller.getBoundingClientRect();
      this.scroller.scrollTop += first.top - pane.top - this.scroller.clientHeight / 3;
    }
  }

  #mark(node, from, to) {
    const text = node.textContent;
    node.replaceChildren(text.slice(0, from), h("mark", { class: "pdf-hit" }, text.slice(from, to)), text.slice(to));
  }

  async #outline() {
    const entries = [];
    const add = async (items, level) => {
      for (const { title, dest, items: inner } of items) {
        const target = typeof dest === "string" ? await this.document.getDestination(dest) : dest;
        if (target?.[0]) {
          const index = typeof target[0] === "number" ? target[0] : await this.document.getPageIndex(target[0]);
          entries.push({ title, level, page: index + 1 });
        }
        if (inner?.length && level < 3) await add(inner, level + 1);
      }
    };
    try {
      await add((await this.document.getOutline()) ?? [], 1);
    } catch (error) {
      console.info(`The outline of the PDF cannot be read: ${error.message}`); // it is shown without
    }
    if (entries.length && !this.signal.aborted) this.onOutline(entries);
  }
}
