// Keeps this phone on the air: opens a session, notices why it broke, opens the next one.

import { Refused, Unreachable } from "./api.js";
import { Patience, wake, waitOrWake } from "./patience.js";
import { WhipSession } from "./whip.js";

const SETTLED_MS = 8000;
const LAST_WORD_MS = 1000;
const CAMERA_RETRY_MS = 3000;

/** What the centre's answer means for going on: a reason that ends it, or one that is tried again. */
function reasonOf(error) {
  if (error instanceof Unreachable) return { reason: "network", isFinal: false };
  if (!(error instanceof Refused)) return { reason: "network", isFinal: false };
  if (error.code === "feed-revoked" || error.code === "revoked") return { reason: "revoked", isFinal: true };
  if (["operation-ended", "operation-not-found", "feed-not-found"].includes(error.code)) return { reason: "ended", isFinal: true };
  if (error.status === 401 && !error.code.startsWith("token")) return { reason: "signed-out", isFinal: true };
  if (error.status === 429 || error.code === "node-full") return { reason: "full", isFinal: false };
  return { reason: "server", isFinal: false };
}

/**
 * `phase` is connecting, live, reconnecting or stopped; `reason` says why where it isn't live.
 * Events: "change"; "figures" (detail: what is sent); "message" (detail: text); "road"; "camera" (detail: its
 * state for the centre); "signed-out".
 */
export class Publisher extends EventTarget {
  phase = "stopped";
  reason = "";
  since = Date.now();
  session = null;
  #camera;
  #feed = "";
  #wanted = false;
  #silent = false;
  #run = 0;
  #retrying = false;

  constructor(camera) {
    super();
    this.#camera = camera;
    camera.addEventListener("lost", () => this.#cameraLost());
    camera.addEventListener("back", () => this.#cameraBack());
    camera.addEventListener("changed", () => this.session?.replace(camera).catch(() => this.session?.close()));
    document.addEventListener("visibilitychange", () => this.#looked());
  }

  /** Go on the air as `feed`, and stay there. */
  start(feed) {
    this.#feed = feed;
    this.#wanted = true;
    this.#run += 1;
    this.#turn("connecting");
    this.#keepGoing(this.#run);
  }

  /** Leave the air; `settle` waits until the last word to the centre arrived. */
  async stop(reason = "officer", settle = async () => {}) {
    this.#wanted = false;
    this.#run += 1;
    this.#turn("stopped", reason);
    if (reason === "officer") this.#tellCamera("stopped_by_officer");
    await Promise.race([settle(), new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))]);
    const session = this.session;
    this.session = null;
    await session?.finish();
    this.dispatchEvent(new Event("road"));
    wake();
  }

  get isWanted() {
    return this.#wanted;
  }

  async #keepGoing(run) {
    const patience = new Patience();
    while (this.#run === run) {
      const started = performance.now();
      const { reason, isFinal } = await this.#once(run);
      if (this.#run !== run) return;
      if (isFinal) {
        this.#wanted = false;
        this.#turn("stopped", reason);
        if (reason === "signed-out") this.dispatchEvent(new Event("signed-out"));
        return;
      }
      if (performance.now() - started > SETTLED_MS) patience.succeeded();
      if (reason === "camera" || this.#camera.isLost) this.#turn("stopped", "camera");
      else this.#turn("reconnecting", reason);
      await waitOrWake(patience.next());
    }
  }

  /** One session from its opening to its end; gives why it ended. */
  async #once(run) {
    const session = new WhipSession();
    try {
      if (!this.#camera.video || this.#camera.video.readyState !== "live") await this.#camera.reopen();
      this.#listen(session);
      await session.open(this.#feed, this.#camera);
    } catch (error) {
      session.close();
      if (error.code === "refused" || error.code === "missing" || error.code === "busy") {
        this.#tellCamera("stopped_by_system");
        return { reason: "camera", isFinal: false };
      }
      return reasonOf(error);
    }
    if (this.#run !== run) {
      await session.finish();
      return { reason: "officer", isFinal: false };
    }
    this.session = session;
    this.#silent = false;
    const ended = new Promise((resolve) => session.addEventListener("ended", resolve, { once: true }));
    // The node knows nothing of the camera when a session begins: it is told each time.
    this.#settlePhase();
    this.#tellCamera(this.#camera.isLost ? "stopped_by_system" : "live");
    this.dispatchEvent(new Event("road"));
    await ended;
    if (this.session === session) this.session = null;
    this.dispatchEvent(new Event("road"));
    return { reason: "network", isFinal: false };
  }

  #listen(session) {
    session.addEventListener("silent", () => this.#hears(session, false));
    session.addEventListener("heard", () => this.#hears(session, true));
    session.addEventListener("no-picture", () => this.#camera.noPictures());
    session.addEventListener("picture", () => this.#camera.picturesAgain());
    session.addEventListener("road", () => this.dispatchEvent(new Event("road")));
    for (const name of ["figures", "message"]) {
      session.addEventListener(name, ({ detail }) => this.dispatchEvent(new CustomEvent(name, { detail })));
    }
  }

  #hears(session, isHeard) {
    if (session !== this.session || !this.#wanted) return;
    this.#silent = !isHeard;
    this.#settlePhase();
  }

  #settlePhase() {
    if (!this.#wanted) return;
    if (this.#camera.isLost) this.#turn("stopped", "camera");
    else if (this.session && !this.#silent) this.#turn("live");
    else this.#turn("reconnecting", this.phase === "reconnecting" ? this.reason : "network");
  }

  #cameraLost() {
    if (!this.#wanted) return;
    this.#turn("stopped", "camera");
    this.#tellCamera("stopped_by_system");
    this.#retryCamera(this.#run);
  }

  /** While the page is looked at, ask for the camera again and again; a call may hold it for minutes. */
  async #retryCamera(run) {
    if (this.#retrying) return;
    this.#retrying = true;
    await waitOrWake(CAMERA_RETRY_MS);
    while (this.#run === run && this.#camera.isLost) {
      if (document.visibilityState === "visible") await this.restoreCamera();
      await waitOrWake(CAMERA_RETRY_MS);
    }
    this.#retrying = false;
  }

  /** Take the camera again now. */
  async restoreCamera() {
    try {
      await this.#camera.reopen();
    } catch {
      // Still taken: the strip says so, and it is tried again.
    }
  }

  #cameraBack() {
    if (!this.#wanted) return;
    this.#settlePhase();
    if (this.phase === "live") this.#tellCamera("live");
  }

  /** Seen again: a phone that was locked may have lost camera and network without an event. */
  #looked() {
    if (document.visibilityState !== "visible" || !this.#wanted) return;
    if (this.#camera.isLost || this.#camera.video?.readyState !== "live") this.restoreCamera();
  }

  #tellCamera(state) {
    this.dispatchEvent(new CustomEvent("camera", { detail: state }));
  }

  #turn(phase, reason = "") {
    if (this.phase === phase && this.reason === reason) return;
    if (this.phase !== phase) this.since = Date.now();
    this.phase = phase;
    this.reason = reason;
    this.dispatchEvent(new Event("change"));
  }
}
