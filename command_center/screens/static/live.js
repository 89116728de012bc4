// The page's one socket to the centre: a snapshot, then changes; it comes back by itself.
//
// Listeners: on("feed" | "position" | "track" | "instruction" | "talk" | "part" | "snapshot" | "link" | "assets" | "recordings", handler).
// Who comes late is given a snapshot of what is known. "link" tells how the socket itself is: {state: "connecting" | "connected" | "silent" | "broken", since}.

import { ask } from "./net.js";
import { setServerTime } from "./time.js";

const SILENT_AFTER_MS = 2_000;
const DEAD_AFTER_MS = 6_000;
const CLOSED_SESSION_OVER = 4401;
const BACK_OFF_MS = [250, 500, 1_000, 2_000, 4_000];

class Live extends EventTarget {
  constructor() {
    super();
    this.operationId = null;
    this.feeds = new Map();
    this.parts = new Map();
    this.positions = new Map();
    this.tracks = new Map();
    this.instructions = new Map();
    this.isKnown = false;
    this.link = { state: "connecting", since: Date.now() };
    this.assetsVersion = 0;
    this.attempt = 0;
    this.lastHeardAt = 0;
    this.socket = null;
    this.wasOpen = false;
  }

  on(type, handler) {
    this.addEventListener(type, (event) => handler(event.detail));
    if (type === "snapshot" && this.isKnown) handler(this.known());
  }

  /** What was told so far, as a snapshot. */
  known() {
    const parts = ["feeds", "parts", "positions", "tracks", "instructions"];
    return Object.fromEntries(parts.map((name) => [name, [...this[name].values()]]));
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Show this operation from now on. */
  watch(operationId) {
    if (operationId !== this.operationId) this.isKnown = false;
    this.operationId = operationId;
    if (!this.socket) this.connect();
    else if (this.socket.readyState === WebSocket.OPEN) this.askToWatch();
  }

  /** The feeds in the order of their tiles. */
  ordered() {
    return [...this.feeds.values()].sort((a, b) => a.order - b.order || a.feed.localeCompare(b.feed));
  }

  /**
   * By feed, the number that tile, map and lists show: that of its site, as the officers and the recordings have it,
   * with a letter from a site's second camera on. It never changes when another feed comes.
   */
  numbers() {
    const countBySite = new Map();
    return new Map(
      this.ordered().map((view) => {
        const count = (countBySite.get(view.site_ordinal) ?? 0) + 1;
        countBySite.set(view.site_ordinal, count);
        return [view.feed, count === 1 ? String(view.site_ordinal) : `${view.site_ordinal}${letter(count)}`];
      }),
    );
  }

  connect() {
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`;
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      this.wasOpen = true;
      this.lastHeardAt = Date.now();
      this.askToWatch();
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.lost(event.code);
    };
    this.timer ??= setInterval(() => this.check(), 500);
  }

  askToWatch() {
    if (this.operationId) this.socket.send(JSON.stringify({ type: "watch", operation_id: this.operationId }));
  }

  lost(code) {
    this.socket = null;
    this.setLink("broken");
    if (code === CLOSED_SESSION_OVER) {
      toSignIn("not-signed-in");
      return;
    }
    if (!this.wasOpen) this.checkSession();
    this.wasOpen = false;
    const pause = BACK_OFF_MS[Math.min(this.attempt++, BACK_OFF_MS.length - 1)];
    setTimeout(() => this.connect(), pause * (0.7 + 0.6 * Math.random()));
  }

  /** A refused socket doesn't say why: ask whether we are still signed in. */
  async checkSession() {
    try {
      await ask("GET", "/api/session");
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
    }
  }

  /** Silence is noticed by the clock: a cut line closes no socket. */
  check() {
    if (this.link.state === "broken" || this.socket?.readyState !== WebSocket.OPEN) return;
    const silence = Date.now() - this.lastHeardAt;
    if (silence > DEAD_AFTER_MS) {
      const socket = this.socket;
      this.lost(0);
      socket.close();
    } else if (silence > SILENT_AFTER_MS) this.setLink("silent");
  }

  receive(message) {
    this.lastHeardAt = Date.now();
    if (this.link.state === "silent") this.setLink("connected");
    switch (message.type) {
      case "snapshot":
        if (message.operation_id === this.operationId) this.takeSnapshot(message);
        break;
      case "beat":
        break; // the line stands, nothing changed
      case "assets":
        this.raiseAssets();
        break;
      case "ended":
        toSignIn(message.code);
        break;
      default:
        this.keep(message);
        this.emit(message.type, message);
    }
  }

  keep(message) {
    switch (message.type) {
      case "feed": return this.feeds.set(message.feed, message);
      case "part": return message.state === "gone" ? this.parts.delete(message.name) : this.parts.set(message.name, message);
      case "position": return this.positions.set(message.feed, message);
      case "track": return this.tracks.set(message.feed, message);
      case "instruction": return this.instructions.set(message.instruction_id, message);
      default: return undefined;
    }
  }

  takeSnapshot(snapshot) {
    this.attempt = 0;
    setServerTime(snapshot.server_time);
    for (const name of ["feeds", "parts", "positions", "tracks", "instructions"]) {
      this[name].clear();
      for (const view of snapshot[name]) this.keep(name === "tracks" ? { type: "track", ...view } : view);
    }
    this.isKnown = true;
    this.setLink("connected");
    this.emit("snapshot", snapshot);
    // What changed while the socket was away wasn't told.
    this.raiseAssets();
    this.emit("recordings");
  }

  /** Tell Dash's callbacks that the assets changed; several changes at once are told once. */
  raiseAssets() {
    this.assetsVersion += 1;
    this.emit("assets");
    this.raising ??= setTimeout(() => {
      this.raising = null;
      setStore("assets-version", this.assetsVersion);
    }, 50);
  }

  setLink(state) {
    if (this.link.state === state) return;
    this.link = { state, since: Date.now() };
    this.emit("link", this.link);
  }
}

const known = new Map();

/** Set a Dash store, once Dash is there; the same value again is not told. */
export function setStore(id, data) {
  if (known.get(id) === data) return;
  known.set(id, data);
  const put = () => {
    if (!window.dash_clientside?.set_props || !document.getElementById("shell")) setTimeout(put, 100);
    else if (known.get(id) === data) window.dash_clientside.set_props(id, { data });
  };
  put();
}

/** Leave for the sign-in page, and come back here afterwards. */
export function toSignIn(reason) {
  const next = encodeURIComponent(location.pathname + location.search);
  location.assign(`/sign-in?next=${next}&reason=${encodeURIComponent(reason)}`);
}

export const live = new Live();

/** "b" for the second, "c" for the third, and so on. */
function letter(count) {
  return String.fromCharCode(96 + Math.min(count, 26));
}
