// One sanction: what may be done now and why the rest can't, the checks, the deletion clock, the time line, the publications.

import { h, stateMark } from "./dom.js";
import { takeDeed } from "./sanction_deeds.js";
import { clockOf, deedWords, evidenceOf, isLive, outcomeOf, stateOf, termOf } from "./sanction_words.js";
import { minute } from "./time.js";
import { say } from "./words.js";

export class SanctionDetail {
  constructor(changed, tell) {
    this.changed = changed;
    this.tell = tell;
    this.element = h("section.panel.sanction-detail", { "aria-label": say("sanction.detail") },
      h("p.sanction-blank", {}, say("sanction.choose")));
  }

  show(full) {
    const { line } = full;
    const shown = JSON.stringify(full);
    if (shown === this.shown) return; // what the reader has unfolded stays so
    this.shown = shown;
    this.element.replaceChildren(
      h("div.sanction-head", {}, h("h2", {}, line.person_name, h("small", {}, line.person_number)), stateOf(line),
        h("span", {}, say(`sanction.kind.${line.kind}`)), h("span", {}, line.case_number)),
      h("div.sanction-body", { dataset: { sanction: line.id, state: line.state } },
        line.clock && h("p.sanction-due", {}, clockOf(line.clock, isLive(line.state)), " ",
          say("sanction.clock.why", { ground: say(`sanction.deletion.${line.clock.ground}`), day: line.clock.ground_on })),
        line.may_be_performed && h("p.sanction-due", {}, stateMark("serious", say("sanction.may-be-performed"))),
        this.deeds(full),
        section("checks", h("p.sanction-hint", {}, say(full.checked_at_decision ? "sanction.checks.decided" : "sanction.checks.now")), checks(full)),
        section("facts", facts(full)),
        section("steps", h("ol.sanction-steps", {}, full.steps.map(step))),
        section("publications", publications(full))));
  }

  deeds(full) {
    const possible = full.deeds.filter((one) => !one.why_not);
    const others = full.deeds.filter((one) => one.why_not);
    const buttons = possible.map(({ deed }) => h("button", {
      type: "button", dataset: { deed }, onclick: async () => {
        try {
          const changed = await takeDeed(deed, full);
          if (changed) await this.changed(changed);
        } catch (problem) {
          this.tell(problem);
        }
      },
    }, deedWords(deed, full)));
    return h("div.sanction-deeds", {},
      buttons.length ? h("div.sanction-buttons", {}, buttons) : h("p.sanction-hint", {}, say("sanction.deeds.none")),
      h("details", {}, h("summary", {}, say("sanction.deeds.others")),
        h("dl", {}, others.map(({ deed, why_not: code }) => [h("dt", {}, deedWords(deed, full)), h("dd", {}, say(`error.${code}`, { court: full.line.court_name }))]))));
  }
}

const section = (name, ...content) => h(`section.sanction-${name}`, {}, h("h3", {}, say(`sanction.${name}`)), content);

function checks({ checks: found }) {
  return h("table", {}, h("tbody", {}, found.map((check) => h("tr", { dataset: { check: check.code, outcome: check.outcome } },
    h("td", {}, outcomeOf(check)), h("th", { scope: "row" }, say(`sanction.check.${check.code}`)),
    h("td", {}, evidenceOf(check)), h("td.sanction-source", {}, check.source)))));
}

function facts(full) {
  const { line } = full;
  const rows = [
    line.ground && ["ground", say(`sanction.ground.${line.ground}`)],
    ["facts", full.facts],
    ["basis", full.basis_document],
    ["duty", full.duty],
    ["performance", say(`sanction.performance.${full.performance}`)],
    ["security", [say(`sanction.security.${full.security || "unknown"}`), full.security_note && h("small", {}, full.security_note)]],
    full.extra_years > 0 && ["extension", say("sanction.extension.words", { years: full.extra_years, reason: full.extra_reason })],
    ["term", [termOf(line), line.ends_on && h("small", {}, say("sanction.term.rule"))]],
    full.decision_number && ["decision", [full.decision_number, h("small", {}, `${full.decided_by_name} · ${full.decided_on}`)]],
    full.served_on && ["service", `${full.served_on} · ${say(`sanction.manner.${full.service_manner}`)}`],
  ].filter(Boolean);
  return h("dl", {}, rows.map(([name, content]) => [h("dt", {}, say(`sanction.fact.${name}`)), h("dd", {}, content)]));
}

function step({ deed, at, by_name: name, given }) {
  const told = [
    given.decision_number, given.served_on && `${given.served_on} · ${say(`sanction.manner.${given.manner}`)}`,
    given.since && `${say(`sanction.deletion.${given.ground}`)} · ${given.since}`, given.reason,
  ].filter(Boolean);
  return h("li", { dataset: { step: deed } },
    h("time", { datetime: at }, minute(at)), h("b", {}, say(`sanction.step.${deed}`)), h("span", {}, name || say("sanction.by-rule")),
    told.length > 0 && h("small", {}, told.join(" · ")));
}

function publications({ publications: found, draft_text: draft }) {
  const items = found.map((one) => h("details", { open: !one.ended_at, dataset: { publication: one.number } },
    h("summary", {}, say("sanction.publication", { number: one.number, since: minute(one.at), by: one.by_name || "–" }), " ",
      one.ended_at ? say("sanction.publication.until", { until: minute(one.ended_at), step: say(`sanction.step.${one.ended_by}`) }) : say("sanction.publication.public")),
    h("pre", {}, one.text)));
  if (draft) items.push(h("details", {}, h("summary", {}, say("sanction.draft")), h("pre", {}, draft)));
  return items.length ? items : h("p.sanction-hint", {}, say("sanction.publications.none"));
}
