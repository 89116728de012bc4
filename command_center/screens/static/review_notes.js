// Bookmarks and notes: written at the moment that is shown, read with their author, withdrawn but never gone.

import { h, write } from "./dom.js";
import { person } from "./person.js";
import { askInReview } from "./review_session.js";
import { clock as clockOf } from "./time.js";
import { say } from "./words.js";

const LONGEST = 500;

export class Notes {
  /** `element`: where a note is written; `on.changed()` when there are others than before. */
  constructor(element, on) {
    this.element = element;
    this.on = on;
    this.items = [];
    this.operation = this.key = null;
  }

  async read(operation) {
    this.operation = operation;
    const { items } = await askInReview("GET", `/api/operations/${operation.id}/notes`);
    if (operation === this.operation) this.take(items); // else somebody has chosen another one meanwhile
  }

  clear() {
    this.close();
    this.items = [];
    this.operation = this.key = null;
  }

  take(items) {
    const key = JSON.stringify(items);
    if (key === this.key) return;
    this.key = key;
    this.items = items;
    this.on.changed();
  }

  /** The notes as events of the list and marks of the line. */
  events(laneOf) {
    const own = person().user_id;
    return this.items.map((note) => {
      const lane = note.feed ? laneOf(note.feed) : null;
      const name = say(note.text ? "review.note" : "review.bookmark");
      return {
        id: `note-${note.id}`, at: Date.parse(note.at), kind: "note", group: "note", state: note.withdrawn_at ? "off" : "standby",
        title: [note.author, lane && `${lane.number} ${lane.officer}`].filter(Boolean).join(" · "),
        badge: note.withdrawn_at ? say("review.note.withdrawn", { time: clockOf(Date.parse(note.withdrawn_at)) }) : note.edited_at ? `${name} ${say("review.note.edited")}` : name,
        words: note.text, note, isOwn: note.author_id === own,
      };
    });
  }

  /** Let somebody write: a new note at `at` (perhaps of one camera), or another text for an own one. */
  open({ at, lane = null, note = null }) {
    if (!this.operation) return;
    const text = h("textarea", { rows: 2, maxlength: LONGEST, placeholder: say("review.note.placeholder"), "aria-label": say("review.note.text") });
    text.value = note?.text ?? "";
    const ofLane = lane ? h("input", { type: "checkbox" }) : null;
    const news = h("span.note-news", { role: "alert" });
    const save = () => this.save({ at, feed: ofLane?.checked ? lane.feed : null, note, text: text.value, news });
    text.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // the Enter that ends an input method's composing sends nothing
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        save();
      } else if (event.key === "Escape") this.close();
    });
    this.element.replaceChildren(
      h("p.note-head", {}, h("b", {}, say(note ? "review.note.change" : "review.note.at", { time: clockOf(at) })), lane ? h("label", {}, ofLane, say("review.note.of", { name: `${lane.number} ${lane.officer}` })) : null),
      text,
      h("p.note-foot", {}, news, h("button.quiet", { type: "button", onclick: () => this.close() }, say("review.note.cancel")), h("button.primary", { type: "button", onclick: save }, say("review.note.save"))),
    );
    this.element.hidden = false;
    text.focus();
  }

  close() {
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  async save({ at, feed, note, text, news }) {
    try {
      const body = { text };
      const made = note
        ? await askInReview("PATCH", `/api/notes/${note.id}`, body)
        : await askInReview("POST", `/api/operations/${this.operation.id}/notes`, { ...body, at: new Date(at).toISOString(), feed });
      this.close();
      this.put(made);
    } catch (problem) {
      write(news, problem.words ?? say("review.note.failed"));
    }
  }

  async withdraw(note) {
    try {
      this.put(await askInReview("DELETE", `/api/notes/${note.id}`));
    } catch (problem) {
      this.on.failed(problem);
    }
  }

  put(note) {
    this.take([...this.items.filter((each) => each.id !== note.id), note]);
  }
}
