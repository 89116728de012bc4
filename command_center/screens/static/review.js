// The review page: cameras, map, list and time line of one operation, joined by one clock.

import { toSignIn } from "./live.js";
import { onOperation } from "./operation.js";
import { ReviewKeys } from "./review_keys.js";
import { Clock } from "./review_clock.js";
import { Controls } from "./review_controls.js";
import { isGrowing, readLanes, readRecordings } from "./review_data.js";
import { eventsOf, Journal } from "./review_events.js";
import { openExport } from "./review_export.js";
import { stepFrame, watchFrames } from "./review_frames.js";
import { openingOf } from "./review_lane.js";
import { EventList } from "./review_list.js";
import { ReviewMap } from "./review_map.js";
import { Notes } from "./review_notes.js";
import { takePurpose } from "./review_purpose.js";
import { noteSeek } from "./review_session.js";
import { Timeline } from "./review_timeline.js";
import { Verdicts } from "./review_verdicts.js";
import { Voices } from "./review_voice.js";
import { MOST_TILES, Wall } from "./review_wall.js";
import { now } from "./time.js";
import { say } from "./words.js";

const LIVE_MS = 4_000;
const QUIET_MS = 15_000;
const RETRY_MS = 3_000;
const TOLD_MS = 4_000;
const LIVE_LAG_MS = 4_000; // so long it takes what is recorded to be here
const EDGE_MS = 1_000;
const NEAR_MS = 3_600_000; // what happened so long before or after the recordings is still shown on the line
const MOST_STEPS = 5;

export function mount(main) {
  const review = new Review(main);
  window.commandReview = review; // for whoever looks into the page: its clock, its wall
  onOperation((operation) => review.open(operation));
}

class Review {
  constructor(main) {
    this.main = main;
    this.operation = null;
    const part = (id) => main.querySelector(`#${id}`);
    this.clock = new Clock();
    this.notesOf = { wall: part("wall-notes") };
    this.wall = new Wall(part("wall"), this.clock, {
      changed: () => {
        this.timeline.repaint();
        this.verdicts.paint();
      },
      full: () => this.tell(say("review.wall.full", { count: MOST_TILES })),
      picked: (feed) => this.map.focus(feed),
      made: (video) => watchFrames(video),
      enlarged: (feed) => this.map.closeUp(feed),
      denied: () => this.askAgain(),
    });
    this.voices = new Voices(main, this.clock);
    this.map = new ReviewMap(main.querySelector("#review-map iframe"), part("review-map-notes"), this.clock, {
      seek: (at) => this.seek(at),
      picked: (feed) => this.wall.isShown(feed) && this.wall.pick(feed),
    });
    this.list = new EventList(part("events"), part("events-notes"), this.clock, {
      seek: (at, event) => this.openEvent(event),
      edit: (note) => this.notes.open({ at: Date.parse(note.at), note }),
      withdraw: (note) => this.notes.withdraw(note),
    });
    this.notes = new Notes(this.list.note, { changed: () => this.paintEvents(), failed: (problem) => this.tell(problem.words ?? "") });
    this.timeline = new Timeline(part("timeline"), this.clock, {
      seek: (at) => this.seek(at),
      toggle: (lane) => this.toggleLane(lane),
      open: (event) => this.openEvent(event),
      viewed: (scale) => (this.controls.follow.hidden = !scale.isHeld),
    });
    this.timeline.isShown = (feed) => this.wall.isShown(feed);
    this.timeline.isHeard = (feed) => this.voices.isHeard(feed);
    this.controls = new Controls(part("timeline-notes"), this.clock, {
      event: (step) => this.toEvent(step),
      frame: (step) => this.frame(step),
      newest: () => this.toNewest(),
      follow: () => this.timeline.follow(),
      zoom: (factor) => this.timeline.zoom(factor),
      whole: () => this.timeline.whole(),
      mark: () => this.write(),
      export: () => this.openExport(),
      verify: () => this.toggleVerdicts(),
    });
    this.verdicts = new Verdicts(main, part("verdicts"), part("verdicts-notes"), {
      shown: () => this.wall.feeds,
      purpose: () => this.askAgain(),
      seek: (at, feed) => this.openEvent({ at, feed }),
      moved: (share) => this.controls.setVerifying(share),
      closed: () => this.foldVerdicts(),
    });
    new ReviewKeys(this);
    this.clock.start();
    this.empty(say("review.loading"));
  }

  // -- opening an operation

  async open(operation) {
    if (operation && operation.id === this.operation?.id) return;
    this.operation = operation;
    clearTimeout(this.refreshing);
    this.clock.pause();
    this.clock.setBounds(0, 0);
    this.lanes = [];
    this.recordings = new Map();
    this.journal = operation ? new Journal(operation.id) : null;
    this.events = [];
    this.notes.clear();
    this.voices.clear();
    this.verdicts.clear();
    this.map.clear(operation?.sites ?? []);
    this.controls.setLive(false);
    this.controls.progress(1, 1);
    this.controls.setTrouble(null);
    this.empty(operation ? say("review.loading") : say("review.no-operation"));
    if (!operation) return;
    await this.enter(operation);
  }

