// The list of what happened, following the clock: what is over stands dark, the last event is marked, the rest is to come.

import { h, shape, stateMark, write } from "./dom.js";
import { stepAt } from "./review_events.js";
import { clock as clockOf } from "./time.js";
import { say } from "./words.js";

export const GROUPS = ["order", "asset", "alarm", "talk", "camera", "note"];
const STEPS = 5;
const VERDICTS = { accepted: "normal", done: "normal", refused: "critical" };

export class EventList {
  /** `on.seek(at)` when a row is pressed; `on.edit(note)` and `on.withdraw(note)` for one's own notes. */
  constructor(element, notes, clock, on) {
    this.clock = clock;
    this.on = on;
    this.notes = notes;
    this.events = [];
    this.rows = [];
    this.hidden = new Set();
    this.follows = true;
    this.current = -1;
    this.list = h("ol.event-list", { tabindex: -1 });
    this.blank = h("p.blank", { role: "status", hidden: true });
    this.chips = h("div.event-chips", { role: "group", "aria-label": say("review.filter") }, GROUPS.map((group) => this.chip(group)));
    this.again = h("button.event-follow", { type: "button", hidden: true, onclick: () => this.follow() }, say("review.list.follow"));
    this.note = h("div.event-note", { hidden: true });
    element.append(this.chips, h("div.event-scroll", {}, this.list, this.blank, this.again), this.note);
    for (const gesture of ["wheel", "touchmove", "pointerdown"]) {
      this.list.addEventListener(gesture, (event) => {
        if (gesture !== "pointerdown" || event.target === this.list) this.letGo();
      }, { passive: true });
    }
    clock.on("tick", () => this.step());
    clock.on("change", () => {
      this.stepped = null;
      this.step();
    });
  }

  chip(group) {
    return h("label.event-chip", {}, h("input", { type: "checkbox", checked: true, onchange: (event) => {
      if (event.target.checked) this.hidden.delete(group);
      else this.hidden.add(group);
      event.target.blur();
      this.draw();
    } }), say(`review.group.${group}`));
  }

  /** A sentence in place of the list. */
  say(words) {
    this.blank.hidden = words === null;
    write(this.blank, words ?? "");
  }

  tell(words) {
    write(this.notes, words ?? "");
  }

  show(events) {
    this.events = events;
    this.draw();
  }

  draw() {
    const events = this.events.filter((event) => !this.hidden.has(event.group));
    const before = new Map(this.rows.map((row) => [row.event.id, row]));
    this.rows = events.map((event) => {
      const known = before.get(event.id);
      return known && known.key === keyOf(event) ? Object.assign(known, { event }) : this.row(event);
    });
    this.place();
    this.say(events.length === 0 ? say(this.events.length ? "review.list.filtered" : "review.list.none") : null);
    this.current = this.placeAt(this.clock.now);
    this.markRows(0, this.rows.length - 1, this.current);
    this.stepped = null;
    this.step();
  }

  /** Put the rows in their order; where nobody is new, the list stays as somebody scrolled it. */
  place() {
    const elements = this.rows.map((row) => row.element);
    const { children } = this.list;
    if (elements.length === children.length && elements.every((element, place) => element === children[place])) return;
    const { scrollTop } = this.list;
    this.list.replaceChildren(...elements);
    this.list.scrollTop = scrollTop;
  }

