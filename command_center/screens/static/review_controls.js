// The player: the picture, its own controls, the wall clock under it, and what is missing in it.

import { h, setMark, write } from "./dom.js";
import { OF_THE_REVIEW, onKey } from "./keys.js";
import { placeOf, recordingMark } from "./review_list.js";
import { FragmentSource } from "./review_source.js";
import { clock, day, span } from "./time.js";
import { say } from "./words.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const STEP_SECONDS = 5;
const LEAP_SECONDS = 30;
const MOVED_MS = 200;

export class Controls {
  constructor(element, notes, on) {
    this.element = element;
    this.notes = notes;
    this.on = on;
    this.source = null;
    this.recording = null;
    this.isDragging = false;
    this.build();
    onKey((event) => this.recording !== null && element.isConnected && this.key(event));
    this.close();
  }

  build() {
    this.video = h("video", { playsinline: true, "aria-label": say("review.picture") });
    this.message = h("p.player-message", { role: "status", hidden: true });
    this.gapText = h("p.player-gap", { role: "status", hidden: true });
    this.play = h("button.player-play", { type: "button", onclick: () => this.toggle() });
    this.bar = h("input.player-bar", { type: "range", min: 0, max: 1, step: 0.05, value: 0, "aria-label": say("review.position") });
    this.gaps = h("div.player-gaps", { "aria-hidden": "true" });
    this.wall = h("time.player-wall");
    this.elapsed = h("span.player-elapsed");
    this.speed = h("select.player-speed", { "aria-label": say("review.speed") }, SPEEDS.map((speed) => h("option", { value: speed, selected: speed === 1 }, `${speed}×`)));
    this.sound = h("button.player-sound", { type: "button", onclick: () => this.mute() });
    this.newest = h("button.player-newest", { type: "button", onclick: () => this.toNewest() }, say("review.newest"));
    this.mark = recordingMark("ended");
    this.screen = h("div.player-screen", { onclick: () => this.toggle() }, this.video, this.gapText, this.message);
    this.stage = h(
      "div.player",
      {},
      this.screen,
      h("div.player-clock", {}, this.wall, this.mark),
      h("div.player-track", {}, this.bar, this.gaps),
      h("div.player-row", {}, this.play, this.elapsed, h("span.player-space"), this.newest, this.sound, h("label.player-label", {}, say("review.speed"), this.speed)),
      h("p.player-keys", {}, OF_THE_REVIEW.map(([keys, words]) => h("span", {}, h("kbd", {}, keys.join(" ")), say(words)))),
    );
    this.listen();
  }

