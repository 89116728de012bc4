// The sheet of assets: persons with their query, things with their standing, and what became of one's proposals.

import { amountWords, refusalWords, standingWords, thingWords, timeWords } from "./assets-words.js";
import { make, mark } from "./elements.js";
import { knows, named, onLanguage, say } from "./words.js";

const one = (selector) => document.querySelector(selector);
const MOST_PROPOSALS = 20;
const ANSWERS = ["asking", "found", "nothing_found", "failed", "no_answer"];

const button = (kind, words, press, attributes = {}) => make(`button.${kind}`, { type: "button", onclick: press, ...attributes }, words);

export class AssetsView {
  #assets;
  #proposals;
  #propose;
  #sheet = one("#sheet-assets");
  #drawn = "";

  /** `propose(chosen)` opens the form for `{ofCase, asset}`, or for something found where there is no asset. */
  constructor(assets, proposals, propose) {
    this.#assets = assets;
    this.#proposals = proposals;
    this.#propose = propose;
    for (const part of [assets, proposals]) part.addEventListener("change", () => this.show());
    onLanguage(() => this.show());
    this.#sheet.addEventListener("close", () => assets.look(false));
    one("#assets-again").addEventListener("click", () => assets.refresh());
  }

  /** Bring it up. */
  open() {
    this.#assets.look(true);
    this.show();
    if (!this.#sheet.open) this.#sheet.showModal();
  }

  /** Draw what changed. */
  show() {
    const { view, isCurrent } = this.#assets;
    one("#assets-age").textContent = view ? say(isCurrent ? "assets.read" : "assets.old", { time: timeWords(view.read_at) }) : "";
    one("#assets-age").dataset.state = isCurrent ? "good" : "away";
    one("#assets-again").hidden = isCurrent;
    const cases = view?.cases ?? [];
    const parts = view
      ? [this.#own(view), ...cases.map((ofCase) => this.#case(ofCase, view))]
      : [make("p.none", {}, say(isCurrent ? "assets.loading" : "assets.unread"))];
    if (view && !cases.length) parts.push(make("p.none", {}, say("assets.no-case")));
    const drawn = make("div", {}, parts.filter(Boolean));
    // What stands is left alone: somebody may be about to press it.
    if (drawn.innerHTML === this.#drawn) return;
    this.#drawn = drawn.innerHTML;
    const focused = document.activeElement?.dataset?.key;
    one("#assets-body").replaceChildren(...drawn.childNodes);
    if (focused) one(`#assets-body [data-key="${focused}"]`)?.focus();
    this.#foot(cases);
  }

  #foot(cases) {
    const found = cases.map((ofCase) => button("big.primary", cases.length > 1 ? say("propose.found.case", { number: ofCase.number }) : say("propose.found"),
      () => this.#propose({ ofCase, asset: null }), { dataset: { key: `found-${ofCase.id}` } }));
    one("#assets-foot").replaceChildren(...found);
  }

  #case(ofCase, view) {
    const names = new Map(ofCase.persons.map((person) => [person.id, person.name]));
    return make("section.asset-case", { dataset: { case: ofCase.id } },
      make("h3", {}, ofCase.number, make("small.quiet", {}, ofCase.operations.map((each) => named(each, "name")).join(" · "))),
      make("h4", {}, say("assets.persons")),
      ofCase.persons.map((person) => this.#person(ofCase, person, view.looks)),
      make("h4", {}, say("assets.things", { count: ofCase.assets_total })),
      ofCase.assets.length < ofCase.assets_total && make("p.quiet", {}, say("assets.first", { count: ofCase.assets.length })),
      ofCase.assets.length ? ofCase.assets.map((asset) => this.#asset(ofCase, asset, names, view.looks)) : make("p.none", {}, say("assets.none")),
      view.proposals.some((each) => !each.is_mine && each.state === "open" && each.case_id === ofCase.id)
        && make("p.quiet", {}, say("assets.others-propose")));
  }

  #person(ofCase, person, looks) {
    const sending = this.#assets.sending(person.id);
    const counts = this.#assets.answers(ofCase, person.id);
    const isAsking = sending === "sending" || counts.asking > 0;
    const hasAny = ANSWERS.some((look) => counts[look]);
    const press = () => this.#assets.query(ofCase.id, person.id);
    return make("article.subject", { dataset: { person: person.id } },
      make("p.name", {}, make("b", {}, person.name), " ", make("span.quiet", {}, person.id_number)),
      make("p.marks", { role: "status" }, this.#marks(counts, sending, hasAny, looks), hasAny && make("time.quiet", {}, timeWords(counts.at))),
      button("query", say(isAsking ? "query.asking" : hasAny ? "query.again" : "query.ask"), press,
        { disabled: sending === "sending", dataset: { key: `query-${person.id}`, again: hasAny } }));
  }

  #marks(counts, sending, hasAny, looks) {
    if (sending === "sending") return [mark(looks.outcomes.asking, say("answer.sending"))];
    const marks = sending ? [mark("unsent", say(`answer.${sending}`))] : [];
    for (const look of ANSWERS) {
      if (counts[look]) marks.push(mark(looks.outcomes[look], say(`answer.${look}`, { count: counts[look], things: counts.things })));
    }
    return hasAny || sending ? marks : [mark("plain", say("answer.never"))];
  }

  #asset(ofCase, asset, names, looks) {
    return make("article.thing", { dataset: { asset: asset.id, standing: asset.standing } },
      make("p.name", {}, make("b", {}, asset.description || thingWords(asset))),
      make("p.quiet", {}, [thingWords(asset), names.get(asset.person_id), asset.value_cents === null ? "" : amountWords(asset.value_cents)].filter(Boolean).join(" · ")),
      make("p.marks", {}, mark(looks.standings[asset.standing], standingWords(asset))),
      asset.proposable.length > 0 && button("propose", say("propose.open"), () => this.#propose({ ofCase, asset }), { dataset: { key: `propose-${asset.id}` } }));
  }

  #own(view) {
    const kept = this.#proposals.kept.map((entry) => this.#kept(entry));
    const told = view.proposals.filter((each) => each.is_mine).slice(0, MOST_PROPOSALS).map((each) => this.#proposal(each));
    if (!kept.length && !told.length) return null;
    return make("section.asset-own", {}, make("h4", {}, say("proposals.mine")), kept, told);
  }

  #kept({ body, title, at, refusal }) {
    const key = body.idempotency_key;
    return make("article.proposal", { dataset: { proposal: key, state: refusal ? "refused" : "kept" } },
      make("p.name", {}, make("b", {}, title)),
      make("p.quiet", {}, `${say(`control.${body.action}`)} · ${timeWords(new Date(at).toISOString())}`),
      make("p.marks", { role: "status" }, refusal
        ? mark("serious", `${say("proposal.refused")} · ${refusalWords(refusal, knows)}`)
        : mark("unsent", say("proposal.kept"))),
      refusal && button("plain-box", say("proposal.drop"), () => this.#proposals.drop(key), { dataset: { key: `drop-${key}` } }));
  }

  #proposal(each) {
    const looks = { open: "standby", approving: "standby", taken_up: "normal", disapproved: "serious", declined: "serious", withdrawn: "off" };
    const what = each.description || thingWords(each);
    const amount = each.amount_cents === null ? "" : amountWords(each.amount_cents);
    return make("article.proposal", { dataset: { proposal: each.idempotency_key, state: each.state } },
      make("p.name", {}, make("b", {}, what)),
      make("p.quiet", {}, [say(`control.${each.action}`), amount, timeWords(each.proposed_at)].filter(Boolean).join(" · ")),
      make("p.marks", { role: "status" }, mark(looks[stateOf(each)], say(`proposal.${stateOf(each)}`)), make("time.quiet", {}, timeWords(each.decided_at))),
      each.decision_reason && make("p.reason-given", {}, say("instruction.reason", { reason: each.decision_reason })),
      each.state === "open" && button("plain-box", say("proposal.withdraw"), () => this.#assets.withdraw(each.id).catch(() => {}), { dataset: { key: `withdraw-${each.id}` } }));
  }
}

/** Where a proposal stands; one that was taken up may still wait for a second person, who may say no. */
function stateOf({ state, request_state: order }) {
  if (state !== "taken_up") return state;
  if (order === "draft") return "approving";
  return order === "declined" || order === "withdrawn" ? "disapproved" : state;
}
