// One tile of the wall: a feed's picture, who and where it is, and in words what is wrong when it stands still.

import { h, setMark, stateMark, write } from "./dom.js";
import { LastPicture } from "./last_picture.js";
import { live } from "./live.js";
import { LiveBar } from "./live_bar.js";
import { Problem } from "./net.js";
import { showFigures, TileFigures } from "./tile_figures.js";
import { aim } from "./tile_aim.js";
import { now, span } from "./time.js";
import { judge } from "./tile_state.js";
import { WhepSession } from "./whep.js";
import { inLanguage, say } from "./words.js";

const BACK_OFF_MS = [300, 700, 1_500, 3_000, 5_000];
const NO_FRAMES_MS = 3_500; // the feed is live, and this session shows nothing: open another; longer at each try
const CONNECT_MS = 8_000; // a busy machine takes its time, and a session that is opened anew takes it again
const HAND_OVER_MS = 2_000; // so long without a frame: another road is tried before another session
const RESTART_MS = 2_500; // what another road within the session may take
const RESUME_MS = 900;
const UNRECORDED_MS = 5_000; // a recording begins with a key frame and its first second
const KEPT_PHASES = new Set(["connecting", "live", "stale", "lost"]);
const NODE_CAUSES = new Set(["node", "node-back"]); // the node is gone, and what it said of a recording with it
const OPENED_PHASES = new Set(["live", "stale"]); // the node refuses viewers of a feed that sends nothing yet

export class Tile {
  constructor(view, actions) {
    this.view = view;
    this.actions = actions;
    this.number = "";
    this.session = null;
    this.sessionAt = 0;
    this.lastFrameAt = null;
    this.waitingSince = performance.now();
    this.attempt = 0;
    this.retryTimer = null;
    this.sound = null;
    this.bar = new LiveBar();
    this.unrecordedSince = null;
    this.movedAt = -Infinity;
    this.measures = new TileFigures();
    this.wish = { layer: "low", spotlight: false };
    this.given = null; // what the node said last of what this session is given
    this.resumedAt = null;
    this.build();
    this.sizes = new ResizeObserver(() => this.aim());
    this.sizes.observe(this.video);
    this.isSeen = true;
    this.sights = new IntersectionObserver((seen) => this.seen(seen.at(-1).isIntersecting));
    this.sights.observe(this.video);
    this.countFrames();
    this.update(view);
  }

  build() {
    this.video = h("video", { playsinline: true, autoplay: true, disablepictureinpicture: true });
    this.video.muted = true;
    this.frozen = new LastPicture();
    this.numberMark = h("span.tile-number");
    this.site = h("span.tile-site");
    this.officer = h("span.tile-officer");
    this.mark = stateMark("off", "");
    this.cause = h("p.tile-cause", { hidden: true });
    this.age = h("span.tile-age");
    this.figures = h("div.tile-figures", { hidden: true });
    this.recording = h("span.tile-recording", { hidden: true }, say("tile.recording"));
    this.unrecordedMark = stateMark("caution", say("tile.recording.not"));
    this.unrecorded = h("span.tile-unrecorded", { hidden: true }, this.unrecordedMark);
    this.muteButton = h("button.quiet.tile-mute", { type: "button", onclick: (event) => this.toggleSound(event) });
    this.tools = h("span.tile-tools", {}, this.muteButton, this.actions.tools(this));
    this.element = h(
      "article.tile",
      { tabindex: "0", dataset: { feed: this.view.feed }, onclick: () => this.actions.enlarge(this) },
      h("header.tile-head", {}, this.numberMark, this.site, this.mark),
      h("div.tile-picture", {}, this.video, this.frozen.element, this.figures, this.cause),
      this.bar.element,
      h("footer.tile-foot", {}, this.officer, this.recording, this.unrecorded, this.age, this.tools),
    );
    this.paintSound();
  }

  /** The feed's state as the centre tells it now. */
  update(view) {
    const before = this.view;
    this.view = view;
    const returned = view.phase === "live" && (before.phase !== "live" || before.since !== view.since);
    this.unrecordedSince = view.phase === "live" && !view.recording ? (this.unrecordedSince ?? performance.now()) : null;
    if (view.cause === "revoked") this.wipe();
    if (before.node && view.node && before.node !== view.node) this.movedAt = performance.now();
    if (!KEPT_PHASES.has(view.phase)) {
      this.stop();
    } else if (OPENED_PHASES.has(view.phase) && (returned || !this.session)) {
      this.attempt = 0;
      this.retryTimer = this.clearRetry();
      if (this.session && this.movedAt > this.sessionAt && this.session.node !== view.node) this.forsake();
      // A session that outlived the break shows the picture again by itself: give it the time to.
      this.openSoon(!this.session ? 0 : this.isShowing ? NO_FRAMES_MS : this.session?.isConnected ? RESUME_MS : 0);
    }
    this.paint();
  }

  /** The feed moved to another node: this session went with the former one, and nothing is left there to be freed. */
  forsake() {
    this.keepPicture();
    const session = this.leave();
    session.location = null;
    session.close();
  }