  /** Ask what for, if that isn't known, and read everything. */
  async enter(operation) {
    const isGiven = await takePurpose(operation);
    if (operation !== this.operation) return;
    if (isGiven) await this.begin(operation);
    else this.empty(say("review.purpose.needed"), { words: say("review.purpose.give"), press: () => this.enter(operation) });
  }

  empty(words, action = null) {
    clearInterval(this.edge);
    this.isLive = false;
    this.wall.clear(words, action);
    this.timeline.setLanes([]);
    this.timeline.say(words);
    this.list.show([]);
    this.list.say(words);
  }

  /** Read everything for the first time, showing how far it is. */
  async begin(operation) {
    this.isSettled = false;
    const parts = [this.readMedia(), this.readJournal(), this.readNotes(), this.readTracks()];
    let done = 0;
    const total = parts.length;
    this.controls.progress(0, total);
    await Promise.all(parts.map(async (part) => {
      await part;
      done += 1;
      if (operation === this.operation) this.controls.progress(done, total);
    }));
    if (operation !== this.operation) return;
    this.settle();
    this.isSettled = true;
    this.later();
  }

  /** Go to where the address says, or to where all cameras have begun. */
  settle() {
    const wanted = Number(new URLSearchParams(location.search).get("at"));
    if (this.clock.until <= this.clock.since) return;
    const first = openingOf(this.lanes.filter((lane) => this.wall.isShown(lane.feed))) ?? this.clock.since;
    this.clock.seek(wanted >= this.clock.since && wanted <= this.clock.until ? wanted : first);
  }

  later() {
    clearTimeout(this.refreshing);
    const wait = this.isFailed ? RETRY_MS : this.isLive ? LIVE_MS : QUIET_MS;
    this.refreshing = setTimeout(() => this.refresh(), wait);
  }

  async refresh() {
    if (!this.main.isConnected) return this.clock.stop();
    const { operation } = this;
    if (!document.hidden && operation) {
      const isNew = this.clock.until === this.clock.since;
      await Promise.all([this.readMedia(), this.readJournal(), this.readNotes(), this.isLive ? this.readTracks() : null]);
      if (operation !== this.operation) return undefined;
      if (isNew) this.settle();
    }
    return this.later();
  }

  // -- reading

  async readMedia() {
    const { operation } = this;
    try {
      const [recordings, lanes] = await Promise.all([readRecordings(operation.id), readLanes(operation.id, this.lanes)]);
      if (operation !== this.operation) return;
      this.isFailed = false;
      this.controls.setTrouble(null);
      this.take(recordings, lanes);
    } catch (problem) {
      if (operation === this.operation) await this.failed(problem);
    }
  }

  async failed(problem) {
    if (problem.status === 401) return toSignIn("not-signed-in");
    if (problem.code === "purpose-required") await this.askAgain();
    this.isFailed = true;
    const words = say("review.failed", { why: problem.words ?? "" });
    if (this.lanes.length === 0) this.empty(words);
    else this.controls.setTrouble(say("review.old"));
    return undefined;
  }

  /** A purpose holds for some hours; then it is asked for again. */
  async askAgain() {
    if (this.isAsking) return;
    this.isAsking = true;
    await takePurpose(this.operation, { isAskedAgain: true });
    this.isAsking = false;
  }

  take(recordings, lanes) {
    this.recordings = recordings;
    this.lanes = lanes;
    this.isLive = isGrowing(recordings);
    this.controls.setLive(this.isLive);
    this.clock.isOpen = this.isLive;
    clearInterval(this.edge);
    if (this.isLive) this.edge = setInterval(() => this.setBounds(), EDGE_MS);
    if (lanes.length === 0) {
      this.wall.clear(say("review.none"));
      this.timeline.say(this.events.length || this.notes.items.length ? null : say("review.none"));
    } else {
      this.timeline.say(null);
      this.wall.setLanes(lanes, recordings);
      this.voices.setLanes(lanes, recordings);
    }
    this.timeline.setLanes(lanes);
    this.verdicts.setLanes(lanes, recordings);
    this.setBounds();
    this.paintEvents();
  }

  setBounds() {
    const moments = this.lanes.flatMap((lane) => [lane.since, lane.until]);
    const [first, last] = moments.length ? [Math.min(...moments) - NEAR_MS, Math.max(...moments) + NEAR_MS] : [-Infinity, Infinity];
    for (const { at } of this.events) if (at >= first && at <= last) moments.push(at);
    if (moments.length === 0) return;
    if (this.isLive) moments.push(now()); // it is being recorded: the line reaches up to now
    const [since, until] = [Math.min(...moments), Math.max(...moments, Math.min(...moments) + 1)];
    this.clock.setBounds(since, until);
    this.timeline.setBounds(since, until);
  }

