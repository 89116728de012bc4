// The head of the chosen case: claim, money really held, what only waits, when it was read.

import { h } from "./dom.js";
import { figure, money } from "./asset_words.js";
import { clock } from "./time.js";
import { knows, say } from "./words.js";

export function caseHead(summary, { unmask, isUnmasked }) {
  const { head, cover, controlled_cents: held } = summary;
  const share = head.claim_cents ? Math.min(100, (100 * held) / head.claim_cents) : 0;
  const waiting = counted(summary, ["waiting"]);
  const unknown = counted(summary, ["unknown", "unconfirmed"]);
  const isKnown = summary.standings.some((one) => !["clue", "none"].includes(one.standing)) || summary.answers.some((one) => ["answered", "nothing_found", "checked"].includes(one.state));
  return [
    h("div.asset-head-title", {},
      h("div", {}, h("h2", {}, head.number), h("small", {},
        head.is_demonstration && h("span.asset-simulated", { title: say("asset.simulated.why") }, say("asset.simulated")),
        [say("asset.head.read", { time: clock(Date.parse(summary.read_at)) }), say("asset.head.judge", { name: summary.judge_name }), summary.court_name].join(" · "))),
      summary.is_own && h("button.quiet", { type: "button", id: "asset-unmask", "aria-pressed": String(isUnmasked), onclick: unmask }, say(isUnmasked ? "asset.mask.again" : "asset.unmask")),
      h("a.asset-take", { href: `/api/assets/cases/${head.id}/workbook`, id: "asset-workbook", download: "", title: say("asset.workbook.why") }, say("asset.workbook.take")),
    ),
    h("div.asset-figures", {},
      one("held", isKnown ? figure(held) : "—", isKnown ? `${share.toFixed(1)}%` : say("asset.head.unknown")),
      one("claim", figure(head.claim_cents)),
      one("covered", isKnown ? figure(cover.covered_cents) : "—", isKnown ? coverNote(cover) : ""),
      one("waiting", String(waiting), say("asset.head.waiting.why")),
      unknown > 0 && one("unknown-outcome", String(unknown), say("asset.head.unknown-outcome.why")),
    ),
    h("div.asset-meter", { role: "img", "aria-label": say("asset.head.meter", { held: money(held), claim: money(head.claim_cents) }) },
      h("div", { style: `width:${share.toFixed(2)}%` })),
  ];
}

/** How much of the claim is covered, things at what a sale of them would bring, and what nobody has valued. */
function coverNote(cover) {
  const share = cover.claim_cents ? (100 * cover.covered_cents) / cover.claim_cents : 0;
  const unvalued = cover.unvalued ? say("asset.head.unvalued", { count: cover.unvalued }) : "";
  return [`${share.toFixed(1)}%`, unvalued].filter(Boolean).join(" · ");
}

function one(name, value, note = "") {
  const why = `asset.head.${name}.about`;
  return h(`div.asset-figure.asset-figure-${name}`, { title: knows(why) ? say(why) : null }, h("span", {}, say(`asset.head.${name}`)), h("b", { id: `asset-${name}` }, value), note && h("small", {}, note));
}

function counted(summary, standings) {
  return summary.standings.filter((each) => standings.includes(each.standing)).reduce((sum, each) => sum + each.assets, 0);
}
