// The state of one operation. Input: messages, or its REST record; output: numbers and texts. No DOM, no network.
import { ENDED, endStatus, isBefore } from "./operation-client.js";
import { countsText, pagesText, stageText, titleText } from "./operation-text.js";

const SAMPLES = 240; // of the pace, at most one a second
const SAMPLE_MS = 1_000;
const STAGES = new Set([
  "scanning_documents", "scanning_completed", "processing_embeddings", "recognizing_text",
  "index_completed", "append_completed",
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
  pages = ""; // of pictures whose text is recognised: "12 of 50 pages"
  percent = 0;
  file = "";
  folder = ""; // the path that it is about, or scans now
  sourceId = null; // when it is about one source
  options = {};
  eta = null;
  rate = null;
  chunkRate = null;
  byteRate = null;
  bytesDone = null;
  bytesTotal = null;
  samples = []; // of the pace: {at, chunks, bytes}, the oldest first
  stages = new Map(); // when each stage was reached, by its name
  queuePosition = null; // how many operations run before it
  waiting = ""; // why no server can take it
  message = "";
  result = null;
  startedAt = null;
  completedAt = null;
  warnings = [];
  errors = [];
  historyTruncated = false;
  people = 0; // users who follow it, this one included; their tabs and programs do not count
  live = true; // whether messages arrive; what is known of the pace is shown only then
  #seen = "0-0"; // id of the last message applied
  #covered = "0-0"; // last id that the newest snapshot includes: older messages carry older numbers

  get ended() {
    return ENDED.has(this.status);
  }

  /** The title, such as "Updating “Manuals”". */
  title(collection) {
    return titleText(this, collection);
  }

  /** The stage as text, or how it ended. */
  get stageText() {
    return stageText(this);
  }

  /** The counts as text, such as "12 of 42 files · 1 failed · about 20 s left". */
  get countsText() {
    return countsText(this);
  }

  /** Note how messages arrive: a state of OperationClient's `onConnection`. */
  connected(state) {
    this.live = state === "live" || state === "polling" || state === "ended";
  }

  /** Apply one message; a repeated one changes nothing. */
  apply(message) {
    const { data } = message;
    if (message.type === "current_state") {
      if (data.last_id) this.#covered = data.last_id;
      this.#addWarnings(data.warnings);
      for (const { name, at } of data.stages ?? []) this.stages.set(name, at);
      this.#assign(data);
      return;
    }
    if (message.type === "history_truncated") this.historyTruncated = true;
    if (message.type === "presence") this.people = data.users;
    if (!message.id || !isBefore(this.#seen, message.id)) return;
    this.#seen = message.id;
    this.#addWarnings(data.warnings);
    if (STAGES.has(message.type) && !this.stages.has(message.type)) this.stages.set(message.type, message.timestamp);
    this.#sample(message.timestamp, data);
    if (message.type === "error" && !data.fatal) {
      this.errors.push({ path: data.path ?? "", message: data.message, category: data.category ?? "" });
    }
    if (endStatus(message) === "cancelled") this.message = data.message; // snapshots do not contain it
    if (isBefore(this.#covered, message.id)) this.#applyProgress(message.type, data);
  }

  /** Also messages of the history count: after a reload the pace is drawn again from them. */
  #sample(timestamp, { chunks_per_second: chunks, bytes_per_second: bytes }) {
    if (chunks === undefined || chunks === null) return;
    const at = Date.parse(timestamp);
    if (at - (this.samples.at(-1)?.at ?? 0) < SAMPLE_MS) return;
    this.samples.push({ at, chunks, bytes });
    if (this.samples.length > SAMPLES) this.samples.shift();
  }

  #applyProgress(type, data) {
    const status = endStatus({ type });
    if (status) {
      this.status = status;
      this.percent = status === "completed" ? 100 : this.percent;
      this.message = data.error_message ?? data.message ?? "";
      this.result = data.result ?? null;
      return;
    }
    if (type === "scanning_completed") this.total = data.total_files ?? this.total;
    if (type === "error") return;
    if (STAGES.has(type)) this.stage = type;
    if (type !== "operation_queued" && type !== "status_update") this.waiting = ""; // a server runs it
    if (type === "recognizing_text") this.pages = pagesText(data);
    const { status: _text, ...fields } = data;
    const hasStatus = type === "status_update" || type === "operation_started";
    this.#assign(hasStatus ? data : fields);
  }

  /** Copy the fields that `data` has. `status` of a file's message is a sentence for people; the caller removes it. */
  #assign(data) {
    const copy = (field, ...names) => {
      const name = names.find((candidate) => data[candidate] !== undefined && data[candidate] !== null);
      if (name) this[field] = data[name];
    };
    copy("type", "operation_type");
    copy("status", "status");
    copy("stage", "stage");
    copy("processed", "processed_files", "processed", "removed");
    copy("failed", "failed_files", "failed");
    copy("skipped", "skipped_files", "skipped");
    copy("total", "total_files", "total");
    copy("scanned", "scanned");
    copy("file", "current_file");
    copy("sourceId", "source_id");
    copy("options", "options");
    this.folder = data.source_path || this.options.source_path || this.folder;
    copy("queuePosition", "queue_position");
    if ("waiting" in data) this.waiting = data.waiting ?? "";
    copy("message", "error_message");
    copy("result", "result");
    copy("startedAt", "started_at");
    copy("completedAt", "completed_at");
    if ("eta_seconds" in data) this.eta = data.eta_seconds;
    if ("files_per_second" in data) this.rate = data.files_per_second;
    if ("chunks_per_second" in data) this.chunkRate = data.chunks_per_second;
    if ("bytes_per_second" in data) this.byteRate = data.bytes_per_second;
    copy("bytesDone", "bytes_done");
    copy("bytesTotal", "bytes_total");
    this.percent = Math.max(this.percent, data.progress_percent ?? 0);
    if (this.status === "completed") this.percent = 100;
  }

  #addWarnings(warnings) {
    for (const warning of warnings ?? []) if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }
}

/** The mean percentage of operations; 0 while there are none, or none has one. */
export function meanPercent(states) {
  return states.length ? states.reduce((sum, { percent }) => sum + percent, 0) / states.length : 0;
}
