// One look through a folder over the scan socket: counts and sizes while it walks, then what it found. No DOM.

const CANCELLED = new Set(["completed", "cancelled"]);

export class FolderScan {
  #socket = null;
  #ended = false;

  /**
   * `onProgress({total, total_size, current_path})` as it goes; `onEnd(result)` once: {completed: message}, {cancelled: true}
   * or {error: text}.
   */
  constructor(path, { onProgress, onEnd }) {
    this.path = path;
    this.onProgress = onProgress;
    this.onEnd = onEnd;
  }

  start() {
    const address = new URL(`/ws/scan/${crypto.randomUUID()}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.#socket = new WebSocket(address, ["semantik.v1"]);
    this.#socket.onopen = () => this.#socket.send(JSON.stringify({ action: "scan", path: this.path }));
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    this.#socket.onclose = ({ reason }) => this.#end({ error: reason || "The connection to the server was lost." });
  }

  /** End it; the server stops walking at once. */
  stop() {
    this.#end({ cancelled: true });
  }

  #take(message) {
    if (this.#ended) return;
    if (message.type === "progress") this.onProgress(message.data);
    else if (message.type === "error") this.#end({ error: message.data.message });
    else if (CANCELLED.has(message.type)) this.#end(message.type === "completed" ? { completed: message.data } : { cancelled: true });
  }

  #end(result) {
    if (this.#ended) return;
    this.#ended = true;
    // Closed before it is open, a socket complains in the console.
    if (this.#socket?.readyState === WebSocket.CONNECTING) this.#socket.onopen = () => this.#socket.close();
    else this.#socket?.close();
    this.onEnd(result);
  }
}
