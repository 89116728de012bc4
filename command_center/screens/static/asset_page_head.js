// The head of the chosen case: claim, money really held, what only waits, when it was read.

import { h } from "./dom.js";
import { claimFigure, claimMoney, coded, figure, gatewayName, instant, money } from "./asset_words.js";
import { knows, say } from "./words.js";

export function caseHead(summary, { unmask, isUnmasked }) {
  const { head, cover, controlled_cents: held, transferred_cents: taken } = summary;
  const share = head.claim_cents ? Math.min(100, (100 * held) / head.claim_cents) : 0;
  const takenShare = head.claim_cents ? Math.min(100 - share, (100 * taken) / head.claim_cents) : 0;
  const isKnown = summary.standings.some((one) => !["clue", "none"].includes(one.standing)) || summary.answers.some((one) => ["answered", "nothing_found", "checked"].includes(one.state));
  return [
    h("div.asset-head-title", {},
      h("h2", {}, head.number),
      summary.is_own && h("button.quiet", { type: "button", id: "asset-unmask", "aria-pressed": String(isUnmasked), onclick: unmask }, say(isUnmasked ? "asset.mask.again" : "asset.unmask")),
      h("a.asset-take", { href: `/api/assets/cases/${head.id}/workbook`, id: "asset-workbook", download: "", title: say("asset.workbook.why") }, say("asset.workbook.take")),
      h("small", {},
        head.is_demonstration && h("span.asset-simulated", { title: say("asset.simulated.why") }, say("asset.simulated")),
        [lastAnswer(summary.last_answer), say("asset.head.judge", { name: summary.judge_name }), summary.court_name].join(" · ")),
    ),
    h("div.asset-figures", {},
      one("held", isKnown ? figure(held) : "—", isKnown ? shareNote(head.claim_cents, share) : say("asset.head.unknown")),
      taken > 0 && one("transferred", figure(taken), shareNote(head.claim_cents, takenShare)),
      one("claim", claimFigure(head.claim_cents)),
      one("covered", isKnown ? figure(cover.covered_cents) : "—", isKnown ? coverNote(cover) : "", isKnown ? unvalued(cover) : ""),
      counted(summary, "waiting", ["waiting"], true),
      counted(summary, "intended", ["drafted", "intended"], true),
      counted(summary, "objected", ["objected"]),
      counted(summary, "unknown-outcome", ["unknown", "unconfirmed"]),
    ),
    h("div.asset-meter", { role: "img", "aria-label": say("asset.head.meter", { held: money(held), taken: money(taken), claim: claimMoney(head.claim_cents) }) },
      h("div", { style: `width:${share.toFixed(2)}%` }), h("div.asset-meter-taken", { style: `width:${takenShare.toFixed(2)}%` })),
  ];
}

/** Who answered last, when and to what. */
function lastAnswer(last) {
  if (last === null) return say("asset.head.last.none");
  return say("asset.head.last", { time: instant(last.at), who: gatewayName(last.gateway), what: coded("asset.action", last.action) });
}

const shareNote = (claim, share) => (claim ? `${share.toFixed(1)}%` : "");

/** How much of the claim is covered, things at what a sale of them would bring. */
const coverNote = ({ claim_cents: claim, covered_cents: covered }) => shareNote(claim, (100 * covered) / claim);

/** What nobody has valued, and therefore covers nothing. */
const unvalued = (cover) => (cover.unvalued ? say("asset.head.unvalued", { count: cover.unvalued }) : "");

/** One figure with its note; `further` is told beside it where there is room. */
function one(name, value, note = "", further = "") {
  const why = `asset.head.${name}.about`;
  const title = [further, knows(why) && say(why)].filter(Boolean).join("\n");
  return h(`div.asset-figure.asset-figure-${name}`, { title: title || null }, h("span", {}, say(`asset.head.${name}`)), h("b", { id: `asset-${name}` }, value),
    (note || further) && h("small", {}, note, further && h("span.asset-figure-further", {}, `${note && " · "}${further}`)));
}

/** How many assets stand so; what need not be there is left out where there is none. */
function counted(summary, name, standings, isAlways = false) {
  const count = summary.standings.filter((each) => standings.includes(each.standing)).reduce((sum, each) => sum + each.assets, 0);
  return (isAlways || count > 0) && one(name, String(count));
}
