// The officer's WebSocket: instructions come, receipts go, and it comes back by itself.

import { canReach } from "./api.js";
import { Patience, waitOrWake } from "./patience.js";

const VERSION = 1;
const HELLO_MS = 6000;
const LOOK_MS = 2000;
const PROBE_EVERY_MS = 15_000;
const STUCK_MS = 6000; // nothing acknowledged for so long may mean a dead connection that nobody closed
const STUCK_EVERY_MS = 30_000;
const SETTLED_MS = 8000;
const OVER = [4401, 4403, 1008];

/** Events: "change" (`isOpen`), "message" (detail: parsed), "reload", "refused" (nobody is signed in). */
export class OfficerSocket extends EventTarget {
  isOpen = false;
  clockOffsetMs = 0;
  #device;
  #socket = null;
  #run = 0;
  #unstuck = -STUCK_EVERY_MS;
  #stuckMs;

  constructor(device, stuckMs) {
    super();
    this.#device = device;
    this.#stuckMs = stuckMs;
    // A phone that loses its network doesn't tell its sockets; better to come back too early than too late.
    addEventListener("offline", () => this.#socket?.close());
  }

  /** Open it, and keep it open. */
  start() {
    this.#run += 1;
    this.#keepGoing(this.#run);
  }

  /** Close it for good. */
  stop() {
    this.#run += 1;
    this.#socket?.close();
    this.#turn(false);
  }

  /** Tell a text; says whether it was taken. */
  send = (text) => {
    if (!this.isOpen || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  };

  async #keepGoing(run) {
    const patience = new Patience(300, 5000);
    while (this.#run === run) {
      const started = performance.now();
      const code = await this.#once(run);
      if (this.#run !== run) return;
      if (OVER.includes(code)) this.dispatchEvent(new Event("refused"));
      if (performance.now() - started > SETTLED_MS) patience.succeeded();
      await waitOrWake(patience.next());
    }
  }

  /** One connection from its opening to its end; gives its close code. */
  #once(run) {
    const url = new URL("/api/officer", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    return new Promise((resolve) => {
      const hello = setTimeout(() => socket.close(), HELLO_MS);
      let probed = performance.now();
      const watch = setInterval(async () => {
        const now = performance.now();
        if (this.#stuckMs() > STUCK_MS && now - this.#unstuck > STUCK_EVERY_MS) {
          this.#unstuck = now;
          this.#lost(socket, done);
          return;
        }
        if (now - probed < PROBE_EVERY_MS || document.visibilityState !== "visible") return;
        probed = now;
        if (!(await canReach())) this.#lost(socket, done);
      }, LOOK_MS);
      const done = (code) => {
        clearTimeout(hello);
        clearInterval(watch);
        if (this.#socket === socket) this.#turn(false);
        resolve(code);
      };
      socket.addEventListener("open", () => {
        if (this.#run !== run) socket.close();
        else socket.send(JSON.stringify({ type: "hello", version: VERSION, device: this.#device }));
      });
      socket.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "welcome") {
          clearTimeout(hello);
          this.clockOffsetMs = message.server_time - Date.now();
          this.#turn(true);
        } else if (message.type === "reload") this.dispatchEvent(new Event("reload"));
        else this.dispatchEvent(new CustomEvent("message", { detail: message }));
      });
      socket.addEventListener("close", ({ code }) => done(code));
    });
  }

  /** Without a network a closing handshake takes a minute; go on without it. */
  #lost(socket, done) {
    socket.close();
    done(1006);
  }

  #turn(isOpen) {
    if (this.isOpen === isOpen) return;
    this.isOpen = isOpen;
    this.dispatchEvent(new Event("change"));
  }
}
