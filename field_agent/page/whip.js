// One WHIP session (RFC 9725): camera, microphone and the data channel over one peer connection.

import { ask, publishToken, Refused } from "./api.js";
import { FRAGMENT, restartIce } from "./ice.js";
import { Layers } from "./layers.js";

const CONNECT_MS = 7000;
const RESTART_MS = 2000; // an accepted restart has so long to bring answers
const STATS_MS = 1000;
const SILENT_MS = 2500; // the node answers a sender many times a second
const UNANSWERED_MS = 3600; // a sender that hears nothing falls silent itself; the checks' answers would be in by then
const DEAD_MS = 4200;
const IDLE_DEAD_MS = 8000; // with nothing sent, only the checks every 2.5 s are answered
const NO_PICTURE_MS = 2500;
const CHANNEL_LABEL = "field";
const MAX_BUFFERED = 65_536;

/**
 * Events: "live" (connected), "silent"/"heard" (the node's answers), "no-picture"/"picture" (the camera),
 * "figures" (detail: what is sent), "message" (detail: it, parsed), "road" (the data channel opened or closed),
 * "ended" (this session is of no use any more).
 */
export class WhipSession extends EventTarget {
  #connection;
  #channel;
  #token = "";
  #url = "";
  #timer = 0;
  #ended = false;
  #silent = false;
  #layers;
  #restart = { isOn: false, until: 0 };
  #closed = new AbortController();
  #heard = { count: -1, at: performance.now() };
  #sent = { bytes: 0, at: performance.now(), changed: performance.now() };
  #frames = { count: -1, at: performance.now(), noPicture: false };

