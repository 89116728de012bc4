// Hears the centre: one WHEP session of its own for as long as the phone is on the air, played the moment it comes.

import { ask, listenToken, Refused } from "./api.js";
import { Patience, wake, waitOrWake } from "./patience.js";

const CHANNEL_LABEL = "voice";
const CONNECT_MS = 7000;
const GONE_MS = 3000; // the line comes back within this, or another one is opened
const SHAKE = [70, 50, 70];

/** Whether another try makes no sense: the publisher of this phone hears the same, and says why. */
function isFinal(error) {
  if (!(error instanceof Refused)) return false;
  if (["feed-revoked", "operation-ended", "operation-not-found", "feed-not-found"].includes(error.code)) return true;
  return error.status === 401 && !error.code.startsWith("token");
}

/**
 * `speaker` is who speaks now, or null; `isConnected` whether the centre would be heard; `isBlocked` whether the
 * browser waits for a touch before it plays anything. Event: "change".
 */
export class Listener extends EventTarget {
  speaker = null;
  isConnected = false;
  isBlocked = false;
  #audio = new Audio();
  #connection = null;
  #session = null;
  #run = 0;
  #feed = "";

  constructor() {
    super();
    this.#audio.autoplay = true;
    addEventListener("pointerdown", () => this.isBlocked && this.#play());
  }

  get isWanted() {
    return this.#feed !== "";
  }

  /** Listen for as long as this phone publishes `feed`. */
  start(feed) {
    if (this.#feed === feed) return;
    this.stop();
    this.#feed = feed;
    this.#keepGoing(++this.#run);
  }

  /** Hear nothing more. */
  stop() {
    if (!this.#feed) return;
    this.#feed = "";
    this.#run += 1;
    this.#leave();
    wake();
  }

  async #keepGoing(run) {
    const patience = new Patience();
    while (run === this.#run) {
      try {
        const connection = await this.#open(run);
        if (connection && (await this.#untilGone(connection))) patience.succeeded();
      } catch (error) {
        if (isFinal(error)) break;
      }
      if (run !== this.#run) return;
      this.#leave();
      await waitOrWake(patience.next());
    }
  }

  /** Open a session; gives its connection, or nothing where it isn't wanted any more. */
  async #open(run) {
    const grant = await listenToken(this.#feed);
    if (run !== this.#run) return null;
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: grant.ice_servers ?? [] });
    this.#connection = connection;
    connection.addTransceiver("audio", { direction: "recvonly" });
    connection.createDataChannel(CHANNEL_LABEL).addEventListener("message", ({ data }) => this.#told(JSON.parse(data)));
    connection.addEventListener("track", ({ track, receiver }) => {
      receiver.jitterBufferTarget = 0; // as early as the network allows; the browser raises it when it must
      this.#audio.srcObject = new MediaStream([track]);
      this.#play();
    });
    await connection.setLocalDescription();
    const headers = { Authorization: `Bearer ${grant.access_token}` };
    const body = connection.localDescription.sdp;
    const answer = await ask("POST", grant.url, { body, type: "application/sdp", headers });
    const session = { url: new URL(answer.headers.get("Location"), answer.url).href, headers };
    if (run !== this.#run) {
      free(session);
      return null;
    }
    this.#session = session;
    await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    return connection;
  }

  /** Wait until a connection is of no use any more; gives whether it ever was. */
  #untilGone(connection) {
    return new Promise((resolve) => {
      let wasConnected = false;
      let timer = 0;
      const look = () => {
        clearTimeout(timer);
        const state = connection.connectionState;
        const isConnected = state === "connected";
        wasConnected ||= isConnected;
        if (connection === this.#connection) this.#turn({ isConnected });
        if (["failed", "closed"].includes(state)) resolve(wasConnected);
        else if (!isConnected) timer = setTimeout(() => resolve(wasConnected), wasConnected ? GONE_MS : CONNECT_MS);
      };
      connection.addEventListener("connectionstatechange", look);
      look();
    });
  }

  #told(message) {
    if (message.type !== "speaking") return;
    const begins = message.id !== null && this.speaker === null;
    this.#turn({ speaker: message.id === null ? null : message.speaker });
    if (begins && (navigator.userActivation?.hasBeenActive ?? true)) navigator.vibrate?.(SHAKE);
  }

  async #play() {
    try {
      await this.#audio.play();
      this.#turn({ isBlocked: false });
    } catch (error) {
      // Another track took its place, or the page has never been touched.
      if (error.name === "NotAllowedError") this.#turn({ isBlocked: true });
    }
  }

  #leave() {
    const [connection, session] = [this.#connection, this.#session];
    this.#connection = this.#session = null;
    this.#audio.srcObject = null;
    if (session) free(session).finally(() => connection.close());
    else connection?.close();
    this.#turn({ speaker: null, isConnected: false });
  }

  #turn(state) {
    if (Object.entries(state).every(([name, value]) => this[name] === value)) return;
    Object.assign(this, state);
    this.dispatchEvent(new Event("change"));
  }
}

/** End a session at the node. */
const free = ({ url, headers }) => ask("DELETE", url, { headers, timeout: 2000, keepalive: true }).catch(() => {});