  listen() {
    const { video, bar } = this;
    bar.addEventListener("input", () => {
      this.isDragging = true;
      this.tellTime(Number(bar.value));
      video.currentTime = Number(bar.value);
    });
    bar.addEventListener("change", () => {
      this.isDragging = false;
      bar.blur(); // the arrow keys belong to the player again
    });
    this.speed.addEventListener("change", () => {
      this.setSpeed(Number(this.speed.value));
      this.speed.blur();
    });
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => this.paintPlay());
    video.addEventListener("volumechange", () => this.paintSound());
    video.addEventListener("waiting", () => this.tell(say("review.waiting")));
    for (const name of ["playing", "seeked", "canplay"]) video.addEventListener(name, () => this.tell(null));
    video.addEventListener("error", () => this.source && video.error && this.passDamage());
    for (const name of ["timeupdate", "seeking", "seeked"]) video.addEventListener(name, () => this.moved());
    const tick = () => {
      if (this.source && !video.paused) this.moved();
      if (this.element.isConnected) setTimeout(() => requestAnimationFrame(tick), MOVED_MS);
    };
    tick();
  }

  /** A moment that the browser can't decode is left out: it goes on at the next key frame. */
  passDamage() {
    const next = this.source.keyAfter(this.video.currentTime + 0.05);
    if (next === null) return this.tell(say("review.broken"));
    this.source.close();
    this.video.addEventListener("loadedmetadata", () => (this.video.currentTime = next + 0.001), { once: true });
    return this.feed(this.recording);
  }

  async open(recording) {
    this.leave();
    this.recording = recording;
    this.element.replaceChildren(this.stage);
    const { number, site } = placeOf(recording);
    write(this.notes, `${number} ${site} · ${recording.officer}`);
    this.update(recording);
    this.tell(say("review.loading"));
    this.paintSound();
    await this.feed(recording);
  }

  async feed(recording) {
    const source = new FragmentSource(this.video, recording, {
      index: (index) => source === this.source && this.paintIndex(index),
      failed: (problem) => source === this.source && this.tell(say("review.unreachable", { why: problem.words ?? "" })),
      well: () => source === this.source && this.isFailed && this.tell(null),
    });
    this.source = source;
    this.video.autoplay = true;
    try {
      await source.open();
    } catch (problem) {
      if (source === this.source) this.tell(problem.code === "recording-missing" ? say("review.missing") : say("review.unreachable", { why: problem.words ?? "" }));
    }
  }

  /** What the list says of the recording that is open. */
  update(recording) {
    this.recording = recording;
    setMark(this.mark, recordingMark(recording.state).className.match(/state-(\w+)/)[1], say(`review.state.${recording.state}`));
    this.newest.hidden = recording.state !== "recording";
  }

  close() {
    this.leave();
    write(this.notes, "");
    this.element.replaceChildren(h("p.blank", {}, say("review.choose")));
  }

  leave() {
    this.source?.close();
    this.source = this.recording = null;
    this.gaps.replaceChildren();
    this.tell(null);
  }

  paintIndex(index) {
    this.bar.max = Math.max(0.1, index.seconds);
    this.gapSpans = index.gaps.filter((gap) => gap.track !== "audio" && gap.until - gap.since >= 100).map((gap) => ({
      ...gap, from: this.source.secondsAt(gap.since), to: this.source.secondsAt(gap.until),
    }));
    this.gaps.replaceChildren(...this.gapSpans.map((gap) => {
      const left = `${(100 * Math.max(0, gap.from)) / index.seconds}%`;
      const width = `${(100 * Math.max(0, gap.to - gap.from)) / index.seconds}%`;
      const piece = h("i", { title: say(`review.gap.${gap.kind}`), dataset: { kind: gap.kind } });
      Object.assign(piece.style, { left, width });
      return piece;
    }));
    this.moved();
  }

  moved() {
    if (!this.source?.index) return;
    const seconds = this.video.currentTime;
    if (!this.isDragging) this.bar.value = seconds;
    this.tellTime(seconds);
    const gap = this.gapSpans?.find((each) => seconds >= each.from && seconds < each.to);
    this.gapText.hidden = !gap;
    if (gap) write(this.gapText, say(`review.gap.${gap.kind}`));
  }

  tellTime(seconds) {
    const wallMs = this.source?.wallAt(seconds) ?? null;
    if (wallMs === null) return;
    write(this.wall, `${day(wallMs)} ${clock(wallMs)}`);
    this.wall.dateTime = new Date(wallMs).toISOString();
    const elapsed = `${span(seconds * 1000)} / ${span(this.source.seconds * 1000)}`;
    write(this.elapsed, elapsed);
    this.bar.setAttribute("aria-valuetext", elapsed);
    this.on.moved(wallMs);
  }

  tell(words) {
    this.isFailed = words !== null && words !== say("review.waiting");
    this.message.hidden = words === null;
    write(this.message, words ?? "");
  }

  toggle() {
    if (!this.source) return;
    if (this.video.ended) this.video.currentTime = 0;
    if (this.video.paused) this.video.play().catch(() => this.paintPlay());
    else this.video.pause();
  }

  mute() {
    this.video.muted = !this.video.muted;
  }

  toNewest() {
    this.video.currentTime = Math.max(0, this.source.seconds - 2);
    this.video.play().catch(() => this.paintPlay());
  }

  step(seconds) {
    this.video.currentTime = Math.min(Math.max(0, this.video.currentTime + seconds), Math.max(0, this.source.seconds - 0.1));
  }

  paintPlay() {
    const isPaused = this.video.paused || this.video.ended;
    write(this.play, isPaused ? "▶" : "❚❚");
    this.play.setAttribute("aria-label", say(isPaused ? "review.play" : "review.pause"));
    this.play.title = say(isPaused ? "review.play" : "review.pause");
  }

  paintSound() {
    const hasSound = Boolean(this.recording?.audio);
    this.sound.disabled = !hasSound;
    write(this.sound, hasSound ? say(this.video.muted ? "review.unmute" : "review.mute") : say("review.no-sound"));
    this.paintPlay();
  }

  key(event) {
    const far = event.shiftKey ? LEAP_SECONDS : STEP_SECONDS;
    const onButton = event.target instanceof HTMLButtonElement;
    switch (event.key) {
      case " ":
        if (onButton && event.target !== this.play && !event.target.classList.contains("recording")) return false;
        this.toggle();
        return true;
      case "ArrowLeft": this.step(-far); return true;
      case "ArrowRight": this.step(far); return true;
      case "ArrowUp": this.on.next(-1); return true;
      case "ArrowDown": this.on.next(1); return true;
      case "<": case ",": this.faster(-1); return true;
      case ">": case ".": this.faster(1); return true;
      case "m": case "M": if (!this.sound.disabled) this.mute(); return true;
      case "Home": this.video.currentTime = 0; return true;
      case "End": this.step(Infinity); return true;
      default: return false;
    }
  }

  faster(step) {
    const place = SPEEDS.indexOf(Number(this.speed.value)) + step;
    if (place < 0 || place >= SPEEDS.length) return;
    this.setSpeed(SPEEDS[place]);
  }

  /** The speed stays for the next recording too: loading one sets it back to the default, so that moves along. */
  setSpeed(speed) {
    this.speed.value = speed;
    this.video.defaultPlaybackRate = this.video.playbackRate = speed;
  }
}
