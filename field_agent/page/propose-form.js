// The form in which an officer proposes a control: of a known asset, or of something found on site. No typing where a tap will do.

import { thingWords } from "./assets-words.js";
import { make } from "./elements.js";
import { centsOf, isNumberOf } from "./numbers.js";
import { visible } from "./sheets.js";
import { fill, say } from "./words.js";

const one = (selector) => document.querySelector(selector);
const KINDS = ["bank_account", "movable", "real_estate", "other_right"];
const CONTROLS = {
  bank_account: ["freeze"], movable: ["impound", "seize"], real_estate: ["seize", "pre_register"], other_right: ["freeze"],
};
const WITH_AMOUNT = ["bank_account", "other_right"];
const PHRASES = ["phrase.1", "phrase.2", "phrase.3"];

/** Buttons of which one is chosen; `choose(value)` tells which. */
function choice(place, options, chosen, choose) {
  const buttons = options.map(([value, words]) => make("button.option", {
    type: "button",
    "aria-pressed": String(value === chosen),
    onclick: () => {
      for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.value === value));
      choose(value);
    },
    dataset: { value },
  }, words));
  place.replaceChildren(...buttons);
}

export class ProposeForm {
  #sheet = one("#sheet-propose");
  #send;
  #chosen = null; // {ofCase, asset}
  #kind = "movable";
  #control = "impound";
  #person = "";

  /** `send(body, title, ofCase)` keeps the proposal and sends it. */
  constructor(send) {
    this.#send = send;
    one("#propose-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const id of ["number", "description", "amount"]) one(`#propose-${id}`).addEventListener("input", () => this.#complain(id, ""));
    one("#propose-words").addEventListener("input", () => this.#showPhrases());
  }

  /** Ask for a proposal about an asset of the case, or (`asset` is null) about what was found. */
  open({ ofCase, asset }) {
    this.#chosen = { ofCase, asset };
    fill(this.#sheet);
    one("#propose-form").reset();
    for (const id of ["number", "description", "amount"]) this.#complain(id, "");
    one("#propose-title").textContent = say(asset ? "propose.title" : "propose.title.found");
    one("#propose-thing").hidden = !asset;
    one("#propose-thing").textContent = asset ? [asset.description, thingWords(asset)].filter(Boolean).join(" · ") : "";
    one("#propose-found").hidden = Boolean(asset);
    this.#person = ofCase.persons.length === 1 ? ofCase.persons[0].id : "";
    choice(one("#propose-kinds"), KINDS.map((kind) => [kind, say(`kind.${kind}`)]), "movable", (kind) => this.#useKind(kind));
    const persons = [...ofCase.persons.map((person) => [person.id, person.name]), ["", say("propose.person.unknown")]];
    choice(one("#propose-persons"), persons, this.#person, (id) => { this.#person = id; });
    this.#useKind(asset?.kind ?? "movable");
    this.#showPhrases();
    this.#sheet.showModal();
    this.#sheet.scrollTop = 0;
  }

  #useKind(kind) {
    this.#kind = kind;
    const controls = this.#chosen.asset?.proposable ?? CONTROLS[kind];
    this.#control = controls[0];
    one("#propose-number-word").textContent = say(`propose.number.${kind}`);
    one("#propose-number").inputMode = kind === "bank_account" ? "numeric" : "text";
    one("#propose-amount-field").hidden = !WITH_AMOUNT.includes(kind);
    this.#complain("number", "");
    choice(one("#propose-controls"), controls.map((each) => [each, say(`control.${each}`)]), this.#control, (each) => { this.#control = each; });
  }

  #showPhrases() {
    const words = one("#propose-words");
    const buttons = PHRASES.map((key) => make("button.option", {
      type: "button",
      "aria-pressed": String(words.value.includes(say(key))),
      onclick: () => {
        const phrase = say(key);
        words.value = words.value.includes(phrase) ? words.value.replace(phrase, "").trim() : `${words.value} ${phrase}`.trim();
        this.#showPhrases();
      },
    }, say(key)));
    one("#propose-phrases").replaceChildren(...buttons);
  }

  #complain(id, words) {
    const place = one(`#propose-${id}-trouble`);
    place.textContent = words;
    place.hidden = !words;
    one(`#propose-${id}`).setAttribute("aria-invalid", String(Boolean(words)));
    if (words) one(`#propose-${id}`).focus();
    return !words;
  }

  async #submit() {
    const { ofCase, asset } = this.#chosen;
    const [number, description, words, amount] = ["number", "description", "words", "amount"].map((id) => visible(one(`#propose-${id}`).value));
    const cents = WITH_AMOUNT.includes(this.#kind) ? centsOf(amount) : null;
    if (!asset && !isNumberOf(this.#kind, number)) return this.#complain("number", say(`propose.bad.${this.#kind}`));
    if (!asset && !number && !description) return this.#complain("description", say("propose.bad.nothing"));
    if (Number.isNaN(cents)) return this.#complain("amount", say("propose.bad.amount"));
    const thing = asset
      ? { asset_id: asset.id }
      : { kind: this.#kind, reference: number, description, person_id: this.#person || null };
    const title = asset ? asset.description || thingWords(asset) : description || thingWords({ kind: this.#kind, reference: number });
    this.#sheet.close();
    return this.#send({ ...thing, action: this.#control, amount_cents: cents, words }, title, ofCase);
  }
}