  /** Open a session for `feed`; throws what the centre or the node answered. */
  async open(feed, camera) {
    const grant = await publishToken(feed);
    // The relays come with the token, not with the session's own answer (its `Link` headers): that answer would hold
    // the gathering up until it is here, and a browser takes new servers only for a gathering that hasn't begun.
    const connection = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
      iceServers: grant.ice_servers ?? [],
    });
    this.#connection = connection;
    this.#addMedia(camera);
    this.#addChannel();
    connection.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(connection.connectionState)) this.#end();
      else if (connection.connectionState === "disconnected") this.#findWay();
    });
    await connection.setLocalDescription();
    const answer = await ask("POST", grant.url, {
      body: connection.localDescription.sdp,
      type: "application/sdp",
      headers: { Authorization: `Bearer ${grant.access_token}` },
    });
    this.#token = grant.access_token;
    this.#url = new URL(answer.headers.get("Location"), answer.url).href;
    await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    this.#layers.apply();
    await this.#connected();
    this.#watchNetwork();
    this.#timer = setInterval(() => this.#look(), STATS_MS);
    this.dispatchEvent(new Event("live"));
  }

  #addMedia(camera) {
    const streams = [camera.stream];
    if (camera.audio) this.#connection.addTransceiver(camera.audio, { direction: "sendonly", streams });
    this.#layers = new Layers(this.#connection, camera.video, streams);
    this.audioSender = this.#connection.getSenders().find((one) => one.track?.kind === "audio");
  }

  #addChannel() {
    const channel = this.#connection.createDataChannel(CHANNEL_LABEL, { ordered: true });
    this.#channel = channel;
    channel.addEventListener("open", () => this.dispatchEvent(new Event("road")));
    channel.addEventListener("close", () => this.dispatchEvent(new Event("road")));
    channel.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "layers") this.#layers.want(message.wanted);
      else this.dispatchEvent(new CustomEvent("message", { detail: message }));
    });
  }

  /** Another network is another address: what was agreed of the old one is of no use. */
  #watchNetwork() {
    const { signal } = this.#closed;
    addEventListener("online", () => this.#findWay(), { signal });
    // It also tells each new guess of the network's speed; only where it says of what kind the network is, that counts.
    let kind = navigator.connection?.type;
    navigator.connection?.addEventListener?.("change", () => {
      if (navigator.connection.type === kind) return;
      kind = navigator.connection.type;
      this.#findWay();
    }, { signal });
  }

  /** Try another way to the node before the session is given up. */
  async #findWay() {
    if (this.#ended || this.#restart.isOn || !this.#url || !this.#timer) return;
    this.#restart.isOn = true;
    try {
      await restartIce(this.#connection, (fragment) => this.#patch(fragment));
      this.#restart.until = performance.now() + RESTART_MS;
    } catch (error) {
      // The node doesn't know this session any more: nothing is left to wait for. Else the clock decides.
      if (error instanceof Refused && [401, 403, 404, 410].includes(error.status)) this.#end();
    } finally {
      this.#restart.isOn = false;
    }
  }

  async #patch(fragment) {
    const headers = { Authorization: `Bearer ${this.#token}`, "If-Match": "*" };
    const answer = await ask("PATCH", this.#url, { body: fragment, type: FRAGMENT, headers, timeout: RESTART_MS });
    return answer.text();
  }

  #connected() {
    const connection = this.#connection;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("ice-timeout")), CONNECT_MS);
      const look = () => {
        if (connection.connectionState === "connected") resolve();
        else if (["failed", "closed"].includes(connection.connectionState)) reject(new Error("ice-failed"));
        else return;
        clearTimeout(timer);
        connection.removeEventListener("connectionstatechange", look);
      };
      connection.addEventListener("connectionstatechange", look);
      look();
    });
  }

  /** Whether a message can be told over the data channel now. */
  get hasChannel() {
    return !this.#ended && !this.#silent && this.#channel?.readyState === "open";
  }

  /** Tell a text; says whether it was taken. */
  send(text) {
    if (!this.hasChannel || this.#channel.bufferedAmount > MAX_BUFFERED) return false;
    this.#channel.send(text);
    return true;
  }

  /** Send another camera's track from now on, in the same session. */
  async replace(camera) {
    await this.#layers.sender.replaceTrack(camera.video);
    if (this.audioSender && camera.audio) await this.audioSender.replaceTrack(camera.audio);
  }

  async #look() {
    const connection = this.#connection;
    if (this.#ended || connection.connectionState === "closed") return;
    const figures = { kbps: 0, rttMs: 0, frames: -1, heard: 0, bytes: 0 };
    const pictures = [];
    for (const one of (await connection.getStats()).values()) {
      if (one.type === "outbound-rtp") figures.bytes += one.bytesSent ?? 0;
      if (one.type === "outbound-rtp" && one.kind === "video") pictures.push(one);
      if (one.type === "media-source" && one.kind === "video") figures.frames = one.frames ?? -1;
      // Whatever its state: unanswered checks take it out of "succeeded", and a count that is gone would look like news.
      if (one.type === "candidate-pair" && one.nominated) {
        figures.heard += (one.bytesReceived ?? 0) + (one.responsesReceived ?? 0);
        figures.availableBps = one.availableOutgoingBitrate ?? 0;
        figures.rttMs = Math.round((one.currentRoundTripTime ?? 0) * 1000);
      }
    }
    Object.assign(figures, this.#layers.look(pictures));
    this.#judge(figures, performance.now());
  }

  #judge(figures, now) {
    figures.kbps = Math.round(((figures.bytes - this.#sent.bytes) * 8) / Math.max(1, now - this.#sent.at));
    if (figures.bytes !== this.#sent.bytes) this.#sent.changed = now;
    Object.assign(this.#sent, { bytes: figures.bytes, at: now });
    if (figures.heard && figures.heard !== this.#heard.count) this.#heard = { count: figures.heard, at: now };
    const quiet = now - this.#heard.at;
    // What is queued while the network is away may be sent once more; nothing sent at all means nothing to answer.
    const sends = now - this.#sent.changed < SILENT_MS;
    const isUnanswered = this.#sent.changed > this.#heard.at;
    const silent = quiet > (sends ? SILENT_MS : isUnanswered ? UNANSWERED_MS : IDLE_DEAD_MS);
    if (silent !== this.#silent) {
      this.#silent = silent;
      this.dispatchEvent(new Event(silent ? "silent" : "heard"));
      this.dispatchEvent(new Event("road"));
      if (silent) this.#findWay();
    }
    if (quiet > (sends || isUnanswered ? DEAD_MS : IDLE_DEAD_MS) && now > this.#restart.until) {
      this.#end();
      return;
    }
    this.#judgePicture(figures.frames, now);
    this.#layers.fit(figures);
    this.dispatchEvent(new CustomEvent("figures", { detail: figures }));
  }

  #judgePicture(count, now) {
    if (count < 0) return;
    if (count !== this.#frames.count) {
      Object.assign(this.#frames, { count, at: now });
      if (this.#frames.noPicture) {
        this.#frames.noPicture = false;
        this.dispatchEvent(new Event("picture"));
      }
    } else if (!this.#frames.noPicture && now - this.#frames.at > NO_PICTURE_MS) {
      this.#frames.noPicture = true;
      this.dispatchEvent(new Event("no-picture"));
    }
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.close();
    this.dispatchEvent(new Event("ended"));
  }

  /** Free everything without a word to the node. */
  close() {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#closed.abort();
    this.#connection?.close();
    this.dispatchEvent(new Event("road"));
  }

  /** End the session at the node, then free everything. */
  async finish() {
    if (this.#url) {
      const headers = { Authorization: `Bearer ${this.#token}` };
      await ask("DELETE", this.#url, { headers, timeout: 2000, keepalive: true }).catch(() => {});
    }
    this.close();
  }
}
