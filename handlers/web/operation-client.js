// Follows one operation live over the best transport that the network allows. To use it elsewhere copy this one file:
// it needs fetch, WebSocket and EventSource, a session cookie of the server, and nothing of this page.
//
//   const client = new OperationClient(id, {
//     onMessage: (message) => …,               // docs/reference/websocket-api.md: each message once and in order
//     onConnection: (state, reason) => …,  // "live", "polling", "reconnecting", "unreachable", "stopped", "ended"
//   });
//   client.start();
//
// It has three transports: the WebSocket; the event stream, where WebSockets are blocked; and REST, polled every two
// seconds, where that fails too. On a fallback transport it tries periodically to upgrade to the WebSocket.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const STEADY_MS = 10_000; // a connection that lived this long resets the back-off
const FIRST_MESSAGE_MS = 15_000; // a transport without a message for this long is blocked by the network
const HEARTBEAT_MS = 10_000; // while an operation runs, the server sends something every five seconds
const MISSED_HEARTBEATS = 6;
const POLL_MS = 2_000;
const UPGRADE_MS = 500; // the delay before the first upgrade attempt, doubled up to the longest
const LONGEST_UPGRADE_MS = 120_000;
const MAX_STREAMS = 2; // over HTTP/1.1 all tabs share six connections, and an event stream occupies one

const WEBSOCKET_TRIES = 2; // before the fallback

const NORMAL = 1000;
const LOST = 1006;
const REFUSED = 1008;
const TRY_AGAIN_LATER = 1013;
const REFUSALS = new Set([401, 403, 404]);
export const ENDED = new Set(["completed", "failed", "cancelled"]);

/** Whether a stream id, like "1768471200123-4", is before another; false where there is none. */
export function isBefore(id, other) {
  if (!id) return false;
  const [time, count] = id.split("-").map(Number);
  const [otherTime, otherCount] = other.split("-").map(Number);
  return time < otherTime || (time === otherTime && count < otherCount);
}

/** "completed", "failed" or "cancelled" if this message ends the operation, else null. */
export function endStatus(message) {
  const terminal = /^operation_(completed|failed|cancelled)$/.exec(message.type);
  if (terminal) return terminal[1];
  const status = message.type === "current_state" ? message.data.status : null;
  return ENDED.has(status) ? status : null;
}

/**
 * Follows one operation. A `history_truncated` message means that messages are missing: start over from the
 * `current_state` that follows it. REST answers arrive as `current_state`, too. After "stopped", whose reason is written
 * for people, and after "ended" the client does not reconnect.
 */
export class OperationClient {
  #connection;
  #seq = 0;
  #cursor = null;
  #ended = false;
  #complete = false; // a message with a seq reported the end, so all earlier messages have arrived

