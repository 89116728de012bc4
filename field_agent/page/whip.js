// One WHIP session (RFC 9725): camera, microphone and the data channel over one peer connection.

import { ask, publishToken } from "./api.js";

const MAX_BITRATE = 2_500_000;
const CONNECT_MS = 7000;
const NARROW_BPS = 450_000; // below this 720p is a slide show: half the size moves better
const WIDE_BPS = 900_000;
const FIT_LOOKS = 4; // so many times in a row before the size changes
const STATS_MS = 1000;
const SILENT_MS = 2500; // the node answers a sender many times a second
const UNANSWERED_MS = 3600; // a sender that hears nothing falls silent itself; the checks' answers would be in by then
const DEAD_MS = 4200;
const IDLE_DEAD_MS = 8000; // with nothing sent, only the checks every 2.5 s are answered
const NO_PICTURE_MS = 2500;
const CHANNEL_LABEL = "field";
const MAX_BUFFERED = 65_536;

/** H.264 first: phones encode it in hardware, and recordings of it play everywhere; then VP8. */
function preferences() {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const rank = ({ mimeType, sdpFmtpLine = "" }) => {
    const name = mimeType.toLowerCase();
    if (name === "video/h264") {
      if (!sdpFmtpLine.includes("packetization-mode=1")) return 9;
      return /profile-level-id=42(e0|c0|00)/i.test(sdpFmtpLine) ? 0 : 9;
    }
    return { "video/vp8": 1, "video/rtx": 2 }[name] ?? 9;
  };
  return codecs.filter((codec) => rank(codec) < 9).sort((one, other) => rank(one) - rank(other));
}

/**
 * Events: "live" (connected), "silent"/"heard" (the node's answers), "no-picture"/"picture" (the camera),
 * "figures" (detail: what is sent), "message" (detail: text), "road" (the data channel opened or closed),
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
  #scale = 1;
  #fits = 0;
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
    await this.#connected();
    this.#timer = setInterval(() => this.#look(), STATS_MS);
    this.dispatchEvent(new Event("live"));
  }

  #addMedia(camera) {
    const streams = [camera.stream];
    if (camera.audio) this.#connection.addTransceiver(camera.audio, { direction: "sendonly", streams });
    const video = this.#connection.addTransceiver(camera.video, {
      direction: "sendonly",
      streams,
      sendEncodings: [{ maxBitrate: MAX_BITRATE, maxFramerate: 30, priority: "high", networkPriority: "high" }],
    });
    const codecs = preferences();
    if (codecs.length && video.setCodecPreferences) video.setCodecPreferences(codecs);
    this.audioSender = this.#connection.getSenders().find((one) => one.track?.kind === "audio");
    this.videoSender = video.sender;
    this.#shape(1);
  }

  /**
   * Full size as long as the network carries it, at fewer pictures a second when the phone is busy (a plate or a
   * paper must be readable); half the size on a narrow network.
   */
  #shape(scale) {
    this.#scale = scale;
    const parameters = this.videoSender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = scale;
    this.videoSender.setParameters(parameters).catch(() => {
      // An old browser that doesn't know the preference chooses by itself.
    });
  }

  #fitToNetwork({ availableBps, limited }) {
    if (!availableBps) return;
    const wanted = availableBps > WIDE_BPS ? 1 : availableBps < NARROW_BPS && limited === "bandwidth" ? 2 : this.#scale;
    this.#fits = wanted === this.#scale ? 0 : this.#fits + 1;
    if (this.#fits < FIT_LOOKS) return;
    this.#fits = 0;
    this.#shape(wanted);
  }

  #addChannel() {
    const channel = this.#connection.createDataChannel(CHANNEL_LABEL, { ordered: true });
    this.#channel = channel;
    channel.addEventListener("open", () => this.dispatchEvent(new Event("road")));
    channel.addEventListener("close", () => this.dispatchEvent(new Event("road")));
    channel.addEventListener("message", ({ data }) => {
      this.dispatchEvent(new CustomEvent("message", { detail: data }));
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
    await this.videoSender.replaceTrack(camera.video);
    if (this.audioSender && camera.audio) await this.audioSender.replaceTrack(camera.audio);
  }

  async #look() {
    const connection = this.#connection;
    if (this.#ended || connection.connectionState === "closed") return;
    const figures = { width: 0, height: 0, kbps: 0, rttMs: 0, limited: "", frames: -1, heard: 0, bytes: 0 };
    for (const one of (await connection.getStats()).values()) {
      if (one.type === "outbound-rtp") figures.bytes += one.bytesSent ?? 0;
      if (one.type === "outbound-rtp" && one.kind === "video") {
        Object.assign(figures, { width: one.frameWidth ?? 0, height: one.frameHeight ?? 0 });
        figures.limited = one.qualityLimitationReason ?? "";
        figures.fps = one.framesPerSecond ?? 0;
      }
      if (one.type === "media-source" && one.kind === "video") figures.frames = one.frames ?? -1;
      // Whatever its state: unanswered checks take it out of "succeeded", and a count that is gone would look like news.
      if (one.type === "candidate-pair" && one.nominated) {
        figures.heard += (one.bytesReceived ?? 0) + (one.responsesReceived ?? 0);
        figures.availableBps = one.availableOutgoingBitrate ?? 0;
        figures.rttMs = Math.round((one.currentRoundTripTime ?? 0) * 1000);
      }
    }
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
    }
    if (quiet > (sends || isUnanswered ? DEAD_MS : IDLE_DEAD_MS)) {
      this.#end();
      return;
    }
    this.#judgePicture(figures.frames, now);
    this.#fitToNetwork(figures);
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
