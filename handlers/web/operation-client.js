// Follows one operation over its WebSocket: resumes after the last frame it has seen, backs off with jitter,
// asks the REST API while sockets fail, and stops when the operation or the right to watch it ends.
import { request, url } from "./api.js";
import { endOf } from "./operation-state.js";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const STEADY_MS = 10_000; // a socket that lived this long starts the back-off anew
const POLL_MS = 2_000;
const PING_MS = 15_000;
const SILENCE_MS = 40_000;
const NORMAL = 1000;
const POLICY = 1008;

/**
 * `onFrame(frame)` gets each message, and each polled state as a `current_state`; `onConnection(state, reason)`
 * one of "live", "reconnecting", "polling", "stopped", "ended".
 */
export class OperationClient {
  #socket = null;
  #cursor = null;
  #failures = 0;
  #ended = false;
  #closed = false;
  #timers = { retry: 0, poll: 0, ping: 0 };

  constructor(id, { onFrame, onConnection }) {
    this.id = id;
    this.onFrame = onFrame;
    this.onConnection = onConnection;
  }

  start() {
    const address = new URL(`/ws/operations/${encodeURIComponent(this.id)}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (this.#cursor) address.searchParams.set("since", this.#cursor);
    const socket = new WebSocket(address);
    const opened = performance.now();
    let heard = opened;
    this.#socket = socket;
    this.#timers.ping = setInterval(() => {
      if (performance.now() - heard > SILENCE_MS) this.#lost(opened, "The connection fell silent.");
      else if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
    }, PING_MS);
    socket.onmessage = (event) => {
      heard = performance.now();
      this.#take(JSON.parse(event.data));
    };
    socket.onclose = (event) => this.#closedWith(event, opened);
  }

  /** Stop watching; the operation itself goes on. */
  stop() {
    this.#closed = true;
    clearTimeout(this.#timers.retry);
    clearTimeout(this.#timers.poll);
    this.#leave();
  }

  #leave() {
    clearInterval(this.#timers.ping);
    if (!this.#socket) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #take(frame) {
    if (frame.type === "pong") return;
    clearTimeout(this.#timers.poll);
    this.#timers.poll = 0;
    if (frame.id) this.#cursor = frame.id;
    if (!this.#ended) this.onConnection("live");
    this.#deliver(frame);
  }

  #deliver(frame) {
    this.onFrame(frame);
    if (endOf(frame) && !this.#ended) {
      this.#ended = true;
      this.onConnection("ended");
    }
  }

  #closedWith(event, opened) {
    if (event.code === POLICY) {
      this.#leave();
      this.#settle(event.reason || "The server no longer lets this page watch the operation.");
    } else if (this.#ended) {
      this.stop();
    } else if (event.code === NORMAL) {
      this.#leave();
      this.#settle("The server ended the connection before the operation's end.");
    } else {
      this.#lost(opened, event.reason);
    }
  }

  #lost(opened, reason) {
    this.#leave();
    if (this.#ended) return;
    this.#failures = performance.now() - opened > STEADY_MS ? 1 : this.#failures + 1;
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1));
    this.#timers.retry = setTimeout(() => this.start(), ceiling * (0.5 + Math.random() / 2));
    if (!this.#timers.poll) this.onConnection("reconnecting", reason);
    if (this.#failures >= 2 && !this.#timers.poll) this.#poll();
  }

  #poll() {
    this.#timers.poll = setTimeout(async () => {
      const asked = this.#timers.poll;
      await this.#ask();
      if (this.#timers.poll === asked && !this.#closed) this.#poll();
    }, POLL_MS);
  }

  /** The state from the REST API, handed on as the frame that a socket would have sent. */
  async #ask() {
    try {
      const operation = await request("GET", url(["operations", this.id]));
      if (this.#closed) return;
      if (this.#timers.poll && !this.#ended) this.onConnection("polling");
      this.#deliver({ type: "current_state", data: operation });
      if (this.#ended) this.stop();
    } catch (error) {
      if (this.#closed) return;
      if (error.status === 404 || error.status === 403) {
        this.stop();
        this.onConnection("stopped", error.message);
      } else {
        this.onConnection("reconnecting", error.message);
      }
    }
  }

  /** No more sockets: ask once how things stand (a 401 brings the sign-in form), then stop and say why. */
  async #settle(reason) {
    await this.#ask();
    if (this.#closed) return;
    this.stop();
    if (!this.#ended) this.onConnection("stopped", reason);
  }
}
