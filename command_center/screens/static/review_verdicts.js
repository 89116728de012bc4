// The verification on the review: asked for one recording after the other beside whatever else is done, told in plain words.

import { h, setMark, stateMark, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { reviewId } from "./review_session.js";
import { changeOf, headOf, linesOf, moment, proofLines } from "./review_verdict_words.js";
import { clock } from "./time.js";
import { say } from "./words.js";

const LONGEST_MS = 240_000; // the server gives up before that
const MOST_TRIES = 12; // while others' verifications are under way
const AGAIN_SECONDS = 10;
const STATES = ["serious", "caution", "standby", "off", "normal"]; // the gravest first
const OF_PHASE = { waiting: "standby", running: "standby", stopped: "off", failed: "caution" };

export class Verdicts {
  /**
   * `on.shown()`: the feeds on the wall; `on.purpose()`: have a purpose given; `on.seek(at, feed)`; `on.moved(words | null)`: how
   * far a run is; `on.closed()`.
   */
  constructor(main, element, notes, on) {
    this.main = main;
    this.on = on;
    this.shown = h("button.primary", { type: "button", onclick: () => this.run(this.ofWall()) });
    this.all = h("button", { type: "button", onclick: () => this.run(this.ofAll()) });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": say("review.verdict.running") });
    this.end = h("button", { type: "button", onclick: () => this.stop?.abort() }, say("review.verdict.stop"));
    this.deeds = h("div.verdict-deeds", {}, this.shown, this.all);
    this.progress = h("div.verdict-deeds", { hidden: true }, this.bar, this.end);
    this.news = h("p.verdict-news", { role: "status" });
    this.proof = h("ul.verdict-proof");
    this.list = h("div.verdict-list");
    this.why = h("p.verdict-why", {}, say("review.verdict.why"));
    element.append(this.deeds, this.progress, this.news, h("div.verdict-scroll", {}, this.why, this.list, this.proof, h("p.verdict-trust", {}, say("review.verdict.trust"))));
    notes.append(h("button.quiet", { type: "button", "aria-label": say("review.verdict.close"), title: say("review.verdict.close"), onclick: () => this.close() }, "×"));
    this.element = element.closest(".panel");
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.close();
    });
    this.clear();
  }

  /** Forget everything: another operation is shown. */
  clear() {
    this.stop?.abort();
    this.stop = null;
    this.lanes = [];
    this.recordings = new Map();
    this.rows = new Map();
    this.sections = new Map();
    this.list.replaceChildren();
    this.paintProof();
    write(this.news, "");
    this.paint();
    this.on.moved(null);
  }

  get isOpen() {
    return this.main.classList.contains("has-verdicts");
  }

  open() {
    this.main.classList.add("has-verdicts");
    (this.stop ? this.end : this.shown.disabled ? this.all : this.shown).focus();
  }

  /** What is under way goes on. */
  close() {
    if (!this.isOpen) return false;
    this.main.classList.remove("has-verdicts");
    this.on.closed();
    return true;
  }

  setLanes(lanes, recordings) {
    this.lanes = lanes;
    this.recordings = recordings;
    for (const row of this.rows.values()) {
      const now = (recordings.get(row.lane.feed) ?? []).find((one) => one.id === row.recording.id);
      if (now) row.recording = now;
      this.paintRow(row);
    }
    this.paint();
  }

  ofWall() {
    return this.of(this.lanes.filter((lane) => this.on.shown().includes(lane.feed)));
  }

  ofAll() {
    return this.of(this.lanes);
  }

  of(lanes) {
    return lanes.flatMap((lane) => (this.recordings.get(lane.feed) ?? []).map((recording) => ({ lane, recording })));
  }

  paint() {
    const [shown, all] = [this.ofWall().length, this.ofAll().length];
    write(this.shown, say("review.verdict.shown", { count: shown }));
    write(this.all, say("review.verdict.all", { count: all }));
    this.shown.disabled = shown === 0;
    this.all.disabled = all === 0;
    this.deeds.hidden = this.stop !== null;
    this.progress.hidden = this.stop === null;
    this.why.hidden = this.rows.size > 0;
  }

  // -- asking

  /** Verify these, one after the other, until somebody stops it. */
  async run(wanted) {
    if (this.stop) return;
    const stop = (this.stop = new AbortController());
    write(this.news, "");
    if (!reviewId()) await this.on.purpose();
    if (stop.signal.aborted) return;
    if (!reviewId()) return this.finish(say("review.verdict.purpose"));
    const rows = wanted.map((one) => this.row(one));
    for (const row of rows) this.put(row, { phase: "waiting" });
    this.paint();
    this.end.focus();
    let done = 0;
    for (const row of rows) {
      this.tellProgress(row, done, rows.length);
      const found = await this.examine(row, stop.signal);
      if (stop.signal.aborted) break;
      done += 1;
      this.put(row, found);
    }
    if (stop !== this.stop) return; // another operation is shown
    for (const row of rows) if (["waiting", "running"].includes(row.phase)) this.put(row, { phase: row.answer ? null : "stopped" });
    this.finish(stop.signal.aborted ? say("review.verdict.stopped", { done, total: rows.length }) : this.sum(rows));
  }

  finish(words) {
    const wasHere = this.progress.contains(document.activeElement);
    this.stop = null;
    this.paint();
    write(this.news, words);
    this.on.moved(null);
    if (wasHere) this.shown.focus();
  }

  tellProgress(row, done, total) {
    this.put(row, { phase: "running" });
    this.bar.max = total;
    this.bar.value = done;
    write(this.news, say("review.verdict.progress", { number: done + 1, total, name: nameOf(row.lane), time: clock(row.recording.since) }));
    this.on.moved(say("review.verify.share", { done, total }));
  }

  /** What the server finds, or why it found nothing. */
  async examine(row, stopped) {
    const before = row.recording;
    for (let tries = 1; ; tries += 1) {
      const late = AbortSignal.timeout(LONGEST_MS);
      try {
        const answer = await ask("POST", `/api/reviews/${reviewId()}/verdicts`, { recording_id: before.id }, { signal: AbortSignal.any([stopped, late]) });
        return { phase: null, answer, before };
      } catch (problem) {
        if (stopped.aborted) return null;
        if (problem.status === 401) toSignIn("not-signed-in");
        if (problem.code === "purpose-required" && tries === 1) await this.on.purpose();
        else if (problem.status === 429 && tries < MOST_TRIES) await pause(problem.retryAfterSeconds ?? AGAIN_SECONDS, stopped);
        else return { phase: "failed", answer: null, problem: late.aborted ? say("review.verdict.late") : problem.words ?? String(problem) };
      }
    }
  }

  /** How many of each kind there are, the gravest first; of what is serious also whose it is. */
  sum(rows) {
    const parts = STATES.map((state) => {
      const these = rows.filter((row) => standing(row).state === state);
      const names = [...new Set(these.map((row) => nameOf(row.lane)))].join(say("review.verdict.and"));
      return these.length && say(`review.verdict.sum.${state}`, { count: these.length, names });
    });
    return [say("review.verdict.done"), ...parts.filter(Boolean)].join(" · ");
  }

  // -- drawing

  row({ lane, recording }) {
    const known = this.rows.get(recording.id);
    if (known) return known;
    const mark = stateMark("standby", "");
    const body = h("div.verdict-body");
    const time = h("button.quiet", { type: "button", title: say("review.verdict.seek", { time: moment(recording.since) }), onclick: () => this.on.seek(row.recording.since, lane.feed) }, clock(recording.since));
    const element = h("li.verdict", { dataset: { recording: recording.id } }, h("p.verdict-head", {}, time, mark), body);
    const row = { lane, recording, mark, body, element, phase: null, answer: null, problem: "" };
    this.rows.set(recording.id, row);
    const section = this.sections.get(lane.feed) ?? this.section(lane);
    section.rows.push(row);
    section.rows.sort((one, other) => one.recording.since - other.recording.since);
    section.list.replaceChildren(...section.rows.map((each) => each.element));
    return row;
  }

  section(lane) {
    const mark = stateMark("standby", "");
    const list = h("ol");
    const head = h("h3", {}, h("span.tile-number", {}, lane.number), h("span.verdict-site", { title: lane.site }, lane.site), h("span.verdict-officer", {}, lane.officer), mark);
    const section = { lane, mark, list, rows: [], element: h("section.verdict-camera", { dataset: { feed: lane.feed } }, head, list) };
    this.sections.set(lane.feed, section);
    const order = [...this.sections.values()].sort((one, other) => one.lane.ordinal - other.lane.ordinal || one.lane.feed.localeCompare(other.lane.feed));
    this.list.replaceChildren(...order.map((each) => each.element));
    return section;
  }

  put(row, found) {
    Object.assign(row, found);
    this.paintRow(row);
    this.paintProof();
  }

  /** What the ledgers lack that the recordings share: as the newest answer has it. */
  paintProof() {
    const answers = [...this.rows.values()].flatMap((row) => row.answer ?? []);
    const newest = answers.reduce((one, other) => (one && one.checked_at > other.checked_at ? one : other), null);
    const lines = newest ? proofLines(newest) : [];
    const drawn = JSON.stringify(lines);
    this.proof.hidden = lines.length === 0;
    if (drawn === this.drawnProof) return;
    this.drawnProof = drawn;
    this.proof.replaceChildren(h("li", {}, say("review.verdict.proof")), ...lines.map((each) => h("li", {}, line(each))));
  }

  /** Draw a row anew where something of it has changed, so that what somebody reads in it stays as it is. */
  paintRow(row) {
    const change = row.answer && changeOf(row.answer, row.before, row.recording);
    const drawn = JSON.stringify([row.phase, row.problem, row.answer?.checked_at, change]);
    if (drawn === row.drawn) return;
    row.drawn = drawn;
    const { kind, state } = standing(row);
    row.element.dataset.state = state;
    setMark(row.mark, state, say(`review.verdict.head.${kind}`));
    row.body.replaceChildren(...(row.answer ? found(row.answer, change) : row.phase === "failed" ? [line({ state: "caution", words: row.problem })] : []));
    this.paintSection(this.sections.get(row.lane.feed));
  }

  paintSection(section) {
    const all = section.rows.map(standing);
    const worst = all.reduce((one, other) => (STATES.indexOf(other.state) < STATES.indexOf(one.state) ? other : one));
    section.element.dataset.state = worst.state;
    setMark(section.mark, worst.state, say(`review.verdict.short.${worst.kind}`));
  }
}

/** How a recording stands: being verified, not verified, or what was found. */
function standing(row) {
  if (row.phase) return { kind: row.phase, state: OF_PHASE[row.phase] };
  return row.answer ? headOf(row.answer) : { kind: "stopped", state: "off" };
}

function found(answer, change) {
  return [
    change && line(change),
    h("ul", {}, linesOf(answer).map((each) => h("li", {}, line(each)))),
    h("details", {},
      h("summary", {}, say("review.verdict.at", { time: moment(Date.parse(answer.checked_at)) })),
      h("pre", {}, answer.text)),
  ].filter(Boolean);
}

const line = ({ state, words }) => stateMark(state, words);

const nameOf = (lane) => [lane.number, lane.officer].join(" ");

/** Wait so long, or until it is stopped. */
function pause(seconds, stopped) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    stopped.addEventListener("abort", resolve, { once: true });
  });
}
