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

/** Fill the list by what is typed, once Enter is pressed or the field is left, and say whether it holds all that fit. */
function narrow(select, narrowing, wordsOf) {
  const word = narrowing.querySelector("input");
  const note = narrowing.querySelector("small");
  let asked = "";
  async function look() {
    const wanted = word.value.trim();
    if (wanted === asked) return; // leaving the field after Enter takes back no choice
    asked = wanted;
    try {
      const page = await read(wanted);
      if (wanted !== asked) return; // another word came meanwhile
      select.replaceChildren(...optionsOf(page.items, wordsOf).map(([value, words]) => h("option", { value }, words)));
      note.textContent = page.next === null ? "" : say("asset.cases.more");
      select.dispatchEvent(new Event("change"));
    } catch (problem) {
      if (wanted !== asked) return;
      asked = null; // the same word may be tried again
      note.textContent = problem.words ?? String(problem);
    }
  }
  word.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // it sends no dialog, and so tells of no change either
    look();
  });
  word.addEventListener("change", look);
}
