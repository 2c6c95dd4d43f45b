/** Close codes after which trying again is no use: the request is wrong, or not allowed. */
const FINAL_CODES = new Set([1003, 1009, 4400, 4403, 4404, 4422]);
const LONGEST_PAUSE_MS = 10_000;

/**
 * Follows a room: first its last 50 messages, then each new one. After a drop it comes back by itself, right
 * after the last message it has seen, and sends again what was not yet acknowledged: nothing is missed, and
 * the key of each message keeps it from being stored twice.
 *
 * @param {string} room
 * @param {object} on
 * @param {(state: "live" | "connecting" | "signed-out" | "stopped", reason?: string) => void} on.state
 * @param {(message: { id: string, from?: string, time: number, data: { text: string } }) => void} on.message
 * @param {() => void} on.gap some of what was missed is no longer kept; the latest messages follow
 * @param {(key: string, id: string) => void} on.stored
 * @param {(key: string, reason: string) => void} on.refused
 */
export function follow(room, on) {
  const unacknowledged = new Map(); // key → frame, in the order they were written
  let socket;
  let lastId;
  let failures = 0;

  function connect() {
    const start = lastId === undefined ? { rewind: "50" } : { last_message_id: lastId };
    const query = new URLSearchParams({ room, ...start });
    const base = location.origin.replace(/^http/, "ws");
    socket = new WebSocket(`${base}/channels/chat?${query}`, "chanctl.v1");
    let afterMs;

    socket.onmessage = (event) => {
      const frame = JSON.parse(event.data);
      if (frame.control === undefined) {
        lastId = frame.id;
        on.message(frame);
      } else if (frame.control === "ready") {
        failures = 0;
        lastId = frame.id;
        on.state("live");
        for (const unsent of unacknowledged.values()) socket.send(unsent);
      } else if (frame.control === "ack") {
        unacknowledged.delete(frame.ref);
        on.stored(frame.ref, frame.id);
      } else if (frame.control === "error" && frame.ref !== undefined) {
        unacknowledged.delete(frame.ref);
        on.refused(frame.ref, frame.message);
      } else if (frame.control === "reconnect") {
        afterMs = frame.afterMs;
      }
    };

    socket.onclose = ({ code, reason }) => {
      if (code === 4401) {
        on.state("signed-out");
      } else if (FINAL_CODES.has(code)) {
        on.state("stopped", reason);
      } else {
        if (code === 4410) {
          lastId = undefined;
          on.gap();
        }
        on.state("connecting");
        setTimeout(connect, afterMs ?? pauseMs(failures));
        failures += 1;
      }
    };
  }

  connect();
  return {
    /** Publishes a text, now or once connected; returns the key that `on.stored` or `on.refused` will name. */
    publish(text, key = newKey()) {
      const frame = JSON.stringify({ type: "message", data: { text }, key, ref: key });
      unacknowledged.set(key, frame);
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
      return key;
    },
  };
}

/** Doubles with each failure; spread, so that not everyone comes back at once. */
function pauseMs(failures) {
  return Math.min(LONGEST_PAUSE_MS, 250 * 2 ** failures) * (0.5 + Math.random() / 2);
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("-");
}
