// The way of a voice from this page to the phones: one WHIP session a node, kept open, and the microphone behind it.

import { ask, Problem, retryAfter } from "./net.js";

const POST_TIMEOUT_MS = 8_000;
const CHANNEL_LABEL = "talk";
const BACK_OFF_MS = [500, 1_000, 2_000, 4_000, 8_000];
const GONE_MS = 4_000; // a line comes back within this, or another one is opened
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Events: "change" (of `isReady`), "message" (detail: what a node says, with `node`, the session's number). */
export class TalkLine extends EventTarget {
  constructor(operationId) {
    super();
    this.operationId = operationId;
    this.ends = [];
    this.track = null;
    this.isOver = false;
    this.isBroken = false;
    this.attempt = 0;
    this.run = 0; // what an earlier opening still brings, or loses, no longer counts
    this.open();
  }

  /** Whether every node would hear us now. */
  get isReady() {
    return this.ends.length > 0 && this.ends.every((end) => end.channel.readyState === "open");
  }

  async open() {
    const run = ++this.run;
    try {
      const right = await ask("POST", "/api/media-tokens", { operation_id: this.operationId, right: "talk" });
      if (this.isOver || run !== this.run) return;
      this.ends = right.urls.map((url) => new LineEnd(url, right, this));
      await Promise.all(this.ends.map((end) => end.start()));
    } catch (problem) {
      if (run !== this.run) return;
      if (!(problem instanceof Problem)) console.warn("the line to the phones failed", problem);
      this.again(problem.retryAfterSeconds ?? 0);
    }
  }

  /** Open everything anew after a pause. */
  again(seconds = 0) {
    if (this.isOver || this.isBroken) return;
    this.isBroken = true;
    this.run += 1;
    this.hangUp();
    const pause = BACK_OFF_MS[Math.min(this.attempt++, BACK_OFF_MS.length - 1)] * (0.7 + 0.6 * Math.random());
    setTimeout(() => {
      this.isBroken = false;
      if (!this.isOver) this.open();
    }, Math.max(pause, seconds * 1_000));
  }

  /** Send what this microphone hears, or nothing (null). */
  async speakInto(track) {
    this.track = track;
    await Promise.all(this.ends.map((end) => end.speakInto(track)));
  }

  /** Tell every node; says whether all were told. */
  say(message) {
    if (!this.isReady) return false;
    for (const end of this.ends) end.channel.send(JSON.stringify(message));
    return true;
  }

  changed() {
    if (this.isReady) this.attempt = 0;
    this.dispatchEvent(new Event("change"));
  }

  hangUp() {
    const ends = this.ends;
    this.ends = [];
    for (const end of ends) end.close();
    this.dispatchEvent(new Event("change"));
  }

  close() {
    this.isOver = true;
    this.hangUp();
  }
}

/** The line to one node. */
class LineEnd {
  constructor(url, right, line) {
    this.url = url;
    this.line = line;
    this.headers = { Authorization: `Bearer ${right.access_token}` };
    this.location = null;
    this.isClosed = false;
    this.peer = new RTCPeerConnection({ iceServers: right.ice_servers ?? [], bundlePolicy: "max-bundle" });
    this.sender = this.peer.addTransceiver("audio", { direction: "sendonly" }).sender;
    this.channel = this.peer.createDataChannel(CHANNEL_LABEL);
    this.channel.onopen = () => line.changed();
    this.channel.onclose = () => this.isClosed || line.again();
    this.channel.onmessage = ({ data }) => {
      line.dispatchEvent(new CustomEvent("message", { detail: { ...JSON.parse(data), node: url } }));
    };
    this.peer.onconnectionstatechange = () => this.look();
  }

  async start() {
    if (this.line.track) await this.speakInto(this.line.track);
    await this.peer.setLocalDescription();
    const answer = await this.post(this.peer.localDescription.sdp);
    if (!this.isClosed) await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
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
    if (state === "failed") this.line.again();
    else if (state === "disconnected") this.timer = setTimeout(() => this.line.again(), GONE_MS);
  }

  speakInto(track) {
    return this.sender.replaceTrack(track).catch(() => null); // the line was closed meanwhile
  }

  /** Free the session at the node, then the connection. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    this.peer.onconnectionstatechange = null;
    this.release().finally(() => this.peer.close());
  }

  async release() {
    const address = this.location;
    this.location = null;
    if (address) await fetch(address, { method: "DELETE", headers: this.headers, keepalive: true }).catch(() => null);
  }
}

/** The microphone: asked for when it is first needed, kept open for a while, and given back. */
export class Microphone extends EventTarget {
  constructor(keepMs) {
    super();
    this.keepMs = keepMs;
    this.stream = null;
    this.timer = null;
    this.opening = null;
    this.run = 0;
  }

  get track() {
    const track = this.stream?.getAudioTracks()[0];
    return track?.readyState === "live" ? track : null;
  }

  get isOpen() {
    return this.track !== null;
  }

  /** Open it; throws a code of `talk.mic.…` where that can't be. */
  async open() {
    clearTimeout(this.timer);
    if (this.isOpen) return this.track;
    // A key that goes down again while the person is still asked waits for the same answer.
    this.opening ??= this.take().finally(() => (this.opening = null));
    return this.opening;
  }

  async take() {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneRefused("insecure");
    const { run } = this;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    } catch (error) {
      const codes = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing" };
      throw new MicrophoneRefused(codes[error.name] ?? "busy");
    }
    if (run !== this.run) {
      for (const track of stream.getTracks()) track.stop(); // given back meanwhile: nobody would see that it is open
      throw new MicrophoneRefused("busy");
    }
    this.stream = stream;
    this.track.enabled = false; // nothing is heard before a key is down
    this.track.addEventListener("ended", () => this.close());
    this.dispatchEvent(new Event("change"));
    return this.track;
  }

  /** Nobody speaks now: give it back unless somebody does soon. */
  rest() {
    if (this.track) this.track.enabled = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), this.keepMs);
  }

  close() {
    clearTimeout(this.timer);
    this.run += 1;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.dispatchEvent(new Event("change"));
  }
}

export class MicrophoneRefused extends Error {}
