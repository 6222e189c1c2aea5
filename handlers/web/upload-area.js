// Where files are dropped, pasted or chosen, to be sent to a collection; each with its progress, or why it was refused.
import { h } from "./dom.js";
import { bytes } from "./format.js";

const AT_ONCE = 3;

/** The card of a collection's uploads. */
export function uploadArea({ collectionStore }, { id }, signal) {
  const list = h("ul", { class: "plain uploads", "aria-live": "polite" });
  const choice = h("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files to upload",
    onchange: () => {
      add(choice.files);
      choice.value = "";
    } });
  const zone = h("div", { class: "drop" },
    h("p", {}, "Drop files here, or paste them."),
    h("button", { type: "button", onclick: () => choice.click() }, "Choose files…"), choice);
  const waiting = [];
  let running = 0;

  function add(files) {
    for (const file of files) {
      const bar = h("progress", { max: Math.max(1, file.size), value: 0, "aria-label": `Upload of ${file.name}` });
      const state = h("p", { class: "hint" }, "waiting");
      const row = h("li", { class: "stack tight" },
        h("div", { class: "row" }, h("p", { class: "path" }, file.name), h("span", { class: "hint" }, bytes(file.size))), bar, state);
      list.prepend(row);
      waiting.push({ file, bar, state });
    }
    next();
  }

  function next() {
    while (running < AT_ONCE && waiting.length && !signal.aborted) {
      running += 1;
      run(waiting.shift()).finally(() => {
        running -= 1;
        next();
      });
    }
  }

  async function run({ file, bar, state }) {
    const show = (sent) => {
      bar.value = sent;
      state.textContent = `${bytes(sent)} sent`;
    };
    try {
      const { uploadFile } = await import("./upload-client.js");
      await uploadFile(id, file, { onProgress: show, signal });
      bar.hidden = true;
      state.textContent = "Uploaded. It is indexed in a moment.";
      await collectionStore.refreshQuietly();
    } catch (error) {
      if (error.name === "AbortError") return;
      bar.hidden = true;
      state.className = "error";
      state.textContent = error.message;
    }
  }

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => zone.classList.toggle("over", on);
  // The whole page takes files, so that none is opened by the browser when it misses the zone.
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  }, { signal });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  }, { signal });
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(false);
    add(event.dataTransfer.files);
  }, { signal });
  window.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    add(event.clipboardData.files);
  }, { signal });
  // Leaving the page would end what is being sent.
  window.addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  }, { signal });
  return h("section", { class: "card stack", "aria-labelledby": "uploads-heading" },
    h("h2", { id: "uploads-heading" }, "Upload files"), zone, list);
}
