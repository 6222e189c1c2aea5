// What indexing a folder would mean: how many files of which kinds, in which languages, and about how long it takes.
import { h } from "./dom.js";
import { FolderScan } from "./folder-scan.js";
import { bytes, duration, languageName, number, plural } from "./format.js";
import { estimate } from "./time-estimate.js";

const KINDS = 6;

/** Files by ending, the most frequent first: [[".pdf", 12], …]. */
function byEnding(files) {
  const counts = new Map();
  for (const { extension } of files) counts.set(extension || "no ending", (counts.get(extension || "no ending") ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** `onModel(name)`: the recommended model was chosen. Returns {node, look(path), reserve(path), stop}. */
export function folderPreview({ onModel, signal }) {
  const numbers = h("p", { class: "preview-numbers" });
  const where = h("p", { class: "preview-where" });
  const details = h("div", { class: "stack tight" });
  const stop = h("button", { type: "button", class: "quiet", onclick: () => scan?.stop() }, "Stop counting");
  const node = h("div", { class: "preview", role: "status", hidden: true }, h("div", { class: "row" }, numbers, stop), where, details);
  let scan = null;
  let shown = "";

  /** Show the box before there is anything in it. */
  function reserve(path) {
    if (path === shown) return;
    end();
    node.hidden = !path;
    numbers.textContent = "…";
    details.replaceChildren();
    stop.hidden = true;
  }

  function look(path) {
    if (path === shown) return;
    reserve(path);
    shown = path;
    if (!path) return;
    node.hidden = false;
    details.replaceChildren();
    stop.hidden = false;
    count({ total: 0, total_size: 0, current_path: path }, "Looking through the folder: ");
    const own = scan = new FolderScan(path, {
      onProgress: (found) => count(found, "So far "),
      onEnd: (result) => { if (scan === own) ended(result); },
    });
    scan.start();
  }

  function count({ total, total_size: size, current_path: path }, before) {
    numbers.textContent = `${before}${plural(total, "file")}, ${bytes(size)}`;
    where.textContent = path;
  }

  function ended({ completed, error }) {
    stop.hidden = true;
    where.textContent = "";
    if (error) numbers.textContent = error;
    else if (!completed) numbers.textContent = `${numbers.textContent}. Counting was stopped: that does not matter for indexing.`;
    else show(completed);
  }

  function show({ count: total, total_size: size, files, warnings, languages, recommended_model: model }) {
    numbers.textContent = total ? `${plural(total, "file")}, ${bytes(size)}` : "There are no files in this folder.";
    const endings = byEnding(files);
    const others = endings.slice(KINDS).reduce((sum, [, each]) => sum + each, 0);
    const kinds = endings.slice(0, KINDS).map(([ending, each]) => h("li", { class: "tag" }, `${ending} ${number(each)}`));
    if (others) kinds.push(h("li", { class: "tag" }, `others ${number(others)}`));
    const time = h("p", { class: "hint" });
    details.replaceChildren(...[h("ul", { class: "tags", "aria-label": "Kinds of files" }, kinds), time, advice(languages, model, size),
      warnings.length ? h("details", {}, h("summary", {}, plural(warnings.length, "warning")), h("ul", { class: "plain" }, warnings.map((each) => h("li", {}, each)))) : null].filter(Boolean));
    if (total) tellTime(time, total);
  }

  async function tellTime(line, total) {
    try {
      const seconds = await estimate(total, signal);
      line.textContent = seconds === null ? "How long it takes is known once something was indexed here."
        : `About ${duration(Math.max(1, seconds))} to index, by what was indexed before.`;
    } catch (error) {
      if (!signal.aborted) line.textContent = error.message;
    }
  }

  function advice(languages, model, size) {
    const names = Object.entries(languages).map(([code, files]) => `${languageName(code)} (${files})`).join(", ");
    if (!names) return null;
    if (!model) return h("p", { class: "hint" }, `Languages in a sample: ${names}.`);
    const use = h("button", { type: "button", onclick: () => {
      onModel(model);
      use.disabled = true;
      use.textContent = "Chosen";
    } }, `Use “${model}”`);
    return h("div", { class: "advice" }, h("p", {}, `Most documents here are not in English: ${names}. The model “${model}” understands them; `
      + `the standard one would find little. It is slower, and its vectors take about the same disk as the text (${bytes(size)} here at most).`), use);
  }

  function end() {
    const last = scan;
    scan = null;
    last?.stop();
    shown = "";
    node.hidden = true;
  }

  signal.addEventListener("abort", end);
  return { node, look, reserve, stop: end };
}
