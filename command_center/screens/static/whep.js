// One viewing session of one feed: WHEP over our own API. It ends when told, or when the line fails; it starts nothing anew.

import { restarted, restartFragment } from "./ice_restart.js";
import { ask, Problem, retryAfter } from "./net.js";

const POST_TIMEOUT_MS = 8_000;
const DELETE_TIMEOUT_MS = 4_000;
const RESTART_TIMEOUT_MS = 4_000;
const RESTARTS_APART_MS = 3_000;
const GONE = [401, 403, 404, 410]; // the node doesn't know this session any more, or not us
const CHANNEL = "viewer";
/** What this page calls itself: all its sessions share one line, and so one budget. */
const GROUP = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class WhepSession {
  /**
   * `wish` is what the tile wants at first: {layer, spotlight}. `handlers`: onTrack(track), onPicture(what the node gives
   * now), onEnd(reason) with reason "network" or "replaced".
   */
  constructor(feed, wish, handlers) {
    this.feed = feed;
    this.wish = wish;
    this.handlers = handlers;
    this.peer = null;
    this.channel = null;
    this.location = null;
    this.token = null;
    this.isOver = false;
    this.isRestarting = false;
    this.hasChangedMeanwhile = false; // the network, while a restart was under way: what that one agreed on is of no use
    this.connectedAt = null;
    this.triedAt = -Infinity;
    this.restartedAt = null; // when the node agreed to another road
    this.over = new AbortController();
  }

  /** Open the session; throws a Problem where the node or the centre says no. */
  async start() {
    const right = await ask("POST", "/api/media-tokens", { feed: this.feed, right: "view" });
    if (this.isOver) return;
    this.token = right.access_token;
    // The relays come with the token, before there is a connection: a browser gathers at once, and servers that are
    // only named in the session's answer (its `Link` headers) would be too late for that.
    const peer = new RTCPeerConnection({ iceServers: right.ice_servers ?? [], bundlePolicy: "max-bundle" });
    this.peer = peer;
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addTransceiver("audio", { direction: "recvonly" });
    this.openChannel(peer);
    peer.ontrack = ({ track, receiver }) => {
      receiver.jitterBufferTarget = 0; // as early as the network allows; the browser raises it when it must
      this.handlers.onTrack(track);
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "connected") this.connectedAt ??= performance.now();
      if (peer.connectionState === "disconnected") this.restart();
      if (["failed", "closed"].includes(peer.connectionState)) this.end("network");
    };
    this.watchNetwork();
    await peer.setLocalDescription(await peer.createOffer());
    const answer = await this.post(right.url, peer.localDescription.sdp);
    if (this.isOver) return;
    await peer.setRemoteDescription({ type: "answer", sdp: apart(answer) });
  }

  /** The id of the node that holds this session, which its URL names; null where it names none. */
  get node() {
    const [node, secret] = (this.location ?? "").split("/").at(-1).split("~");
    return secret ? decodeURIComponent(node) : null;
  }

  get isConnected() {
    return this.peer?.connectionState === "connected";
  }

  openChannel(peer) {
    this.channel = peer.createDataChannel(CHANNEL);
    this.channel.onopen = () => this.want(this.wish);
    this.channel.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "picture" && !this.isOver) this.handlers.onPicture(message);
    };
  }

  /** Ask for another layer, as the spotlight or one of many; by HTTP where the node opened no channel. */
  want(wish) {
    this.wish = wish;
    const text = JSON.stringify({ type: "want", ...wish });
    if (this.channel?.readyState === "open") this.channel.send(text);
    else if (this.channel?.readyState === "closed" && this.location) this.patch("application/json", text).catch(() => null);
  }

  async post(url, sdp) {
    const address = new URL(url, location.href);
    address.searchParams.set("group", GROUP);
    address.searchParams.set("layer", this.wish.layer);
    if (this.wish.spotlight) address.searchParams.set("spotlight", "true");
    let response;
    try {
      response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${this.token}` },
        body: sdp,
        signal: AbortSignal.timeout(POST_TIMEOUT_MS),
      });
    } catch {
      throw new Problem(0, null);
    }
    if (response.status !== 201) {
      throw new Problem(response.status, await response.json().catch(() => null), retryAfter(response));
    }
    this.location = new URL(response.headers.get("location"), address).href;
    if (this.isOver) this.release();
    return response.text();
  }

  patch(type, body, headers = {}) {
    return fetch(this.location, {
      method: "PATCH",
      headers: { "Content-Type": type, Authorization: `Bearer ${this.token}`, ...headers },
      body,
      signal: AbortSignal.timeout(RESTART_TIMEOUT_MS),
    });
  }

  /** Another network is another address: what was agreed of the old one is of no use. */
  watchNetwork() {
    const { signal } = this.over;
    const changed = () => this.restart({ isUrgent: true });
    addEventListener("online", changed, { signal });
    const { connection } = navigator;
    let type = connection?.type;
    // The event tells of every new estimate of the speed as well.
    const look = () => {
      if (connection.type === type) return;
      type = connection.type;
      if (type !== "none") changed();
    };
    connection?.addEventListener?.("change", look, { signal });
  }

  /** Look for another road to the node within this session: the network here has changed, or answers no more. */
  async restart({ isUrgent = false } = {}) {
    if (this.isRestarting) this.hasChangedMeanwhile ||= isUrgent;
    if (this.isOver || this.isRestarting || !this.location || !this.peer.remoteDescription) return;
    if (!isUrgent && performance.now() - this.triedAt < RESTARTS_APART_MS) return;
    this.isRestarting = true;
    this.triedAt = performance.now();
    const { peer } = this;
    try {
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      if (this.isOver) return; // there is no session any more to be restarted
      const fragment = restartFragment(peer.localDescription.sdp);
      const response = await this.patch("application/trickle-ice-sdpfrag", fragment, { "If-Match": "*" });
      if (this.isOver) return;
      if (response.status !== 200) throw new Problem(response.status, null);
      await peer.setRemoteDescription({ type: "answer", sdp: restarted(peer.remoteDescription.sdp, await response.text()) });
      this.restartedAt = performance.now();
    } catch (problem) {
      // A road that still carries pictures isn't given up because nobody answers; how long it may be silent is the tile's
      // to judge.
      if (GONE.includes(problem.status)) this.end("network");
      else if (peer.signalingState === "have-local-offer") await peer.setLocalDescription({ type: "rollback" }).catch(() => null);
    } finally {
      this.isRestarting = false;
    }
    if (!this.hasChangedMeanwhile) return;
    this.hasChangedMeanwhile = false;
    await this.restart({ isUrgent: true });
  }

  /** Frees the session at the node; also while the page is being closed. */
  close() {
    this.end(null);
  }

  end(reason) {
    if (this.isOver) return;
    this.isOver = true;
    this.over.abort();
    if (this.peer) this.peer.onconnectionstatechange = null;
    // Deleted first, closed then: a closed line ends the session at the node, and there would be nothing left to delete.
    // Where the line itself has failed, the node frees the session by its own clock.
    if (reason === "network") this.location = null;
    this.release().finally(() => this.peer?.close());
    if (reason) this.handlers.onEnd(reason);
  }

  async release() {
    if (!this.location) return;
    const address = this.location;
    this.location = null;
    await fetch(address, {
      method: "DELETE",
      headers: { Authorization: `Bearer ${this.token}` },
      keepalive: true,
      signal: AbortSignal.timeout(DELETE_TIMEOUT_MS),
    }).catch(() => null); // the node frees silent sessions by itself
  }
}

// A browser that takes picture and sound for one stream holds the picture back until the sound is ready for it.
// Here the picture comes first: the sound's stream gets a name of its own.
function apart(sdp) {
  return sdp
    .split(/(?=^m=)/m)
    .map((part) => (part.startsWith("m=audio") ? part.replace(/^(a=msid:|a=ssrc:\d+ msid:)(\S+)/gm, "$1$2-sound") : part))
    .join("");
}
