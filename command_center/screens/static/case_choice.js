// Choosing one of the own court's cases in a dialog: the first of them, narrowed by a word that the server is asked for.

import { h } from "./dom.js";
import { ask } from "./net.js";
import { say } from "./words.js";

/**
 * The choice as {narrowing, options, narrow}: a note with the word's field, which is hidden where all cases are in the
 * list anyway, the options of a select, and what keeps that select in step with the word. `wordsOf` calls a case.
 */
export async function caseChoice(wordsOf) {
  const found = await read("");
  const narrowing = narrowedBy(found.next);
  return { narrowing, options: optionsOf(found.items, wordsOf), narrow: (select) => narrow(select, narrowing, wordsOf) };
}

const read = (text) => ask("GET", `/api/assets/search/cases?${new URLSearchParams({ text })}`);

/** None of them is chosen yet. */
function optionsOf(items, wordsOf) {
  return [["", say("sanction.propose.choose")], ...items.filter(({ head }) => !head.acting_court).map((one) => [one.head.id, wordsOf(one)])];
}

function narrowedBy(next) {
  const label = say("asset.cases.search");
  const word = h("input", { type: "search", placeholder: label, "aria-label": label, maxlength: 100, autocomplete: "off" });
  return h("label", { hidden: next === null }, h("small", { role: "status" }, say("asset.cases.more")), word);
}

/** Fill the list by what is typed, and say whether it holds all that fit. */
function narrow(select, narrowing, wordsOf) {
  const word = narrowing.querySelector("input");
  let asked = 0;
  word.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  word.addEventListener("change", async () => {
    const mine = ++asked;
    const page = await read(word.value.trim());
    if (mine !== asked) return; // another word came meanwhile
    select.replaceChildren(...optionsOf(page.items, wordsOf).map(([value, words]) => h("option", { value }, words)));
    narrowing.querySelector("small").textContent = page.next === null ? "" : say("asset.cases.more");
    select.dispatchEvent(new Event("change"));
  });
}
