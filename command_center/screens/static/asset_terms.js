// What lapses next: figures that filter, the table page by page, alarms to acknowledge, the table to take away.

import { termRows } from "./asset_terms_rows.js";
import { h, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { clock, now } from "./time.js";
import { inLanguage, say } from "./words.js";

const REFRESH_MS = 30_000;
const TYPING_MS = 400;
const KINDS = ["bank_account", "real_estate", "movable", "other_right"];
const COLUMNS = ["ends", "left", "case", "asset", "controlled", "alarm", "deeds"];

export async function mount(body) {
  const mayControl = person().permissions.includes("control_assets");
  const news = h("p.term-news", { role: "status" });
  const figures = h("div.term-figures");
  const read = h("span.term-read");
  const rows = h("tbody");
  const more = h("button.term-more", { type: "button", hidden: true, onclick: () => load(true) }, say("term.more"));
  const nothing = h("p.term-none", { hidden: true });
  const rule = h("p.term-rule");
  const take = h("a.term-take", { download: "" }, say("term.take"));
  const filter = filters(() => load(false));
  filter.fromAddress();
  let next = null;
  let pages = 0;
  let asked = 0; // of answers that come out of order the last asking's counts

  body.replaceChildren(
    figures, filter.element, news,
    h("div.term-scroll", {},
      h("table", {}, h("thead", {}, h("tr", {}, COLUMNS.map(head))), rows), nothing, more),
    h("footer.term-foot", {}, rule, read));
  document.getElementById("term-tools")?.replaceChildren(take);

  async function load(goesOn) {
    const mine = ++asked;
    const query = filter.query();
    take.href = `/api/assets/terms/workbook?${query}`;
    if (goesOn && next !== null) query.set("cursor", next);
    try {
      const [found, counts] = await Promise.all([
        ask("GET", `/api/assets/terms?${query}`), ask("GET", "/api/assets/terms/counts"),
      ]);
      if (mine !== asked) return;
      const made = termRows(found.items, mayControl, acknowledge);
      if (goesOn) rows.append(...made);
      else rows.replaceChildren(...made);
      pages = goesOn ? pages + 1 : 1;
      next = found.next;
      more.hidden = next === null;
      nothing.hidden = rows.children.length > 0;
      write(nothing, say(filter.isSet() ? "term.none.filtered" : "term.none"));
      showFigures(figures, counts, filter);
      filter.courts(counts.courts);
      write(rule, [say("term.rule", { rule: say("asset.term.rule") }), unknown(found.unknown_years)].filter(Boolean).join(" "));
      write(read, say("term.read", { time: clock(now()) }));
      read.classList.remove("state-caution");
    } catch (problem) {
      if (mine !== asked) return;
      if (problem.status === 401) return toSignIn("not-signed-in");
      news.textContent = problem.words ?? String(problem);
      read.classList.add("state-caution");
    }
  }

  async function acknowledge(alarm, button) {
    button.disabled = true;
    button.dataset.key ??= crypto.randomUUID();
    news.textContent = "";
    let told = say("term.acknowledged.told");
    try {
      await ask("POST", `/api/assets/terms/alarms/${alarm.id}/acknowledge`, { idempotency_key: button.dataset.key });
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      told = problem.words ?? String(problem);
      button.disabled = false;
    }
    await load(false);
    news.textContent = told;
  }

  setInterval(() => { if (!document.hidden && pages <= 1) load(false); }, REFRESH_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && pages <= 1) load(false); });
  await load(false);
}

const head = (name) => h(`th.term-column-${name}`, { scope: "col" }, name === "deeds" ? "" : say(`term.head.${name}`));

const unknown = (years) => (years.length ? say("term.unknown-years", { years: years.join(say("asset.list.separator")) }) : "");

const FIGURES = [
  ["lapsed", (counts) => counts.lapsed, { show: "alarms" }, "critical"],
  ["alarms", (counts) => counts.alarms, { show: "alarms" }, "serious"],
  ["within.7", (counts) => counts.within[7], { within: "7" }, null],
  ["within.30", (counts) => counts.within[30], { within: "30" }, null],
  ["within.60", (counts) => counts.within[60], { within: "60" }, null],
  ["effective", (counts) => counts.effective, {}, null],
];

/** Figures that are buttons: a press shows what was counted. */
function showFigures(place, counts, filter) {
  place.replaceChildren(...FIGURES.map(([name, count, wanted, state]) => {
    const value = count(counts);
    return h("button.term-figure", {
      type: "button",
      dataset: { figure: name },
      "aria-pressed": String(filter.shows(wanted)),
      onclick: () => filter.set(wanted),
    }, h("span", {}, say(`term.count.${name}`)), h(value && state ? `b.state-${state}` : "b", {}, value.toLocaleString("en-US")));
  }));
}

/** The fields that filter; `changed` is called once they rest. */
function filters(changed) {
  let typing = null;
  const soon = () => { clearTimeout(typing); typing = setTimeout(changed, TYPING_MS); };
  const option = (value, words) => h("option", { value }, words);
  const show = h("select", { onchange: changed }, option("terms", say("term.show.terms")), option("alarms", say("term.show.alarms")));
  const within = h("select", { onchange: changed }, option("", say("term.within.any")),
    ["7", "15", "30", "60", "365"].map((days) => option(days, say("term.within", { days }))));
  const kind = h("select", { onchange: changed }, option("", say("term.kind.any")), KINDS.map((one) => option(one, say(`asset.kind.${one}`))));
  const court = h("select", { onchange: changed }, option("", say("term.court.any")));
  const courtField = field("court", court);
  courtField.hidden = true;
  const text = (name) => h("input", { type: "search", maxlength: 100, placeholder: say(`term.filter.${name}.hint`), oninput: soon });
  const caseText = text("case");
  const judge = text("judge");
  const element = h("form.term-filter", { onsubmit: (event) => { event.preventDefault(); changed(); } },
    field("case", caseText), field("judge", judge), field("kind", kind), courtField, field("within", within), field("show", show));
  return {
    element,
    query: () => new URLSearchParams(Object.entries({
      show: show.value, court_id: court.value, kind: kind.value, judge: judge.value.trim(), case: caseText.value.trim(), within_days: within.value,
    }).filter(([, value]) => value !== "")),
    isSet: () => [court, kind, judge, caseText, within].some((one) => one.value !== "") || show.value !== "terms",
    shows: (wanted) => show.value === (wanted.show ?? "terms") && within.value === (wanted.within ?? ""),
    set: (wanted) => { show.value = wanted.show ?? "terms"; within.value = wanted.within ?? ""; changed(); },
    /** As a link to this page says: `?show=alarms&case=…&within=30`. */
    fromAddress: () => {
      const wanted = new URLSearchParams(location.search);
      if (wanted.get("show") === "alarms") show.value = "alarms";
      caseText.value = wanted.get("case") ?? "";
      within.value = wanted.get("within") ?? "";
    },
    courts: (courts) => {
      if (courts.length < 2 || court.options.length > 1) return;
      court.append(...courts.map((one) => option(one.id, inLanguage(one, "name"))));
      courtField.hidden = false;
    },
  };
}

const field = (name, input) => h("label", {}, say(`term.filter.${name}`), input);
