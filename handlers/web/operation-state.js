// What is known of one operation: frames, or its record of REST, go in; numbers and words come out. No DOM, no network.
import { ENDED, endOf, isBefore } from "./operation-client.js";
import { countsOf, stageOf, titleOf } from "./operation-words.js";

const STAGES = new Set([
  "scanning_documents", "scanning_completed", "processing_embeddings", "index_completed", "append_completed",
  "removing_documents", "remove_source_completed",
  "reindex_preflight", "staging_created", "reprocessing_progress", "validation_complete", "reindex_completed",
]);

export class OperationState {
  type = "";
  status = "queued";
  stage = "";
  processed = 0;
  failed = 0;
  skipped = 0;
  total = 0;
  scanned = 0;
  percent = 0;
  file = "";
  folder = ""; // the one that it is about, or looks through now
  sourceId = null; // of the one folder that it is about
  options = {};
  eta = null;
  rate = null;
  place = null; // how many operations have to end first
  message = "";
  result = null;
  startedAt = null;
  completedAt = null;
  warnings = [];
  errors = [];
  historyCut = false;
  watchers = 0; // pages and programs that follow it, this page included
  #seen = "0-0"; // the last frame taken
  #covered = "0-0"; // the frame that the last snapshot stands for: older ones carry older numbers

  get ended() {
    return ENDED.has(this.status);
  }

  /** What is being done to a collection, such as "Updating “Manuals”". */
  title(collection) {
    return titleOf(this, collection);
  }

  /** The stage in words, or how it ended. */
  get words() {
    return stageOf(this);
  }

  /** The counts in words, such as "12 of 42 files · 1 failed · about 20 s left". */
  get counts() {
    return countsOf(this);
  }

  /** Take one frame; repeated ones change nothing. */
  apply(frame) {
    const { data } = frame;
    if (frame.type === "current_state") {
      if (data.last_id) this.#covered = data.last_id;
      this.#warn(data.warnings);
      this.#numbers(data);
      return;
    }
    if (frame.type === "history_truncated") this.historyCut = true;
    if (frame.type === "presence") this.watchers = data.watchers;
    if (!frame.id || !isBefore(this.#seen, frame.id)) return;
    this.#seen = frame.id;
    this.#warn(data.warnings);
    if (frame.type === "error" && !data.fatal) {
      this.errors.push({ path: data.path ?? "", message: data.message, category: data.category ?? "" });
    }
    if (endOf(frame) === "cancelled") this.message = data.message; // no snapshot has it
    if (isBefore(this.#covered, frame.id)) this.#advance(frame.type, data);
  }

  #advance(type, data) {
    const end = endOf({ type });
    if (end) {
      this.status = end;
      this.percent = end === "completed" ? 100 : this.percent;
      this.message = data.error_message ?? data.message ?? "";
      this.result = data.result ?? null;
      return;
    }
    if (type === "scanning_completed") this.total = data.total_files ?? this.total;
    if (type === "error") return;
    if (STAGES.has(type)) this.stage = type;
    const { status, ...numbers } = data;
    const stated = type === "status_update" || type === "operation_started";
    this.#numbers(stated ? data : numbers);
  }

  /** Each field that is there; the rest stays. `status` of a file's frame is words, and is left out above. */
  #numbers(data) {
    const take = (field, ...names) => {
      const name = names.find((candidate) => data[candidate] !== undefined && data[candidate] !== null);
      if (name) this[field] = data[name];
    };
    take("type", "operation_type");
    take("status", "status");
    take("stage", "stage");
    take("processed", "processed_files", "processed", "removed");
    take("failed", "failed_files", "failed");
    take("skipped", "skipped_files", "skipped");
    take("total", "total_files", "total");
    take("scanned", "scanned");
    take("file", "current_file");
    take("sourceId", "source_id");
    take("options", "options");
    this.folder = data.source_path || this.options.source_path || this.folder;
    take("place", "queue_position");
    take("message", "error_message");
    take("result", "result");
    take("startedAt", "started_at");
    take("completedAt", "completed_at");
    if ("eta_seconds" in data) this.eta = data.eta_seconds;
    if ("files_per_second" in data) this.rate = data.files_per_second;
    this.percent = Math.max(this.percent, data.progress_percent ?? 0);
    if (this.status === "completed") this.percent = 100;
  }

  #warn(warnings) {
    for (const warning of warnings ?? []) if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }
}
