// The stages of an operation in their order: which are done, since when the present one lasts, and which come.
import { h } from "./dom.js";
import { duration } from "./format.js";

// [the stages of the protocol that begin it, its name, whether it comes only sometimes]
const READ = "Read and embed";
const RECOGNISE = [["recognizing_text"], "Recognise text", true];
const TIMELINES = {
  index: [[["scanning_documents"], "Find files"], [["scanning_completed", "processing_embeddings"], READ], RECOGNISE, [["index_completed"], "Done"]],
  append: [[["scanning_documents"], "Compare files"], [["scanning_completed"], READ], RECOGNISE, [["append_completed"], "Done"]],
  reindex: [[["reindex_preflight"], "Prepare"], [["staging_created"], READ], RECOGNISE, [["validation_complete"], "Check and switch"],
    [["reindex_completed"], "Done"]],
  remove_source: [[["removing_documents"], "Remove documents"], [["remove_source_completed"], "Done"]],
};

/** The steps of an operation's state: {name, status: "done", "current" or "ahead", seconds}; pure. */
export function steps({ type, status, stages, completedAt }, now) {
  const known = (TIMELINES[type] ?? []).map(([begins, name, rare]) => ({ name, rare, at: begins.map((stage) => stages.get(stage)).find(Boolean) }));
  const listed = known.filter(({ rare, at }) => !rare || at);
  const last = listed.findLastIndex(({ at }) => at);
  const end = completedAt ? Date.parse(completedAt) : now;
  return listed.map(({ name, at }, position) => {
    const next = listed.slice(position + 1).find((step) => step.at)?.at;
    const isLast = position === listed.length - 1;
    const running = position === last && status === "processing" && !isLast;
    return {
      name,
      status: running ? "current" : at && (position < last || status === "completed" || isLast) ? "done" : at ? "current" : "ahead",
      seconds: at && !isLast ? Math.max(0, ((next ? Date.parse(next) : end) - Date.parse(at)) / 1000) : null,
    };
  });
}

/** `node`, and `draw(state)`. */
export function operationTimeline() {
  const node = h("ol", { class: "timeline", "aria-label": "Stages" });
  let drawn = "";
  return {
    node,
    draw(state) {
      const list = steps(state, Date.now()).map((step) => ({ ...step, text: step.seconds >= 1 ? duration(step.seconds) : "" }));
      const text = JSON.stringify(list.map((step) => [step.name, step.status, step.text]));
      if (text === drawn) return;
      drawn = text;
      node.hidden = list.length === 0;
      node.replaceChildren(...list.map(({ name, status, text: lasted }) => h("li", {
        "data-step": status, "aria-current": status === "current" ? "step" : null,
      }, h("span", { class: "step" }, name), h("span", { class: "hint" }, lasted))));
    },
  };
}
