// Follows all operations that somebody may see over one WebSocket, those too that begin later, wherever they were
// begun. Resumes each of them by itself. Where sockets cannot be had there is OperationClient, for each alone.
import { Connection, endOf, overSocket } from "./operation-client.js";

const NAMED_MS = 60_000; // the server expects those that ended so lately to be named, and tells them again if not
const MOST_NAMED = 1000;

/**
 * `onFrame(frame)` gets each message once, and those of an operation in order: first its `current_state`.
 * `onConnection(state, reason)`: "live", "reconnecting", "unreachable" or "stopped".
 */
export class OperationsClient {
  #connection;
  #seen = new Map(); // {seq, cursor, ended} of each operation's last message

  constructor({ onFrame, onConnection }) {
    this.onFrame = onFrame;
    this.#connection = new Connection([overSocket("/ws/operations")], {
      since: () => this.#since(),
      onFrame: (frame) => this.#take(frame),
      onState: onConnection,
    });
  }

  start() {
    this.#connection.open();
  }

  stop() {
    this.#connection.close();
  }

  #take(frame) {
    if (frame.seq) {
      const { seq = 0, ended = false } = this.#seen.get(frame.operation_id) ?? {};
      if (frame.seq <= seq) return;
      this.#seen.set(frame.operation_id, { seq: frame.seq, cursor: frame.id, ended: ended || endOf(frame) !== null });
    }
    this.onFrame(frame);
  }

  /** "operation:id,…" of what is under way or ended lately; null as long as nothing was told. */
  #since() {
    const time = ({ cursor }) => Number(cursor.split("-")[0]);
    const late = Math.max(...[...this.#seen.values()].map(time)) - NAMED_MS;
    for (const [id, last] of this.#seen) if (last.ended && time(last) < late) this.#seen.delete(id);
    const named = [...this.#seen].slice(-MOST_NAMED);
    return named.map(([id, { cursor }]) => `${id}:${cursor}`).join() || null;
  }
}