  row(event) {
    const deliveries = (event.deliveries ?? []).map((delivery) => {
      const pips = h("span.pips", { "aria-hidden": "true" }, Array.from({ length: STEPS }, () => h("i")));
      const state = h("span.delivery-state");
      return { delivery, pips, state, element: h("li.delivery", {}, h("span.delivery-officer", {}, delivery.officer), pips, state) };
    });
    const button = h(
      "button.event-press", { type: "button", title: event.isSealed === undefined ? null : say(event.isSealed ? "review.sealed" : "review.unsealed"), onclick: () => this.on.seek(event.at, event) },
      h("time.event-time", {}, clockOf(event.at)),
      h("span.event-head", {}, event.badge ? stateMark(event.state, event.badge) : h(`span.state.state-${event.state}`, {}, shape(event.state)), h("b", {}, event.title), event.by ? h("span.event-by", {}, event.by) : null),
      event.words ? h("span.event-words", {}, event.words) : null,
    );
    const element = h(
      "li.event", { dataset: { kind: event.kind, id: event.id } }, button,
      deliveries.length ? h("ul.deliveries", {}, deliveries.map((each) => each.element)) : null,
      event.note && !event.note.withdrawn_at && event.isOwn ? h(
        "span.event-own", {},
        h("button.quiet", { type: "button", onclick: () => this.on.edit(event.note) }, say("review.note.edit")),
        h("button.quiet", { type: "button", onclick: () => this.on.withdraw(event.note) }, say("review.note.withdraw")),
      ) : null,
    );
    element.classList.toggle("is-withdrawn", Boolean(event.note?.withdrawn_at));
    return { event, key: keyOf(event), element, button, deliveries };
  }

  /** Bring the list to the clock's moment. */
  step() {
    const { now } = this.clock;
    const current = this.placeAt(now);
    if (current !== this.current) {
      this.markRows(Math.min(this.current, current), Math.max(this.current, current), current);
      this.current = current;
    }
    const shown = this.rows[current]?.event.id ?? null;
    if (shown !== this.shown) {
      this.shown = shown;
      if (this.follows) this.bringIntoSight();
    }
    const second = Math.floor(now / 500);
    if (second === this.stepped) return;
    this.stepped = second;
    for (const row of this.rows) for (const each of row.deliveries) paintDelivery(each, now);
  }

  /** Mark the rows from one place to another as over, current or to come. */
  markRows(from, to, current) {
    for (let place = Math.max(0, from); place <= to && place < this.rows.length; place += 1) {
      const { element, button } = this.rows[place];
      element.classList.toggle("is-ahead", place > current);
      element.classList.toggle("is-current", place === current);
      if (place === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  placeAt(at) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].event.at <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  bringIntoSight() {
    const row = this.rows[Math.max(0, this.current)];
    if (!row) return;
    const room = this.list.clientHeight;
    this.list.scrollTop = row.element.offsetTop - this.list.offsetTop - room * 0.55 + row.element.offsetHeight / 2;
  }

  letGo() {
    this.follows = false;
    this.again.hidden = false;
  }

  follow() {
    this.follows = true;
    this.again.hidden = true;
    this.bringIntoSight();
  }

  /** The event before (-1) or after (1) a moment, among those shown; or null. */
  beside(at, step) {
    const place = this.placeAt(step < 0 ? at - 1 : at);
    return this.rows[step < 0 ? (this.rows[place]?.event.at >= at - 700 ? place - 1 : place) : place + 1]?.event ?? null;
  }
}

const keyOf = (event) => `${event.at} ${event.title} ${event.by ?? ""} ${event.words} ${event.isSealed} ${event.deliveries?.length ?? ""} ${event.note?.withdrawn_at ?? ""}`;

function paintDelivery({ delivery, pips, state, element }, now) {
  const step = stepAt(delivery, now);
  const key = step ? `${step.state} ${step.at}` : "";
  if (element.dataset.step === key) return;
  element.dataset.step = key;
  element.hidden = step === null;
  if (step === null) return;
  for (const [place, pip] of [...pips.children].entries()) pip.classList.toggle("is-done", place < step.done);
  const verdict = VERDICTS[step.state];
  const words = `${say(`delivery.${step.state}`)} ${clockOf(step.at)}${step.reason ? ` ${step.reason}` : ""}`;
  state.replaceChildren(verdict ? stateMark(verdict, words) : h("span.delivery-time", {}, words));
}