  get isShowing() {
    return this.session !== null && this.lastFrameAt !== null && this.ageMs() < NO_FRAMES_MS;
  }

  clearRetry() {
    clearTimeout(this.retryTimer);
    return null;
  }

  /** Open a session after a pause, unless pictures come in the meantime. */
  openSoon(pauseMs) {
    if (this.retryTimer) return;
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      if (!this.isShowing && !this.paused && OPENED_PHASES.has(this.view.phase)) this.open();
    }, pauseMs);
  }

  retry(seconds = null) {
    const pause = BACK_OFF_MS[Math.min(this.attempt++, BACK_OFF_MS.length - 1)] * (0.7 + 0.6 * Math.random());
    this.openSoon(seconds === null ? pause : Math.max(pause, seconds * 1000));
  }

  async open() {
    this.stop();
    this.aim();
    const session = new WhepSession(this.view.feed, this.wish, {
      onTrack: (track) => session === this.session && this.show(track),
      onPicture: (given) => session === this.session && this.take(given),
      onEnd: () => {
        if (session !== this.session) return;
        this.keepPicture();
        this.leave();
        this.retry();
      },
    });
    this.session = session;
    this.sessionAt = performance.now();
    try {
      await session.start();
    } catch (problem) {
      if (session !== this.session) return;
      this.leave().close();
      if (!(problem instanceof Problem)) console.warn("a viewing session failed", problem);
      else if (problem.status === 401) this.actions.signedOut();
      this.retry(problem.retryAfterSeconds ?? null);
    }
  }

  stop() {
    this.retryTimer = this.clearRetry();
    this.keepPicture();
    this.leave()?.close();
  }

  /** Hold no session any more; gives the one that was held. */
  leave() {
    const { session } = this;
    this.session = null;
    this.given = this.resumedAt = null;
    return session;
  }

  seen(isSeen) {
    this.isSeen = isSeen;
    this.aim();
  }

  /** Want the layer that fits the size at which the picture is shown now; said at once where it changes. */
  aim() {
    const isSpotlit = this.element.classList.contains("is-spotlit");
    const wish = aim(this.video.clientWidth * devicePixelRatio, isSpotlit && !document.hidden, this.wish.layer);
    if (document.hidden || !this.isSeen) wish.layer = "low";
    if (wish.layer === this.wish.layer && wish.spotlight === this.wish.spotlight) return;
    this.wish = wish;
    this.session?.want(wish);
  }

  /** What the node says that this tile is given: {layer, wanted, paused, held, estimate_kbps}. */
  take(given) {
    if (this.given?.paused && !given.paused) this.resumedAt = performance.now();
    if (given.paused) this.resumedAt = null;
    this.given = given;
    this.paint();
  }

  /** Why the node sends no picture though there is one; until the first one is here again. */
  get paused() {
    if (!this.session?.isConnected) return null; // what it said last may be true no more
    if (this.given?.paused) return this.given.paused;
    const isAwaited = this.resumedAt !== null && (this.lastFrameAt ?? 0) < this.resumedAt;
    return isAwaited && performance.now() - this.resumedAt < NO_FRAMES_MS ? "bandwidth" : null;
  }

  show(track) {
    if (track.kind === "audio") {
      this.sound = track;
      if (this.speaker) this.speaker.srcObject = new MediaStream([track]);
    } else {
      this.keepPicture();
      this.video.srcObject = new MediaStream([track]);
      this.video.play().catch(() => null); // the element was removed meanwhile
    }
    this.paintSound();
  }

  countFrames() {
    const seen = () => {
      this.video.requestVideoFrameCallback(seen);
      if (!this.video.srcObject) return; // the black of a stream that was taken away
      this.lastFrameAt = performance.now();
      this.attempt = 0;
      if (this.frozen.isShown) this.frozen.hide();
    };
    this.video.requestVideoFrameCallback(seen);
  }

  /** Keep the last picture on the tile while there is no newer one; an ended stream would paint it black. */
  keepPicture() {
    if (this.video.videoWidth && !this.frozen.isShown && this.lastFrameAt !== null) this.frozen.keep(this.video);
    this.video.srcObject = null;
  }

  /** Nothing of a revoked device stays on the screen. */
  wipe() {
    this.video.srcObject = null;
    this.frozen.wipe();
    this.lastFrameAt = null;
  }

  ageMs() {
    return this.lastFrameAt === null ? null : performance.now() - this.lastFrameAt;
  }

  /** Called a few times a second: judge, paint, and open a new session where this one shows nothing. */
  tick() {
    // A hidden page presents no frames; what it counts says nothing then.
    if (document.hidden && this.lastFrameAt !== null && !this.paused) this.lastFrameAt = performance.now();
    const age = this.ageMs();
    if (this.session && this.view.phase === "live" && !this.paused) this.mend(age);
    else if (!this.session && !this.retryTimer && OPENED_PHASES.has(this.view.phase)) this.retry();
    this.paint();
  }

  /** The feed is live, and nothing is seen of it: look for another road, then open another session; later at each try. */
  mend(ageMs) {
    const { connectedAt, restartedAt } = this.session;
    const since = connectedAt ?? this.sessionAt;
    const silentMs = Math.min(ageMs ?? Infinity, performance.now() - Math.max(since, this.resumedAt ?? 0));
    const limit = connectedAt === null ? CONNECT_MS : NO_FRAMES_MS * (1 + Math.min(this.attempt, 3));
    const isOnItsWay = restartedAt !== null && performance.now() - restartedAt < RESTART_MS;
    if (silentMs > limit && !isOnItsWay) this.restart();
    else if (silentMs > HAND_OVER_MS && connectedAt !== null) this.session.restart();
  }

  /** Show what this session measures and what the node gives it, or nothing of it. */
  async measure(isWanted) {
    const lines = isWanted ? await this.measures.read(this.session?.peer ?? null, this.given, this.verdict) : [];
    showFigures(this.figures, lines);
  }

  restart() {
    this.keepPicture();
    this.leave().close();
    this.retry();
  }

  paint() {
    const { view } = this;
    const age = this.ageMs();
    const verdict = judge({
      view,
      ageMs: age,
      waitedMs: performance.now() - this.waitingSince,
      paused: this.paused,
      link: live.link.state,
      media: this.node(),
      nowMs: now(),
    });
    const word = say(`tile.phase.${verdict.phase}`);
    const why = verdict.cause ? say(`tile.cause.${verdict.cause}`) : "";
    this.verdict = verdict;
    this.element.dataset.phase = verdict.phase;
    this.element.dataset.cause = verdict.cause ?? "";
    setMark(this.mark, verdict.state, word);
    write(this.numberMark, this.number);
    write(this.site, inLanguage(view, "site"));
    this.site.title = `${inLanguage(view, "site")} · ${inLanguage(view, "district")}`;
    write(this.officer, view.officer);
    const trouble = NODE_CAUSES.has(verdict.cause) ? null : view.recording_trouble;
    const isLate = this.unrecordedSince !== null && performance.now() - this.unrecordedSince > UNRECORDED_MS;
    const unrecorded = trouble ? say(`tile.recording.not.${trouble}`) : isLate ? say("tile.recording.not") : "";
    this.recording.hidden = Boolean(trouble) || !view.recording || NODE_CAUSES.has(verdict.cause);
    this.unrecorded.hidden = !unrecorded;
    setMark(this.unrecordedMark, trouble ? "critical" : "caution", unrecorded);
    write(this.age, this.ageWords(age, verdict));
    this.cause.hidden = verdict.phase === "live";
    write(this.cause, why ? say("tile.why", { word, why }) : word);
    const label = say("tile.label", { number: this.number, site: inLanguage(view, "site"), officer: view.officer });
    const name = [`${label}: ${word}`, why, unrecorded].filter(Boolean).join(", ");
    if (this.element.getAttribute("aria-label") !== name) this.element.setAttribute("aria-label", name);
  }

  /** The feed's own media node as a part; for a feed that moved it began when the feed came. */
  node() {
    const part = live.parts.get(`media-${this.view.node}`) ?? live.parts.get("media");
    return part && { ...part, since: Math.max(part.since, now() - (performance.now() - this.movedAt)) };
  }

  ageWords(age, verdict) {
    if (verdict.phase === "live") return say("tile.age.fresh");
    const isCameraOff = verdict.cause === "camera" || verdict.cause === "officer";
    if (isCameraOff && verdict.phase === "stale" && this.view.since) return say("tile.age.old", { span: span(now() - this.view.since) });
    if (verdict.phase === "connecting" || (verdict.phase === "paused" && age === null)) return ""; // nothing is shown yet that could be old
    const ms = age ?? (this.view.last_frame_at ? now() - this.view.last_frame_at : null);
    if (ms === null || this.view.cause === "revoked") return "";
    return say(age === null ? "tile.age.last" : "tile.age.old", { span: span(ms) });
  }

  toggleSound(event) {
    event?.stopPropagation();
    if (this.speaker) {
      this.speaker.srcObject = null;
      this.speaker = null;
    } else if (this.sound) {
      this.speaker = new Audio();
      this.speaker.srcObject = new MediaStream([this.sound]);
      this.speaker.play().catch(() => null); // the browser wants a click first, and the button shows that it is muted
    }
    this.paintSound();
  }

  paintSound() {
    const isOn = Boolean(this.speaker);
    this.muteButton.disabled = !this.sound;
    this.muteButton.setAttribute("aria-pressed", String(isOn));
    write(this.muteButton, say(this.sound ? (isOn ? "tile.sound.on" : "tile.sound.off") : "tile.sound.none"));
    this.element.classList.toggle("is-heard", isOn);
  }

  remove() {
    this.stop();
    this.sizes.disconnect();
    this.sights.disconnect();
    if (this.speaker) this.toggleSound();
    this.element.remove();
  }
}
