// Sends one file to a collection by tus 1.0: what has come stays when the connection is lost, and the rest follows.
import { events, Problem, url } from "./api.js";

const PIECE = 8 << 20;
const PATIENCE_MS = 60_000; // without any new bytes

/** Send a `File`; `onProgress(sent)` gets its bytes so far. Throws a Problem when the server refuses it. */
export async function uploadFile(collectionId, file, { onProgress, signal }) {
  const metadata = [["filename", file.name], ["lastModified", String(file.lastModified)]]
    .map(([key, value]) => `${key} ${base64(value)}`).join(",");
  const begin = { "Upload-Length": file.size, "Upload-Metadata": metadata };
  const whole = file.size > 0 && file.size <= PIECE;
  let place = null;
  let offset = 0;
  let progressAt = performance.now();
  for (let failures = 0; offset < file.size || place === null;) {
    try {
      if (place === null) {
        const answer = await send("POST", url(["collections", collectionId, "uploads"]),
          whole ? { ...begin, "Content-Type": "application/offset+octet-stream" } : begin, whole ? file : null, onProgress, signal);
        place = new URL(answer.getResponseHeader("Location"), location.href).pathname;
        offset = Number(answer.getResponseHeader("Upload-Offset"));
      } else {
        if (failures) offset = Number((await send("HEAD", place, {}, null, null, signal)).getResponseHeader("Upload-Offset"));
        const begun = offset;
        const answer = await send("PATCH", place, { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" },
          file.slice(offset, offset + PIECE), (sent) => onProgress(begun + sent), signal);
        offset = Number(answer.getResponseHeader("Upload-Offset"));
      }
      failures = 0;
      progressAt = performance.now();
      onProgress(offset);
    } catch (error) {
      const temporary = error.status === 0 || error.status === 503 || error.status === 429 || (error.status === 409 && place !== null);
      if (!temporary || performance.now() - progressAt > PATIENCE_MS) throw error;
      failures += 1;
      await new Promise((resolve) => setTimeout(resolve, Math.max(error.retryAfterMs, Math.min(8_000, 500 * 2 ** failures))));
    }
  }
}

/** One request; fetch cannot tell how much of a body was sent. */
function send(method, path, headers, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const ask = new XMLHttpRequest();
    const abort = () => ask.abort();
    ask.open(method, path);
    for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", ...headers })) ask.setRequestHeader(name, value);
    if (onProgress && body) ask.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    ask.addEventListener("load", () => (ask.status < 300 ? resolve(ask) : reject(problemOf(ask))));
    ask.addEventListener("error", () => reject(problemOf(ask)));
    ask.addEventListener("abort", () => reject(new DOMException("The upload was aborted", "AbortError")));
    ask.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    signal.addEventListener("abort", abort);
    if (signal.aborted) reject(new DOMException("The upload was aborted", "AbortError"));
    else ask.send(body);
  });
}

function problemOf(ask) {
  let detail = ask.status ? `The server answered with status ${ask.status}.` : "The server does not answer. Check that it is running, and try again.";
  if (ask.getResponseHeader("Content-Type")?.includes("json") && ask.responseText) detail = JSON.parse(ask.responseText).detail;
  if (ask.status === 401) events.dispatchEvent(new Event("unauthorized"));
  const problem = new Problem(ask.status, detail);
  problem.retryAfterMs = 1000 * (Number(ask.getResponseHeader("Retry-After")) || 0);
  return problem;
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
