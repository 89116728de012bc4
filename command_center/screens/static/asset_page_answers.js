// Who is under enforcement, which institution said what about them and which hasn't, and asking them.

import { h, redraw, stateMark } from "./dom.js";
import { ENDED, gatewayName, requestMark, requestWord, shortInstant } from "./asset_words.js";
import { say } from "./words.js";

/** In which order the states of a person's queries are told: first what wants the judge's eye. */
const TOLD = ["no_answer", "failed", "returned", "objected", "sent", "accepted", "answered", "nothing_found", "never"];
const SHOWN_AT_ONCE = 4;

export class Answers {
  /** `query(personId, gateways)` asks, all gateways where none is named; `queryEverybody()` about all at once. */
  constructor(element, mayQuery, { query, queryEverybody }) {
    Object.assign(this, { element, mayQuery, query, queryEverybody });
    this.opened = new Set();
    /** Names and numbers as they are, while they are unmasked. */
    this.people = new Map();
  }

  show(summary) {
    this.summary = summary;
    const persons = summary.persons.filter((person) => person.is_under_enforcement);
    const others = summary.persons.filter((person) => !person.is_under_enforcement);
    const told = [summary.persons, summary.answers, summary.gateways, this.mayQuery(), [...this.people.keys()], [...this.opened]];
    redraw(this.element, told, () => [
      ...(this.mayQuery() && persons.length > 1 ? [h("button.asset-everybody", { type: "button", id: "asset-query-everybody", title: say("asset.query.everybody.about"), onclick: this.queryEverybody }, say("asset.query.everybody"))] : []),
      h("ul.asset-persons", {}, persons.map((person) => this.person(person))),
      ...(others.length > 0 ? [h("p.asset-others", {}, say("asset.persons.others", { names: others.map((one) => (this.people.get(one.id) ?? one).name).join(say("asset.list.separator")) }))] : []),
    ]);
  }

  person(person) {
    const who = this.people.get(person.id) ?? person;
    const latest = new Map(this.summary.answers.filter((one) => one.person_id === person.id).map((one) => [one.gateway, one]));
    const names = [...new Set([...this.summary.gateways, ...latest.keys()])];
    const states = names.map((name) => ({ name, request: latest.get(name), state: latest.get(name)?.state ?? "never" }));
    const ended = states.filter((one) => ENDED.has(one.state)).length;
    const asked = states.filter((one) => one.state !== "never").length;
    const isSmall = names.length <= SHOWN_AT_ONCE;
    const isOpen = isSmall || this.opened.has(person.id);
    return h("li.asset-person", { dataset: { person: person.id } },
      h("div.asset-person-head", {},
        h("div", {}, h("b", { title: who.name }, who.name), h("small", {}, who.id_number)),
        this.mayQuery() && h("button", { type: "button", dataset: { deed: "query-all" }, title: say("asset.query.all", { name: person.name }), onclick: () => this.query(person.id, []) }, say("asset.query.everywhere"))),
      asked > 0 && ended < asked && h("div.asset-progress", {},
        h("progress", { max: asked, value: ended, "aria-label": say("asset.answers.progress", { ended, asked }) }),
        h("small", { role: "status" }, say("asset.answers.progress", { ended, asked }))),
      !isSmall && this.counts(person, states, isOpen),
      isOpen && h("ul.asset-gateways", {}, states.sort((one, other) => TOLD.indexOf(one.state) - TOLD.indexOf(other.state)).map((one) => this.gateway(person, one))),
    );
  }

  /** How many said what, where there are too many to be listed at once. */
  counts(person, states, isOpen) {
    const counts = TOLD.map((state) => [state, states.filter((one) => one.state === state).length]).filter(([, count]) => count > 0);
    return h("button.asset-counts.quiet", {
      type: "button", dataset: { deed: "counts" }, "aria-expanded": String(isOpen), onclick: () => this.toggle(person.id), title: say("asset.answers.each"),
    }, counts.map(([state, count]) => stateMark(requestMark(state), say(`asset.answers.count.${state}`, { count }))));
  }

  toggle(id) {
    if (!this.opened.delete(id)) this.opened.add(id);
    this.show(this.summary);
  }

  gateway(person, { name, request, state }) {
    const when = request?.answered_at ?? request?.sent_at;
    const notes = [gatewayName(name), request?.reason, request?.attempts ? say("asset.attempts", { count: request.attempts }) : "", request?.number].filter(Boolean);
    const again = state === "never" ? say("asset.query.one") : say("asset.query.again");
    return h("li", { dataset: { gateway: name, state }, title: notes.join("\n") },
      h("span.asset-gateway-name", {}, gatewayName(name)),
      stateMark(requestMark(state), requestWord(state, request?.found)),
      h("small", {}, shortInstant(when)),
      this.mayQuery() && h("button.quiet", { type: "button", "aria-label": `${gatewayName(name)} ${again}`, title: again, onclick: () => this.query(person.id, [name]) }, "↻"));
  }
}
