// One viewing session of one feed: WHEP over our own API. It ends when told, or when the line fails; it starts nothing anew.

import { ask, Problem, retryAfter } from "./net.js";

const POST_TIMEOUT_MS = 8_000;

export class WhepSession {
  /** `handlers`: onTrack(track), onEnd(reason) with reason "network" or "replaced". */
  constructor(feed, handlers) {
    this.feed = feed;
    this.handlers = handlers;
    this.peer = null;
    this.location = null;
    this.token = null;
    this.isOver = false;
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
    peer.ontrack = ({ track, receiver }) => {
      receiver.jitterBufferTarget = 0; // as early as the network allows; the browser raises it when it must
      this.handlers.onTrack(track);
    };
    peer.onconnectionstatechange = () => {
      if (["failed", "closed"].includes(peer.connectionState)) this.end("network");
    };
    await peer.setLocalDescription(await peer.createOffer());
    const answer = await this.post(right.url, peer.localDescription.sdp);
    if (this.isOver) return;
    await peer.setRemoteDescription({ type: "answer", sdp: apart(answer) });
  }

  get isConnected() {
    return this.peer?.connectionState === "connected";
  }

  async post(url, sdp) {
    let response;
    try {
      response = await fetch(url, {
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
    this.location = new URL(response.headers.get("location"), new URL(url, location.href)).href;
    if (this.isOver) this.release();
    return response.text();
  }

  /** Frees the session at the node; also while the page is being closed. */
  close() {
    this.end(null);
  }

  end(reason) {
    if (this.isOver) return;
    this.isOver = true;
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
