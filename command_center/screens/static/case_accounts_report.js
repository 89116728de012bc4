// The month of a court's money, held against the bank's statement.

import { amountCell, table } from "./case_accounts_words.js";
import { h, stateMark, write } from "./dom.js";
import { money } from "./money.js";
import { ask } from "./net.js";
import { day, now } from "./time.js";
import { say } from "./words.js";

const PATH = "/api/assets/accounts/reconciliation";
const COLUMNS = ["opening", "received", "paid", "refunded", "fees", "closing", "held"];
const thisMonth = () => day(now()).slice(0, 7);

/** Show the report in `element`; `back` is called when it is left. */
export async function showReport(element, mains, back) {
  const month = h("input", { type: "month", name: "month", "aria-label": say("case-money.report.month"), value: thisMonth(), max: thisMonth(), onchange: () => read() });
  const court = h("select", { name: "court", onchange: () => read(), hidden: mains.length < 2 }, mains.map((main) => h("option", { value: main.court_id }, `${main.bank_name} ${main.number}`)));
  const link = h("a.money-link", { download: "" }, say("case-money.report.download"));
  const news = h("p.money-news", { role: "status" });
  const sheet = h("div.money-body");
  element.replaceChildren(
    h("div.money-head", {}, h("h2", {}, say("case-money.report")), month, court, link,
      h("button", { type: "button", onclick: back }, say("case-money.report.back"))),
    news, sheet);

  async function read() {
    const query = new URLSearchParams({ court_id: court.value, month: month.value });
    link.href = `${PATH}.xlsx?${query}`;
    write(news, "");
    try {
      sheet.replaceChildren(...shown(await ask("GET", `${PATH}?${query}`, undefined, { timeoutMs: 20_000 })));
    } catch (problem) {
      write(news, problem.words ?? String(problem));
    }
  }

  await read();
}

function shown({ report, agrees }) {
  const heads = [[say("case-money.report.case")], ...COLUMNS.map((name) => [say(`case-money.report.${name}`), "money-amount"])];
  const line = (name, turnover, kind = "") => h(`tr${kind}`, {}, h("td", {}, name), COLUMNS.map((column) => amountCell(turnover[`${column}_cents`])));
  const rows = report.cases.map((one) => line(one.case_number || say("case-money.report.unclaimed"), one.turnover));
  const verdict = agrees ? ["normal", "agrees"] : report.bank_closing_cents === null ? ["serious", "unknown"] : ["critical", "differs"];
  return [
    h("p.money-verdict", {}, stateMark(verdict[0], say(`case-money.report.${verdict[1]}`))),
    table(heads, [...rows, line(say("case-money.report.total"), report.total, ".money-total")]),
    h("h3", {}, say("case-money.report.bank")),
    differences(report),
  ];
}

function differences(report) {
  const heads = [[say("case-money.report.difference")], [say("case-money.report.reference")], [say("case-money.report.at-bank"), "money-amount"], [say("case-money.report.in-books"), "money-amount"]];
  const known = (cents) => (cents === null ? "–" : money(cents));
  const row = (words, reference, bank, books) => h("tr", {}, h("td", {}, words), h("td", {}, reference), h("td.money-amount", {}, known(bank)), h("td.money-amount", {}, known(books)));
  return table(heads, [
    row(say("case-money.report.opening"), report.main_number, report.bank_opening_cents, report.total.opening_cents),
    row(say("case-money.report.closing"), report.main_number, report.bank_closing_cents, report.total.closing_cents),
    ...report.differences.map((one) => row(say(`case-money.difference.${one.code}`), one.reference, one.bank_cents, one.book_cents)),
    ...report.faults.map((one) => row(say(`case-money.fault.${one.code}`), one.subject_id, null, one.cents)),
  ]);
}
