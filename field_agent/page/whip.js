// One WHIP session (RFC 9725): camera, microphone and the data channel over one peer connection.

import { ask, publishToken } from "./api.js";
import { Figures } from "./figures.js";
import { IceRestart } from "./ice-restart.js";
import { onNetworkChange } from "./phone.js";
import { Picture } from "./picture.js";

const CONNECT_MS = 7000;
const STATS_MS = 1000;
const DOUBT_MS = 500; // the next look when this one found that nothing was heard
const UNHEARD_MS = 1400; // the node answers a sender many times a second, others once
const SILENT_MS = 2500;
const UNANSWERED_MS = 3600; // a sender that hears nothing falls silent itself; the checks' answers would be in by then
const DEAD_MS = 4200;
const IDLE_DEAD_MS = 8000; // with nothing sent, only the checks every 2.5 s are answered
const NO_PICTURE_MS = 2500;
const CHANNEL_LABEL = "field";
const MAX_BUFFERED = 65_536;

/**
 * Events: "live" (connected), "silent"/"heard" (the node's answers), "no-picture"/"picture" (the camera),
 * "figures" (detail: what is sent), "message" (detail: text), "road" (the data channel opened or closed),
 * "ended" (this session is of no use any more).
 */
export class WhipSession extends EventTarget {
  #connection;
  #channel;
  #picture;
  #audio;
  #restart;
  #token = "";
  #url = "";
  #timer = 0;
  #ended = false;
  #silent = false;
  #figures = new Figures();
  #heardAt = performance.now();
  #sentAt = performance.now();
  #closing = new AbortController();
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
      if (connection.connectionState === "disconnected") this.#findRoad();
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
    this.#picture.shape();
    await this.#connected();
    this.#restart = new IceRestart(connection, this.#url, this.#token);
    onNetworkChange(() => this.#findRoad({ isMoved: true }), this.#closing.signal);
    this.#timer = setTimeout(() => this.#look(), STATS_MS);
    this.dispatchEvent(new Event("live"));
  }

  #addMedia(camera) {
    const streams = [camera.stream];
    if (camera.audio) this.#audio = this.#connection.addTransceiver(camera.audio, { direction: "sendonly", streams }).sender;
    this.#picture = new Picture(this.#connection, camera.video, streams);
  }

  #addChannel() {
    const channel = this.#connection.createDataChannel(CHANNEL_LABEL, { ordered: true });
    this.#channel = channel;
    channel.addEventListener("open", () => this.dispatchEvent(new Event("road")));
    channel.addEventListener("close", () => this.dispatchEvent(new Event("road")));
    channel.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "layers") this.#picture.want(message.wanted);
      else this.dispatchEvent(new CustomEvent("message", { detail: data }));
    });
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
    await this.#picture.replace(camera.video);
    if (this.#audio && camera.audio) await this.#audio.replaceTrack(camera.audio);
  }

  /** Look for another road to the node; a session that the node has forgotten ends now. */
  async #findRoad({ isMoved = false } = {}) {
    if (this.#ended || !this.#restart) return;
    const isKnown = await (isMoved ? this.#restart.moved() : this.#restart.attempt());
    if (!isKnown) this.#end();
  }

  async #look() {
    if (this.#ended || this.#connection.connectionState === "closed") return;
    const figures = await this.#figures.read(this.#connection);
    if (this.#ended) return;
    this.#timer = setTimeout(() => this.#look(), figures.hasHeard ? STATS_MS : DOUBT_MS);
    this.#judge(figures, performance.now());
  }

  #judge(figures, now) {
    if (figures.hasSent) this.#sentAt = now;
    if (figures.hasHeard) {
      this.#heardAt = now;
      this.#restart.renew();
    }
    const quiet = now - this.#heardAt;
    // What is queued while the network is away may be sent once more; nothing sent at all means nothing to answer.
    const sends = now - this.#sentAt < SILENT_MS;
    const isUnanswered = this.#sentAt > this.#heardAt;
    const silent = quiet > (sends ? SILENT_MS : isUnanswered ? UNANSWERED_MS : IDLE_DEAD_MS);
    if (silent !== this.#silent) {
      this.#silent = silent;
      this.dispatchEvent(new Event(silent ? "silent" : "heard"));
      this.dispatchEvent(new Event("road"));
    }
    if (quiet > (sends || isUnanswered ? DEAD_MS : IDLE_DEAD_MS)) {
      this.#end();
      return;
    }
    if (quiet > UNHEARD_MS && (sends || isUnanswered)) this.#findRoad();
    this.#judgePicture(figures.frames, now);
    this.#picture.fit(figures);
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
    clearTimeout(this.#timer);
    this.#closing.abort();
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