  constructor(id, { onMessage, onConnection }) {
    const [socket, rest] = ["/ws", "/api/v2"].map((root) => `${root}/operations/${encodeURIComponent(id)}`);
    this.onMessage = onMessage;
    this.onConnection = onConnection;
    this.#connection = new Connection([overSocket(socket), overEvents(`${rest}/events`), overRest(rest)], {
      since: () => this.#cursor,
      onMessage: (message) => this.#onMessage(message),
      onState: (state, reason) => this.#onState(state, reason),
    });
  }

  start() {
    this.#connection.open();
  }

  /** Stop following; the operation itself goes on. */
  stop() {
    this.#connection.close();
  }

  #onMessage(message) {
    if (message.seq) {
      if (message.seq <= this.#seq) return;
      this.#seq = message.seq;
      this.#cursor = message.id;
    } else if (message.type === "current_state" && this.#cursor && isBefore(message.data.last_id, this.#cursor)) {
      return; // created before messages that the previous transport has already delivered
    }
    this.onMessage(message);
    if (!endStatus(message)) return;
    this.#complete ||= Boolean(message.seq);
    if (this.#ended) return;
    this.#ended = true;
    this.onConnection("ended");
  }

  #onState(state, reason) {
    if (!this.#ended) this.onConnection(state, reason);
    else if (this.#complete && state !== "live") this.stop();
  }
}

/**
 * Keeps a connection to the server: reconnects with back-off and jitter, falls back to the next transport when one
 * delivers nothing (the first has two tries), and upgrades to the first. A transport is `(since, channel) => close`; it
 * calls `channel.receive(message)` and `channel.lost(code, reason)`, with WebSocket close codes.
 */
export class Connection {
  #steps;
  #failures = 0;
  #upgrades = 0;
  #channels = new Set(); // the active one, and perhaps one that tries to upgrade
  #timer = 0;

  /** `since()` returns the cursor to resume from; `onState(state, reason)` as for OperationClient, but never "ended". */
  constructor(transports, { since, onMessage, onState }) {
    this.#steps = [transports[0], ...transports];
    this.since = since;
    this.onMessage = onMessage;
    this.onState = onState;
  }

  open() {
    this.#connect(0);
  }

  close() {
    clearTimeout(this.#timer);
    for (const channel of this.#channels) this.#drop(channel);
  }

  #connect(step) {
    const channel = { step, receivedAt: 0, close: () => {} };
    channel.receive = (message) => { if (this.#channels.has(channel)) this.#receive(channel, message); };
    channel.lost = (code, reason) => { if (this.#channels.has(channel)) this.#lost(channel, code, reason); };
    channel.deadline = setTimeout(() => channel.lost(LOST, "There was no answer in time."), FIRST_MESSAGE_MS);
    this.#channels.add(channel);
    channel.close = this.#steps[step](this.since(), channel);
  }

  #drop(channel) {
    this.#channels.delete(channel);
    clearTimeout(channel.deadline);
    channel.close();
  }

  #receive(channel, message) {
    if (!channel.receivedAt) this.#activate(channel);
    if (message.type !== "pong" && this.#channels.has(channel)) this.onMessage(message);
  }

  /** The channel has delivered its first message: it becomes the active one. */
  #activate(channel) {
    channel.receivedAt = performance.now();
    clearTimeout(channel.deadline);
    for (const other of this.#channels) if (other !== channel) this.#drop(other);
    clearTimeout(this.#timer);
    if (channel.step < WEBSOCKET_TRIES) this.#upgrades = 0;
    else this.#scheduleUpgrade();
    this.onState(channel.step > WEBSOCKET_TRIES ? "polling" : "live");
  }

  #lost(channel, code, reason) {
    this.#drop(channel);
    if (code === REFUSED || code === NORMAL) {
      this.close();
      this.onState("stopped", reason || "The server has closed the connection.");
    } else if ([...this.#channels].some((other) => other.receivedAt)) {
      this.#scheduleUpgrade();
    } else if (this.#channels.size === 0) {
      this.#reconnect(channel, reason);
    }
  }

  #reconnect({ step, receivedAt }, reason) {
    this.#failures = receivedAt && performance.now() - receivedAt > STEADY_MS ? 1 : this.#failures + 1;
    const next = receivedAt ? (step < WEBSOCKET_TRIES ? 0 : step) : (step + 1) % this.#steps.length;
    this.#timer = setTimeout(() => this.#connect(next), backoff(FIRST_DELAY_MS, this.#failures, LONGEST_DELAY_MS));
    this.onState(!receivedAt && this.#failures >= this.#steps.length ? "unreachable" : "reconnecting", reason);
  }

  #scheduleUpgrade() {
    this.#upgrades += 1;
    this.#timer = setTimeout(() => this.#connect(0), backoff(UPGRADE_MS, this.#upgrades, LONGEST_UPGRADE_MS));
  }
}

/** The delay before an attempt in ms: doubled each time, with jitter, so that clients do not reconnect all at once. */
function backoff(first, tries, longest) {
  return Math.min(longest, first * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

/** A transport: a WebSocket at `path`. It sends a ping at once, since no other message may be due for long. */
export function overSocket(path) {
  return (since, channel) => {
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (since) address.searchParams.set("since", since);
    const socket = new WebSocket(address);
    const ping = () => { if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}'); };
    const silenceTimer = watchSilence(channel, 2, ping);
    socket.onopen = ping;
    socket.onmessage = (event) => silenceTimer.received(JSON.parse(event.data));
    socket.onclose = (event) => channel.lost(event.code, event.reason);
    return () => {
      silenceTimer.stop();
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    };
  };
}

let streams = 0;

/** A transport: Server-Sent Events. After a loss a new EventSource is made, since EventSource has no back-off. */
function overEvents(path) {
  return (since, channel) => {
    if (streams >= MAX_STREAMS) {
      channel.lost(TRY_AGAIN_LATER, "This page has reached its limit of event streams.");
      return () => {};
    }
    streams += 1;
    const source = new EventSource(since ? `${path}?${new URLSearchParams({ since })}` : path);
    const silenceTimer = watchSilence(channel, MISSED_HEARTBEATS, () => {});
    source.onmessage = (event) => silenceTimer.received(JSON.parse(event.data));
    source.addEventListener("close", (event) => {
      const { code, reason } = JSON.parse(event.data);
      channel.lost(code, reason);
    });
    source.onerror = () => channel.lost(LOST, "");
    return () => {
      streams -= 1;
      silenceTimer.stop();
      source.close();
    };
  };
}

/** A transport: polling of the operation's REST record. */
function overRest(path) {
  return (_since, channel) => {
    const closed = new AbortController();
    let timer = 0;
    async function poll() {
      const answer = await read(path, closed.signal);
      if (closed.signal.aborted) return;
      if (answer.code !== NORMAL) {
        channel.lost(answer.code, answer.reason);
        return;
      }
      timer = setTimeout(poll, POLL_MS);
      channel.receive({ type: "current_state", operation_id: answer.body.id, data: answer.body });
      if (ENDED.has(answer.body.status)) channel.lost(NORMAL, "");
    }
    poll();
    return () => {
      clearTimeout(timer);
      closed.abort();
    };
  };
}

/** One REST answer: {code: 1000, body}, or a WebSocket close code and a reason. */
async function read(path, signal) {
  try {
    const response = await fetch(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(FIRST_MESSAGE_MS)]) });
    const body = await response.json();
    if (response.ok) return { code: NORMAL, body };
    return { code: REFUSALS.has(response.status) ? REFUSED : TRY_AGAIN_LATER, reason: body.detail ?? "" };
  } catch (error) {
    return { code: LOST, reason: "The server does not answer." };
  }
}

/** Calls `onSilence` after each heartbeat interval without a message, and closes the channel after `limit` of them. */
function watchSilence(channel, limit, onSilence) {
  let silent = 0;
  const timer = setInterval(() => {
    silent += 1;
    if (silent >= limit) channel.lost(LOST, "The connection timed out.");
    else onSilence();
  }, HEARTBEAT_MS);
  return {
    stop: () => clearInterval(timer),
    received(message) {
      silent = 0;
      channel.receive(message);
    },
  };
}
