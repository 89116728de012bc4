// A tool to check a number as it stands in a document: its normal form, or what is wrong with it and a right example.

import { showDialog } from "./dialog.js";
import { h, stateMark } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { say } from "./words.js";

const ITEMS = [
  "case-number", "ruling-number", "resident-id", "firm-code", "bank-card", "bank-code", "real-estate-unit", "title-certificate", "plate", "vin", "amount", "capitals",
];
const PAUSE_MS = 250;

/** Open the tool. */
export function checkFormats() {
  const item = h("select", { name: "item" }, ITEMS.map((one) => h("option", { value: one }, say(`format.item.${one}`))));
  const text = h("input", { name: "text", type: "text", maxlength: 100, autocomplete: "off", spellcheck: "false" });
  const answer = h("div.format-answer", { role: "status" });
  const close = h("button", { type: "button", onclick: () => dialog.close() }, say("case.check.close"));
  const dialog = h("dialog.field-dialog.format-check", { "aria-labelledby": "format-title" },
    h("h2", { id: "format-title" }, say("case.check")),
    h("form.field-form", { onsubmit: (event) => { event.preventDefault(); check(); } },
      h("label", {}, h("span", {}, say("format.item")), item),
      h("label", {}, h("span", {}, say("format.text")), text), answer, h("div.field-deeds", {}, close)));
  let asked = 0;
  let pause = null;

  async function check() {
    const mine = ++asked;
    if (!text.value.trim()) return answer.replaceChildren(h("small", {}, say(`format.example.${item.value}`)));
    try {
      const found = await ask("POST", "/api/assets/format-checks", { item: item.value, text: text.value });
      if (mine === asked) answer.replaceChildren(...right(found));
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      if (mine === asked) answer.replaceChildren(stateMark("critical", problem.words ?? String(problem)));
    }
  }

  text.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(check, PAUSE_MS);
  });
  item.addEventListener("change", check);
  showDialog(dialog);
  check();
  text.focus();
}

function right({ normal, capitals, fifteen }) {
  return [
    stateMark("normal", say("format.right")), h("b.format-normal", {}, normal),
    capitals && capitals !== normal && h("span", {}, say("format.capitals", { capitals })),
    fifteen && h("span", {}, say("format.fifteen", { fifteen })),
  ].filter(Boolean);
}
