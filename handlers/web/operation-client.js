// Follows one operation live, over whatever the network lets through. To use it elsewhere copy this one file: it
// needs fetch, WebSocket and EventSource, a session cookie of the server's, and nothing of this page.
//
//   const client = new OperationClient(id, {
//     onFrame: (frame) => …,               // docs/reference/websocket-api.md: each message once and in order
//     onConnection: (state, reason) => …,  // "live", "polling", "reconnecting", "unreachable", "stopped", "ended"
//   });
//   client.start();
//
// It has three carriers: the WebSocket; the event stream, where sockets cannot be had; and REST, asked every two
// seconds, where that fails too. On a lower one it tries from time to time to climb back to the socket.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const STEADY_MS = 10_000; // a connection that lived this long starts the back-off anew
const FIRST_FRAME_MS = 15_000; // what says nothing for so long is held back on its way
const PULSE_MS = 10_000; // while an operation runs, something comes every five seconds
const SILENT_PULSES = 6;
const POLL_MS = 2_000;
const CLIMB_MS = 500; // the first pause before a climb, doubled up to
const LONGEST_CLIMB_MS = 120_000;
const MOST_STREAMS = 2; // over HTTP/1.1 all tabs share six connections, and an event stream keeps one

const FIRST_TRIES = 2; // of the socket, before it is held to be impossible

const NORMAL = 1000;
const LOST = 1006;
const REFUSED = 1008;
const LATER = 1013;
const REFUSALS = new Set([401, 403, 404]);
export const ENDED = new Set(["completed", "failed", "cancelled"]);

/** Whether a stream id, like "1768471200123-4", is before another; false where there is none. */
export function isBefore(id, other) {
  if (!id) return false;
  const [time, count] = id.split("-").map(Number);
  const [otherTime, otherCount] = other.split("-").map(Number);
  return time < otherTime || (time === otherTime && count < otherCount);
}

/** "completed", "failed" or "cancelled" if this frame tells the operation's end, else null. */
export function endOf(frame) {
  const terminal = /^operation_(completed|failed|cancelled)$/.exec(frame.type);
  if (terminal) return terminal[1];
  const status = frame.type === "current_state" ? frame.data.status : null;
  return ENDED.has(status) ? status : null;
}

/**
 * Follows one operation. A `history_truncated` frame means that messages are missing: start over from the
 * `current_state` behind it. What REST tells comes as `current_state` too. After "stopped", whose reason is written
 * for a person, and after "ended" nothing more is tried.
 */
export class OperationClient {
  #connection;
  #seq = 0;
  #cursor = null;
  #ended = false;
  #complete = false; // the end was told by a message, so all those before it came too

