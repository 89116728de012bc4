// The way of a voice from this page to the phones: one WHIP session a node, each kept open by itself.

import { ask, Problem, retryAfter } from "./net.js";

const POST_TIMEOUT_MS = 8_000;
const OPEN_MS = 10_000; // a session that isn't open by then is given up, and tried anew
const CHANNEL_LABEL = "talk";
const BACK_OFF_MS = [500, 1_000, 2_000, 4_000, 8_000];
const GONE_MS = 4_000; // a session comes back within this, or another one is opened
const LATE_MS = 3_000; // so long an end may take to open before it is said to be missing
const FRESH_SHARE = 0.9; // of a right's life; after that another is asked for
const ASK_ANEW_AFTER = 3; // failures in a row: the node may be gone from the list
const ASK_ANEW_MS = 60_000; // not sooner than this after it was asked last: each question stands in the audit
const DELETE_TIMEOUT_MS = 2_000;
const SEEK_MS = 30_000; // so often a node that isn't in the list is looked for

/**
 * Events: "change" (of what `isReady` and `missing` say), "opened" (detail: the node's name; it knows nothing yet of
 * a talk under way), "message" (detail: what a node says, with `node`).
 */
export class TalkLine extends EventTarget {
  constructor(operationId) {
    super();
    this.operationId = operationId;
    this.ends = new Map(); // by node
    this.right = null;
    this.asking = null;
    this.askedAt = -Infinity;
    this.sought = new Map();
    this.track = null;
    this.isOver = false;
    this.attempt = 0;
    this.renew();
  }

  /** Whether any node would hear us now. */
  get isReady() {
    return [...this.ends.values()].some((end) => end.isOpen);
  }

  /** The nodes that don't hear us, though they had time enough. */
  get missing() {
    return [...this.ends.values()].filter((end) => end.isLate).map((end) => end.node);
  }

  isOpenTo(node) {
    return this.ends.get(node)?.isOpen ?? false;
  }

  /** Whether this node doesn't hear us though it had time enough, or isn't among those that could. */
  isMissing(node) {
    return this.ends.get(node)?.isLate ?? true;
  }

  get mayAskAnew() {
    return !this.isFresh || performance.now() - this.askedAt > ASK_ANEW_MS;
  }

  /** Ask which nodes there are and for the right to talk to them; what is open stays as it is. */
  renew() {
    clearTimeout(this.timer);
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.asking;
  }

  async ask() {
    try {
      const right = await ask("POST", "/api/media-tokens", { operation_id: this.operationId, right: "talk" });
      if (this.isOver) return;
      this.attempt = 0;
      this.askedAt = performance.now();
      this.right = { ...right, staleAt: performance.now() + right.expires_in * 1_000 * FRESH_SHARE };
      this.arrange();
    } catch (problem) {
      if (!(problem instanceof Problem)) console.warn("the line to the phones failed", problem);
      if (!this.isOver) this.timer = setTimeout(() => this.renew(), pause(this.attempt++, problem.retryAfterSeconds));
    }
  }

  /** An end for each node of the list; one that isn't in it any more goes once it is closed. */
  arrange() {
    const urls = new Map(this.right.urls.map((url) => [nodeOf(url), url]));
    for (const [node, end] of this.ends) {
      if (urls.has(node) || end.isOpen) continue;
      end.close();
      this.ends.delete(node);
    }
    for (const [node, url] of urls) {
      const end = this.ends.get(node) ?? new LineEnd(node, this);
      this.ends.set(node, end);
      end.url = url;
      if (!end.isPausing) end.start();
    }
    this.changed();
  }

  get isFresh() {
    return this.right !== null && performance.now() < this.right.staleAt;
  }

  /** This node carries phones, or has come up: reach it soon. */
  seek(node) {
    if (this.isOver || this.isOpenTo(node)) return;
    const now = performance.now();
    if (now - (this.sought.get(node) ?? -SEEK_MS) < SEEK_MS) return;
    for (const [each, at] of this.sought) if (now - at >= SEEK_MS) this.sought.delete(each);
    this.sought.set(node, now);
    const end = this.ends.get(node);
    if (end && this.isFresh) end.start();
    else this.renew();
  }

  /** Send what this microphone hears, or nothing (null). */
  async speakInto(track) {
    this.track = track;
    await Promise.all([...this.ends.values()].map((end) => end.call?.speakInto(track)));
  }

  /** Tell every node that can be told, or this one; gives the names of those that were. */
  say(message, node = null) {
    const told = [];
    for (const end of this.ends.values()) if ((node === null || end.node === node) && end.say(message)) told.push(end.node);
    return told;
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  close() {
    this.isOver = true;
    clearTimeout(this.timer);
    for (const end of this.ends.values()) end.close();
    this.ends.clear();
    this.changed();
  }
}

/** The node in a talker's URL: `…/talk.<operation>.<nonce>.<node>`. */
function nodeOf(url) {
  return url.split("/").pop().split(".").slice(3).join(".");
}

function pause(attempt, seconds = 0) {
  const wait = BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length - 1)] * (0.7 + 0.6 * Math.random());
  return Math.max(wait, (seconds ?? 0) * 1_000);
}

