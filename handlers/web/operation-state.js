// What is known of one operation: frames go in, numbers and words come out. No DOM, no network.
import { duration, number, plural } from "./format.js";
import { ENDED, endOf, isBefore } from "./operation-client.js";

const STAGES = {
  scanning_documents: "Looking through the folder",
  scanning_completed: "Folder read; preparing the documents",
  processing_embeddings: "Reading and embedding documents",
  index_completed: "Index written",
  append_completed: "Documents added",
  removing_documents: "Removing documents",
  remove_source_completed: "Documents removed",
  reindex_preflight: "Checking before the new index",
  staging_created: "New index begun",
  reprocessing_progress: "Embedding the documents again",
  validation_complete: "New index checked",
  reindex_completed: "Switched to the new index",
};
const AT_WORK = new Set(["file_processing", "file_completed", "document_processed"]);
const SUMMARIES = new Set(["index_completed", "append_completed", "remove_source_completed"]);
const TYPES = { index: "Indexing", append: "Adding to", reindex: "Re-indexing", remove_source: "Removing from" };

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
  eta = null;
  rate = null;
  place = null;
  message = "";
  summary = null;
  warnings = [];
  errors = [];
  historyCut = false;
  watchers = 0; // pages and programs that follow it, this page included
  #seen = "0-0"; // the last frame taken
  #covered = "0-0"; // the frame that the last snapshot stands for: older ones carry older numbers

  get ended() {
    return ENDED.has(this.status);
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
    if (SUMMARIES.has(frame.type)) this.summary = data;
    if (isBefore(this.#covered, frame.id)) this.#advance(frame.type, data);
  }

  #advance(type, data) {
    const end = endOf({ type });
    if (end) {
      this.status = end;
      this.percent = end === "completed" ? 100 : this.percent;
      this.message = data.error_message ?? data.message ?? "";
      return;
    }
    if (type === "scanning_completed") this.total = data.total_files ?? this.total;
    if (type === "error") return;
    if (AT_WORK.has(type)) this.stage = this.stage || "processing_embeddings";
    else if (type in STAGES) this.stage = type;
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
    take("processed", "processed_files", "processed");
    take("failed", "failed_files", "failed");
    take("skipped", "skipped_files", "skipped");
    take("total", "total_files", "total");
    take("scanned", "scanned");
    take("file", "current_file");
    take("place", "queue_position");
    take("message", "error_message");
    take("summary", "result");
    if ("eta_seconds" in data) this.eta = data.eta_seconds;
    if ("files_per_second" in data) this.rate = data.files_per_second;
    this.percent = Math.max(this.percent, data.progress_percent ?? 0);
    if (this.status === "completed") this.percent = 100;
  }

  #warn(warnings) {
    for (const warning of warnings ?? []) if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  /** "Indexing", "Adding to", …: what is being done to a collection. */
  get verb() {
    return TYPES[this.type.toLowerCase()] ?? "Working on";
  }

  /** The stage in words. */
  get words() {
    if (this.status === "queued") return this.place ? `Waiting in line, place ${this.place}` : "Waiting in line";
    if (this.status === "completed") return "Done";
    if (this.status === "failed") return "Failed";
    if (this.status === "cancelled") return "Cancelled";
    return STAGES[this.stage] ?? (this.stage ? this.stage.replaceAll("_", " ") : "Starting");
  }

  /** The counts in words, such as "12 of 42 files · 1 failed · about 20 s left". */
  get counts() {
    const parts = [];
    if (this.total) parts.push(this.ended ? plural(this.processed, "file") : `${this.processed} of ${plural(this.total, "file")}`);
    else if (this.scanned) parts.push(`${plural(this.scanned, "file")} seen`);
    if (this.failed) parts.push(`${this.failed} failed`);
    if (this.skipped) parts.push(`${this.skipped} skipped`);
    if (this.ended && this.summary?.chunks !== undefined) parts.push(plural(this.summary.chunks, "passage"));
    if (this.ended && this.summary?.duration_s !== undefined) parts.push(duration(this.summary.duration_s));
    if (!this.ended && this.rate) parts.push(`${this.rate.toFixed(this.rate < 10 ? 1 : 0)} files/s`);
    if (!this.ended && this.eta) parts.push(`about ${duration(this.eta)} left`);
    if (!this.ended && this.watchers > 1) parts.push(`${number(this.watchers)} watching`);
    return parts.join(" · ");
  }
}