  constructor(id, { onFrame, onConnection }) {
    const [socket, rest] = ["/ws", "/api/v2"].map((root) => `${root}/operations/${encodeURIComponent(id)}`);
    this.onFrame = onFrame;
    this.onConnection = onConnection;
    this.#connection = new Connection([overSocket(socket), overEvents(`${rest}/events`), overRest(rest)], {
      since: () => this.#cursor,
      onFrame: (frame) => this.#take(frame),
      onState: (state, reason) => this.#tell(state, reason),
    });
  }

  start() {
    this.#connection.open();
  }

  /** Stop following; the operation itself goes on. */
  stop() {
    this.#connection.close();
  }

  #take(frame) {
    if (frame.seq) {
      if (frame.seq <= this.#seq) return;
      this.#seq = frame.seq;
      this.#cursor = frame.id;
    } else if (frame.type === "current_state" && this.#cursor && isBefore(frame.data.last_id, this.#cursor)) {
      return; // made while the carrier before this one still told more
    }
    this.onFrame(frame);
    if (!endOf(frame)) return;
    this.#complete ||= Boolean(frame.seq);
    if (this.#ended) return;
    this.#ended = true;
    this.onConnection("ended");
  }

  #tell(state, reason) {
    if (!this.#ended) this.onConnection(state, reason);
    else if (this.#complete && state !== "live") this.stop();
  }
}

/**
 * A line to the server, kept up: connects again with back-off and jitter, by the next carrier when one does not
 * speak (the first has two tries), and climbs back to the first. A carrier is `(since, line) => close`; it calls
 * `line.take(frame)` and `line.lost(code, reason)`, with a WebSocket's close codes.
 */
export class Connection {
  #steps;
  #failures = 0;
  #climbs = 0;
  #lines = new Set(); // the one that speaks, and perhaps one that tries to climb
  #timer = 0;

  /** `since()` tells where to go on; `onState(state, reason)` as for OperationClient, but never "ended". */
  constructor(carriers, { since, onFrame, onState }) {
    this.#steps = [carriers[0], ...carriers];
    this.since = since;
    this.onFrame = onFrame;
    this.onState = onState;
  }

  open() {
    this.#connect(0);
  }

  close() {
    clearTimeout(this.#timer);
    for (const line of this.#lines) this.#drop(line);
  }

  #connect(step) {
    const line = { step, heardAt: 0, close: () => {} };
    line.take = (frame) => { if (this.#lines.has(line)) this.#take(line, frame); };
    line.lost = (code, reason) => { if (this.#lines.has(line)) this.#lost(line, code, reason); };
    line.deadline = setTimeout(() => line.lost(LOST, "There was no answer in time."), FIRST_FRAME_MS);
    this.#lines.add(line);
    line.close = this.#steps[step](this.since(), line);
  }

  #drop(line) {
    this.#lines.delete(line);
    clearTimeout(line.deadline);
    line.close();
  }

  #take(line, frame) {
    if (!line.heardAt) this.#settle(line);
    if (frame.type !== "pong" && this.#lines.has(line)) this.onFrame(frame);
  }

  /** A line speaks: from now on it is the one. */
  #settle(line) {
    line.heardAt = performance.now();
    clearTimeout(line.deadline);
    for (const other of this.#lines) if (other !== line) this.#drop(other);
    clearTimeout(this.#timer);
    if (line.step < FIRST_TRIES) this.#climbs = 0;
    else this.#climbLater();
    this.onState(line.step > FIRST_TRIES ? "polling" : "live");
  }

  #lost(line, code, reason) {
    this.#drop(line);
    if (code === REFUSED || code === NORMAL) {
      this.close();
      this.onState("stopped", reason || "The server has closed the connection.");
    } else if ([...this.#lines].some((other) => other.heardAt)) {
      this.#climbLater();
    } else if (this.#lines.size === 0) {
      this.#again(line, reason);
    }
  }

  #again({ step, heardAt }, reason) {
    this.#failures = heardAt && performance.now() - heardAt > STEADY_MS ? 1 : this.#failures + 1;
    const next = heardAt ? (step < FIRST_TRIES ? 0 : step) : (step + 1) % this.#steps.length;
    this.#timer = setTimeout(() => this.#connect(next), pause(FIRST_DELAY_MS, this.#failures, LONGEST_DELAY_MS));
    this.onState(!heardAt && this.#failures >= this.#steps.length ? "unreachable" : "reconnecting", reason);
  }

  #climbLater() {
    this.#climbs += 1;
    this.#timer = setTimeout(() => this.#connect(0), pause(CLIMB_MS, this.#climbs, LONGEST_CLIMB_MS));
  }
}

/** The pause before the given try: doubled each time, with jitter, so that not all clients come at once. */
function pause(first, tries, longest) {
  return Math.min(longest, first * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

/** A carrier: a WebSocket at `path`. It is asked for a pong at once, since nothing else may be due for long. */
export function overSocket(path) {
  return (since, line) => {
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (since) address.searchParams.set("since", since);
    const socket = new WebSocket(address);
    const ping = () => { if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}'); };
    const dog = watchdog(line, 2, ping);
    socket.onopen = ping;
    socket.onmessage = (event) => dog.heard(JSON.parse(event.data));
    socket.onclose = (event) => line.lost(event.code, event.reason);
    return () => {
      dog.stop();
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    };
  };
}

let streams = 0;

/** A carrier: Server-Sent Events. After a loss a new one is made, since an EventSource itself does not back off. */
function overEvents(path) {
  return (since, line) => {
    if (streams >= MOST_STREAMS) {
      line.lost(LATER, "This page has as many event streams open as it may.");
      return () => {};
    }
    streams += 1;
    const source = new EventSource(since ? `${path}?${new URLSearchParams({ since })}` : path);
    const dog = watchdog(line, SILENT_PULSES, () => {});
    source.onmessage = (event) => dog.heard(JSON.parse(event.data));
    source.addEventListener("close", (event) => {
      const { code, reason } = JSON.parse(event.data);
      line.lost(code, reason);
    });
    source.onerror = () => line.lost(LOST, "");
    return () => {
      streams -= 1;
      dog.stop();
      source.close();
    };
  };
}

/** A carrier: the operation's record, asked for again and again. */
function overRest(path) {
  return (_since, line) => {
    const left = new AbortController();
    let timer = 0;
    async function ask() {
      const answer = await read(path, left.signal);
      if (left.signal.aborted) return;
      if (answer.code !== NORMAL) {
        line.lost(answer.code, answer.reason);
        return;
      }
      timer = setTimeout(ask, POLL_MS);
      line.take({ type: "current_state", operation_id: answer.body.id, data: answer.body });
      if (ENDED.has(answer.body.status)) line.lost(NORMAL, "");
    }
    ask();
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  };
}

/** One answer of REST: {code: 1000, body}, or a close code and a reason. */
async function read(path, signal) {
  try {
    const response = await fetch(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(FIRST_FRAME_MS)]) });
    const body = await response.json();
    if (response.ok) return { code: NORMAL, body };
    return { code: REFUSALS.has(response.status) ? REFUSED : LATER, reason: body.detail ?? "" };
  } catch (error) {
    return { code: LOST, reason: "The server does not answer." };
  }
}

/** Calls `onSilence` at each pulse that brought nothing, and gives the line up after `most` of them. */
function watchdog(line, most, onSilence) {
  let silent = 0;
  const timer = setInterval(() => {
    silent += 1;
    if (silent >= most) line.lost(LOST, "The connection fell silent.");
    else onSilence();
  }, PULSE_MS);
  return {
    stop: () => clearInterval(timer),
    heard(frame) {
      silent = 0;
      line.take(frame);
    },
  };
}
