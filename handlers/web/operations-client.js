// Follows all operations that the user may see over one WebSocket, including those that start later, on any server.
// Each operation has its own resume cursor. Where WebSockets are blocked use one OperationClient per operation.
import { Connection, endStatus, overSocket } from "./operation-client.js";

const RECENT_MS = 60_000; // the server resends operations that ended this recently unless their cursor is given
const MAX_CURSORS = 1000;

/**
 * `onMessage(message)` gets each message once, and those of one operation in order: first its `current_state`.
 * `onConnection(state, reason)`: "live", "reconnecting", "unreachable" or "stopped".
 */
export class OperationsClient {
  #connection;
  #last = new Map(); // operation id: {seq, cursor, ended} of its last message

  constructor({ onMessage, onConnection }) {
    this.onMessage = onMessage;
    this.#connection = new Connection([overSocket("/ws/operations")], {
      since: () => this.#since(),
      onMessage: (message) => this.#onMessage(message),
      onState: onConnection,
    });
  }

  start() {
    this.#connection.open();
  }

  stop() {
    this.#connection.close();
  }

  #onMessage(message) {
    if (message.seq) {
      const { seq = 0, ended = false } = this.#last.get(message.operation_id) ?? {};
      if (message.seq <= seq) return;
      this.#last.set(message.operation_id, { seq: message.seq, cursor: message.id, ended: ended || endStatus(message) !== null });
    }
    this.onMessage(message);
  }

  /** "operation:id,…" for running and recently ended operations; null before the first message. */
  #since() {
    const time = ({ cursor }) => Number(cursor.split("-")[0]);
    const oldest = Math.max(...[...this.#last.values()].map(time)) - RECENT_MS;
    for (const [id, last] of this.#last) if (last.ended && time(last) < oldest) this.#last.delete(id);
    const cursors = [...this.#last].slice(-MAX_CURSORS);
    return cursors.map(([id, { cursor }]) => `${id}:${cursor}`).join() || null;
  }
}
