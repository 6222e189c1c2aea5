// An operation's state as text for people: title, stage, counts and result. Pure functions.
import { bytes, duration, isUploads, number, plural, shownPath, splitPath } from "./format.js";

const TITLES = {
  index: (name) => `Indexing ${name}`,
  append: (name) => `Updating ${name}`,
  reindex: (name) => `Re-indexing ${name}`,
  remove_source: (name) => `Removing a folder from ${name}`,
};
const STAGES = {
  scanning_documents: (state) => (state.options.retry ? "Finding the documents that failed" : `Scanning ${folderOf(state)}`),
  scanning_completed: (state) => (state.total ? reading(state) : "There is nothing to read"),
  processing_embeddings: (state) => reading(state),
  recognizing_text: ({ pages }) => `Recognizing text in pictures and scans${pages ? `: ${pages}` : ""}`,
  index_completed: () => "All documents are done",
  append_completed: () => "All documents are done",
  removing_documents: (state) => `Removing the documents of ${folderOf(state)}`,
  remove_source_completed: () => "The folder is removed",
  reindex_preflight: () => "Preparing the new index; search stays available",
  staging_created: () => "Reading and embedding all documents again; search stays available",
  reprocessing_progress: () => "Reading and embedding all documents again; search stays available",
  validation_complete: () => "The new index is validated; switching to it",
  reindex_completed: () => "Switched to the new index",
};
const FOUND = ["new", "changed", "moved", "missing"];

function folderOf({ folder }) {
  if (isUploads(folder)) return "the uploaded files";
  return folder ? `“${splitPath(folder).name || folder}”` : "the folders";
}

function reading(state) {
  if (state.options.retry) return "Reading the documents that failed again";
  if (state.type !== "append") return "Reading and embedding the documents";
  return `Reading and embedding what is new or changed${state.sourceId && state.folder ? ` in ${folderOf(state)}` : ""}`;
}

export function titleText({ type, options }, collection) {
  const name = collection ? `“${collection}”` : "a collection";
  if (options.retry) return `Retrying what failed in ${name}`;
  if (options.remove) return `Removing documents of ${name}`;
  return (TITLES[type] ?? ((target) => `Working on ${target}`))(name);
}

/** The title of a list entry: "Scan of all folders". `path` is its folder's path, if known. */
export function entryText({ type, options, folder }, path) {
  const where = shownPath(folder || path || "");
  if (options.retry) return !Array.isArray(options.retry) ? "Retry of all that had failed"
    : options.retry.length === 1 ? "Retry of one document" : `Retry of ${plural(options.retry.length, "document")}`;
  if (options.remove) return `Removal of ${plural(options.remove.length, "document")}`;
  if (type === "index") return where ? `First scan of ${where}` : "First scan of a folder";
  if (type === "append") return where ? `Scan of ${where}` : "Scan of the folders";
  if (type === "reindex") return "Reindex";
  if (type === "remove_source") return where ? `Removal of ${where}` : "Removal of a folder";
  return type.replaceAll("_", " ");
}

export function stageText(state) {
  if (state.waiting && !state.ended) return `Waiting: ${state.waiting}`;
  if (state.status === "queued") return queueText(state.queuePosition);
  if (state.status === "completed") return "Done";
  if (state.status === "failed") return "Failed";
  if (state.status === "cancelled") return state.message || cancelledText(state);
  const stage = STAGES[state.stage];
  if (stage) return stage(state);
  return state.stage ? state.stage.replaceAll("_", " ") : "Starting";
}

function queueText(position) {
  if (position === null) return "Waiting in line";
  return position ? `Waiting in line: ${plural(position, "operation")} before it` : "Waiting in line: the next to begin";
}

/** What a cancelled operation keeps: the sentence of the server's message, which the REST record does not contain. */
function cancelledText({ type, startedAt, processed, failed, skipped, total }) {
  if (!startedAt) return "Operation cancelled before it began";
  if (type === "reindex") return "Operation cancelled; what was searched before is unchanged";
  if (type === "remove_source") return `Operation cancelled; ${processed} of ${total} documents had gone, the others are kept`;
  if (!total) return "Operation cancelled; nothing was read, and all that was stored before is kept";
  const rest = processed < total ? "; the next scan reads the others" : "";
  if (type === "index") {
    return `Operation cancelled; what was stored so far is kept: ${processed - failed - skipped} of ${total} documents${rest}`;
  }
  return `Operation cancelled; all that was stored before is kept; ${processed} of ${total} new or changed documents were read${rest}`;
}

/** How many pages of pictures are recognised: "12 of 50 pages". */
export function pagesText(data) {
  return data.pages_total ? `${number(data.pages_done)} of ${plural(data.pages_total, "page")}` : "";
}

export function countsText(state) {
  return (state.ended ? resultParts(state) : progressParts(state)).join(" · ");
}

function progressParts(state) {
  const parts = [];
  const noun = state.type === "reindex" || state.type === "remove_source" ? "document" : "file";
  if (state.total) parts.push(`${number(state.processed)} of ${plural(state.total, noun)}`);
  else if (state.scanned) parts.push(`${plural(state.scanned, "file")} seen`);
  if (state.failed) parts.push(`${number(state.failed)} failed`);
  if (state.skipped) parts.push(`${number(state.skipped)} skipped`);
  if (state.bytesTotal) parts.push(`${bytes(state.bytesDone ?? 0)} of ${bytes(state.bytesTotal)}`);
  if (state.live && state.chunkRate) parts.push(`${pace(state.chunkRate)} chunks/s`);
  else if (state.live && state.rate) parts.push(`${pace(state.rate)} files/s`);
  if (state.live && state.eta) parts.push(`about ${duration(state.eta)} left`);
  if (state.people > 1) parts.push(`${number(state.people)} people watching`);
  return parts;
}

function pace(perSecond) {
  return perSecond.toFixed(perSecond < 10 ? 1 : 0);
}

function resultParts(state) {
  const result = state.result ?? {};
  const parts = state.status === "completed" ? completedParts(state, result) : [];
  if (state.status === "failed" && state.total) parts.push(`${number(state.processed)} of ${plural(state.total, "document")}`);
  if (state.failed) parts.push(`${number(state.failed)} failed`);
  if (state.skipped) parts.push(`${number(state.skipped)} skipped`);
  if (result.warned) parts.push(`${number(result.warned)} with warnings`);
  if (state.status === "completed" && result.chunks && state.type !== "remove_source") parts.push(plural(result.chunks, "chunk"));
  const elapsed = state.startedAt && state.completedAt ? (new Date(state.completedAt) - new Date(state.startedAt)) / 1000 : 0;
  const seconds = result.duration_s ?? elapsed;
  if (seconds >= 0.1) parts.push(duration(seconds));
  return parts;
}

function completedParts({ type, options, processed }, result) {
  if (type === "remove_source") {
    const kept = result.kept ? [`${number(result.kept)} stay, as another folder holds them`] : [];
    return [`${plural(result.documents ?? processed, "document")} removed`, ...kept];
  }
  if (type !== "append" || options.retry) return [plural(processed, type === "reindex" ? "document" : "file")];
  const found = FOUND.filter((name) => result[name]).map((name) => `${number(result[name])} ${name}`);
  const unchanged = result.unchanged ? [`${number(result.unchanged)} unchanged`] : [];
  return [...(found.length ? found : ["nothing new"]), ...unchanged];
}
