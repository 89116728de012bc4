// The second person's page: lists at the left, what is chosen at the right with its papers and deeds.

import { detailOf } from "./approval_detail.js";
import { List } from "./approval_lists.js";
import { h } from "./dom.js";
import { live, toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { clock, now } from "./time.js";
import { say } from "./words.js";

const SOURCES = { waiting: "/api/assets/approvals", objections: "/api/assets/objections", overdue: "/api/assets/overdue" };
const QUIET_MS = 15_000;

export function mount(body) {
  new Approvals(body).start();
}

class Approvals {
  constructor(body) {
    this.me = person();
    this.news = document.getElementById("approval-news");
    this.chosenPlace = body.querySelector("#approval-chosen");
    this.lists = Object.keys(SOURCES).map((name) => new List(name, body.querySelector(`#approval-${name}`), (item) => this.choose(name, item)));
    this.chosen = null;
  }

  may(permission) {
    return this.me.permissions.includes(permission);
  }

  async start() {
    live.on("assets", () => this.refresh());
    live.on("link", ({ state }) => state === "connected" && this.refresh());
    await this.refresh();
    setInterval(() => !document.hidden && this.refresh(), QUIET_MS);
  }

  /** Read the lists anew; several wishes at once are one reading, and one more behind it, for which all wait. */
  refresh() {
    this.isWanted = true;
    this.reading ??= this.readWanted().finally(() => { this.reading = null; });
    return this.reading;
  }

  async readWanted() {
    while (this.isWanted) {
      this.isWanted = false;
      await this.read();
    }
  }

  async read() {
    try {
      const answers = await Promise.all(Object.values(SOURCES).map((path) => ask("GET", path)));
      this.lists.forEach((list, place) => list.show(answers[place].items, Boolean(answers[place].next)));
      if (this.isFailing) this.say("");
      this.isFailing = false;
      await this.keepChosen();
    } catch (problem) {
      this.failed(problem);
    }
  }

  failed(problem) {
    this.isFailing = true;
    if (problem.status === 401) toSignIn("not-signed-in");
    else this.say(say("approval.failed", { words: problem.words ?? String(problem), at: clock(now()) }));
  }

  say(words) {
    this.news.textContent = words;
  }

  async chooseFirst() {
    const list = this.lists.find((one) => one.items.length);
    if (list) await this.choose(list.name, list.items[0]);
    else this.drawNothing();
  }

  /** What was chosen may have been decided by somebody else meanwhile. */
  async keepChosen() {
    if (!this.chosen) return this.chooseFirst();
    const list = this.lists.find((one) => one.name === this.chosen.name);
    const item = list.items.find((one) => List.idOf(one) === this.chosen.id);
    if (!item) await this.chooseFirst();
    else if (JSON.stringify(item) !== this.chosen.drawn) await this.choose(list.name, item);
  }

  async choose(name, item) {
    const id = List.idOf(item);
    this.chosen = { name, id, drawn: JSON.stringify(item) };
    for (const list of this.lists) list.mark(list.name === name ? id : null);
    const papers = await this.papersOf(item.request);
    if (this.chosen.id !== id) return;
    this.chosenPlace.replaceChildren(...detailOf(name, item, papers, {
      may: (permission) => this.may(permission), perform: (deed, words) => this.perform(deed, words),
    }));
    this.chosenPlace.scrollTop = 0;
  }

  drawNothing() {
    this.chosen = null;
    this.chosenPlace.replaceChildren(h("p.approval-none", {}, say("approval.nothing")));
  }

  /** The papers, whole, where this person may read them; each reading is on record, so each is read once. */
  async papersOf(request) {
    if (!this.may("control_assets") && !this.may("approve_assets")) return null;
    this.known ??= new Map();
    const key = `${request.id} ${request.state}`;
    if (!this.known.has(key)) {
      try {
        this.known.set(key, (await ask("GET", `/api/assets/requests/${request.id}/papers/text`)).items);
      } catch (problem) {
        if (problem.status === 401) toSignIn("not-signed-in");
        return [];
      }
    }
    return this.known.get(key);
  }

  /** Do it, tell what came of it, and show how things stand then. */
  async perform(deed, words) {
    let told = words;
    try {
      if (await deed() === false) return;
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      told = problem.words ?? String(problem);
    }
    await this.refresh();
    this.say(told);
  }
}