  async readJournal() {
    const { journal, operation } = this;
    try {
      const isNew = await journal.read();
      if (journal !== this.journal) return;
      this.list.tell(null);
      if (isNew) this.paintEvents();
    } catch (problem) {
      if (operation === this.operation) this.list.tell(say("review.list.failed", { why: problem.words ?? "" }));
    }
  }

  async readNotes() {
    const { operation } = this;
    try {
      await this.notes.read(operation);
    } catch {
      if (operation === this.operation) this.list.tell(say("review.note.unread"));
    }
  }

  readTracks() {
    const { operation } = this;
    return this.map.read(operation.id, () => operation === this.operation);
  }

  paintEvents() {
    if (!this.operation) return;
    const told = eventsOf(this.journal, this.operation, this.lanes);
    const notes = this.notes.events((feed) => this.lanes.find((lane) => lane.feed === feed));
    this.events = [...told, ...notes].sort((one, other) => one.at - other.at);
    this.list.show(this.events);
    const marks = (events) => events.map((event) => ({ at: event.at, state: event.state, words: [event.title, event.badge, event.words].filter(Boolean).join(" · "), ...{ event } }));
    const isOrder = (event) => event.group === "order";
    this.timeline.setMarks([
      { key: "order", name: say("review.row.order"), marks: marks(told.filter(isOrder)) },
      { key: "other", name: say("review.row.other"), marks: marks(told.filter((event) => !isOrder(event))) },
      { key: "note", name: say("review.row.note"), marks: marks(notes) },
    ]);
    this.setBounds();
  }

  // -- moving

  /** Somebody jumps to a moment. */
  seek(at) {
    this.clock.seek(at);
    noteSeek(this.clock.now, this.wall.feeds);
    clearTimeout(this.addressing);
    this.addressing = setTimeout(() => this.keepAddress(), 500);
  }

  keepAddress() {
    const address = new URL(location.href);
    address.searchParams.set("at", Math.round(this.clock.now));
    history.replaceState(null, "", address);
  }

  skip(seconds) {
    this.seek(this.clock.now + seconds * 1000);
  }

  openEvent(event) {
    const found = event.event ?? event;
    this.seek(found.at);
    if (found.feed && this.wall.isShown(found.feed)) this.wall.pick(found.feed);
  }

  toEvent(step) {
    const event = this.list.beside(this.clock.now, step);
    if (event) this.openEvent(event);
  }

  toGap(step) {
    const lanes = this.lanes.filter((lane) => this.wall.isShown(lane.feed));
    const found = lanes.map((lane) => lane.gapBeside(this.clock.now, step)).filter((at) => at !== null);
    if (found.length) this.seek(step > 0 ? Math.min(...found) : Math.max(...found));
  }

  toNewest() {
    this.seek(this.clock.until - LIVE_LAG_MS);
    this.clock.play();
  }

  /** Frames are stepped one after the other, however fast somebody presses. */
  async frame(step) {
    this.steps = Math.max(-MOST_STEPS, Math.min(MOST_STEPS, (this.steps ?? 0) + step));
    if (this.isStepping) return;
    this.isStepping = true;
    while (this.steps !== 0) {
      const next = Math.sign(this.steps);
      this.steps -= next;
      await stepFrame(this.clock, this.wall.leader, next);
    }
    this.isStepping = false;
  }

  write() {
    const lane = this.lanes.find((each) => each.feed === this.wall.picked) ?? null;
    this.clock.pause();
    this.notes.open({ at: this.clock.now, lane });
  }

  /** Export what is in sight: the cameras on the wall, and what the line shows of the time. */
  openExport() {
    const { scale } = this.timeline;
    const [since, until] = scale.isWhole ? [scale.since, scale.until] : [scale.from, scale.to];
    this.clock.pause();
    return openExport({ operation: this.operation, since: Math.round(since), until: Math.round(until), feeds: this.wall.feeds });
  }

  toggleVerdicts() {
    if (this.verdicts.close()) return;
    this.verdicts.open();
    this.controls.verify.setAttribute("aria-expanded", "true");
  }

  foldVerdicts() {
    this.controls.verify.setAttribute("aria-expanded", "false");
    this.controls.verify.focus();
  }

  toggleLane(lane) {
    if (lane.kind === "voice") this.voices.toggle(lane.feed);
    else this.wall.toggle(lane.feed);
    this.timeline.repaint();
  }

  tell(words) {
    this.notesOf.wall.textContent = words;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => (this.notesOf.wall.textContent = ""), TOLD_MS);
  }
}

