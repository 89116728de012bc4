// The list of recordings: by site and officer, each with its start, its length and how it stands.

import { h, setMark, stateMark, write } from "./dom.js";
import { clock, day, span } from "./time.js";
import { inLanguage, say } from "./words.js";

const MARKS = {
  recording: "normal", ended: "off", codec: "off", network: "caution", node: "caution",
  cut_off: "serious", disk: "serious", missing: "critical",
};

/** Shape and word of how a recording stands. */
export function recordingMark(state) {
  return stateMark(MARKS[state] ?? "off", say(`review.state.${state}`));
}

export class RecordingList {
  constructor(element, choose) {
    this.element = element;
    this.choose = choose;
    this.rows = new Map();
    this.order = [];
    this.chosen = null;
  }

  /** A sentence in place of the list. */
  say(words) {
    this.rows.clear();
    this.order = [];
    this.chosen = null;
    this.key = null;
    this.element.replaceChildren(h("p.blank", { role: "status" }, words));
  }

  show(recordings) {
    const groups = grouped(recordings);
    this.order = groups.flatMap((group) => group.recordings);
    const key = this.order.map((recording) => recording.id).join();
    if (key !== this.key) {
      this.key = key;
      this.rows = new Map(this.order.map((recording) => [recording.id, this.row(recording)]));
      this.element.replaceChildren(h("div.recording-list", {}, groups.map((group) => this.section(group))));
      this.mark(this.chosen);
    }
    for (const recording of this.order) this.update(recording);
  }

  section(group) {
    const title = h("h3", {}, h("span.tile-number", {}, group.number), h("span.recording-site", {}, group.site), h("span.recording-officer", {}, group.officer));
    return h("section.recording-group", {}, title, h("ul", {}, group.recordings.map((recording) => h("li", {}, this.rows.get(recording.id).button))));
  }

  row(recording) {
    const startedAt = Date.parse(recording.started_at);
    const length = h("span.recording-length");
    const state = recordingMark(recording.state);
    const button = h(
      "button.recording",
      { type: "button", dataset: { recording: recording.id, feed: recording.feed }, onclick: () => this.choose(this.current(recording.id)) },
      h("span.recording-start", {}, h("small", {}, day(startedAt)), clock(startedAt)),
      length,
      state,
    );
    return { button, length, state };
  }

  update(recording) {
    const row = this.rows.get(recording.id);
    write(row.length, span(recording.seconds * 1000));
    setMark(row.state, MARKS[recording.state] ?? "off", say(`review.state.${recording.state}`));
    row.button.dataset.state = recording.state;
  }

  current(id) {
    return this.order.find((recording) => recording.id === id);
  }

  mark(id) {
    this.chosen = id;
    for (const [each, row] of this.rows) {
      if (each === id) row.button.setAttribute("aria-current", "true");
      else row.button.removeAttribute("aria-current");
    }
  }

  /** Choose the recording `step` places further down. */
  step(step) {
    const place = this.order.findIndex((recording) => recording.id === this.chosen);
    const next = this.order[place < 0 ? 0 : place + step];
    if (!next) return;
    this.choose(next);
    this.rows.get(next.id).button.scrollIntoView({ block: "nearest" });
  }
}

/** Number and name of where it was recorded: a site, or the centre itself. */
export function placeOf(recording) {
  if (recording.kind === "voice") return { number: say("review.voice.number"), site: say("review.voice") };
  return { number: String(recording.site_ordinal), site: inLanguage(recording, "site") };
}

function grouped(recordings) {
  const groups = new Map();
  for (const recording of recordings) {
    const key = `${recording.site_id} ${recording.officer_id}`;
    if (!groups.has(key)) {
      groups.set(key, { ordinal: recording.site_ordinal, ...placeOf(recording), officer: recording.officer, recordings: [] });
    }
    groups.get(key).recordings.push(recording);
  }
  return [...groups.values()].sort((a, b) => a.ordinal - b.ordinal || a.officer.localeCompare(b.officer));
}