/** The line to one node: a session, and another one after a pause when that fails; no other node waits for it. */
class LineEnd {
  constructor(node, line) {
    this.node = node;
    this.line = line;
    this.url = null;
    this.call = null;
    this.failures = 0;
    this.timer = null;
    this.since = performance.now();
  }

  get isOpen() {
    return this.call?.isOpen ?? false;
  }

  get isLate() {
    return !this.isOpen && (this.failures > 0 || performance.now() - this.since > LATE_MS);
  }

  /** Whether it waits before it tries again, as long as its node asked for. */
  get isPausing() {
    return this.timer !== null;
  }

  /** Open a session unless there is one. */
  start() {
    this.stopWaiting();
    if (this.call) return;
    const call = new Call(this.url, this.line.right);
    this.call = call;
    call.onopen = () => {
      this.failures = 0;
      this.line.dispatchEvent(new CustomEvent("opened", { detail: this.node }));
      this.line.changed();
    };
    call.onmessage = (message) => {
      this.line.dispatchEvent(new CustomEvent("message", { detail: { ...message, node: this.node } }));
    };
    call.onover = (problem) => this.failed(problem);
    call.start(this.line.track);
  }

  failed(problem) {
    this.call = null;
    this.failures += 1;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (!this.line.isFresh || (this.failures % ASK_ANEW_AFTER === 0 && this.line.mayAskAnew)) this.line.renew();
      else this.start();
    }, pause(this.failures - 1, problem?.retryAfterSeconds));
    this.line.changed();
  }

  say(message) {
    if (!this.isOpen) return false;
    this.call.channel.send(JSON.stringify(message));
    return true;
  }

  stopWaiting() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  close() {
    this.stopWaiting();
    this.call?.close();
    this.call = null;
  }
}

/** One session with a node, from its offer until it is over; then `onover` is called once, unless we closed it. */
class Call {
  constructor(url, right) {
    this.url = url;
    this.headers = { Authorization: `Bearer ${right.access_token}` };
    this.location = null;
    this.isClosed = false;
    this.peer = new RTCPeerConnection({ iceServers: right.ice_servers ?? [], bundlePolicy: "max-bundle" });
    this.sender = this.peer.addTransceiver("audio", { direction: "sendonly" }).sender;
    this.channel = this.peer.createDataChannel(CHANNEL_LABEL);
    this.channel.onopen = () => {
      if (this.isClosed) return;
      clearTimeout(this.opening);
      this.onopen();
    };
    this.channel.onclose = () => this.over();
    this.channel.onmessage = ({ data }) => this.isClosed || this.onmessage(JSON.parse(data));
    this.peer.onconnectionstatechange = () => this.look();
    this.opening = setTimeout(() => this.over(), OPEN_MS);
  }

  get isOpen() {
    return !this.isClosed && this.channel.readyState === "open";
  }

  async start(track) {
    try {
      if (track) await this.speakInto(track);
      await this.peer.setLocalDescription();
      const answer = await this.post(this.peer.localDescription.sdp);
      if (!this.isClosed) await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (problem) {
      if (!(problem instanceof Problem) && !this.isClosed) console.warn("a session to talk failed", problem);
      this.over(problem);
    }
  }

  async post(sdp) {
    let response;
    try {
      response = await fetch(this.url, {
        method: "POST",
        headers: { ...this.headers, "Content-Type": "application/sdp" },
        body: sdp,
        signal: AbortSignal.timeout(POST_TIMEOUT_MS),
      });
    } catch {
      throw new Problem(0, null);
    }
    if (response.status !== 201) {
      throw new Problem(response.status, await response.json().catch(() => null), retryAfter(response));
    }
    this.location = new URL(response.headers.get("location"), new URL(this.url, location.href)).href;
    if (this.isClosed) this.release();
    return response.text();
  }

  look() {
    clearTimeout(this.timer);
    const state = this.peer.connectionState;
    if (state === "failed") this.over();
    else if (state === "disconnected") this.timer = setTimeout(() => this.over(), GONE_MS);
  }

  speakInto(track) {
    return this.sender.replaceTrack(track).catch(() => null); // it was closed meanwhile
  }

  over(problem = null) {
    if (this.isClosed) return;
    this.close();
    this.onover(problem);
  }

  /** Fall silent at once, whatever becomes of the rest; free the session at the node, then the connection. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.opening);
    this.peer.onconnectionstatechange = null;
    this.speakInto(null);
    this.release().finally(() => this.peer.close());
  }

  async release() {
    const address = this.location;
    this.location = null;
    if (!address) return;
    const signal = AbortSignal.timeout(DELETE_TIMEOUT_MS);
    await fetch(address, { method: "DELETE", headers: this.headers, keepalive: true, signal }).catch(() => null);
  }
}
