// A dialog with fields, which stays open until what it sends was taken: a refusal is told beside what was written.

import { showDialog } from "./dialog.js";
import { h, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { say } from "./words.js";

/**
 * Ask for `fields` and hand their values to `send(values, key)`; answers what that answers, or null where the person
 * thought better of it. A field is {name, label, kind, …}: text, textarea, date, select, check or note (`element`).
 * `key` is one for each set of values: pressing twice does it once.
 */
export function askFields({ title, deed, fields, send, about = [], isWide = false }) {
  return new Promise((resolve) => {
    let answer = null;
    let key = crypto.randomUUID();
    const news = h("p.field-news", { role: "alert" });
    const leave = h("button", { type: "button", onclick: () => dialog.close() }, say("reason.leave"));
    const go = h("button.primary", { type: "submit" }, deed);
    const form = h("form.field-form", {},
      about.map((one) => h("div.field-about", {}, one)), fields.map(fieldElement), h("div.field-deeds", {}, news, leave, go));
    const dialog = h(`dialog.field-dialog${isWide ? ".is-wide" : ""}`, { "aria-labelledby": "field-title" }, h("h2", { id: "field-title" }, title), form);
    form.addEventListener("input", () => { key = crypto.randomUUID(); });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      write(news, "");
      try {
        answer = await send(valuesOf(form, fields), key);
        dialog.close();
      } catch (problem) {
        if (problem.status === 401) toSignIn("not-signed-in");
        write(news, problem.words ?? String(problem));
      } finally {
        go.disabled = false;
      }
    });
    showDialog(dialog, () => resolve(answer));
    (form.querySelector("select, textarea, input:not([type=checkbox])") ?? go).focus();
  });
}

/** One field with its label; `hint` stands under it. */
function fieldElement(field) {
  if (field.kind === "note") return field.element;
  if (field.kind === "check") {
    return h("label.field-check", {}, h("input", { type: "checkbox", name: field.name, required: field.required, checked: field.value }), h("span", {}, field.label));
  }
  return h("label", {}, h("span", {}, field.label), control(field), field.hint && h("small", {}, field.hint));
}

function control(field) {
  const usual = { name: field.name, required: field.required, placeholder: field.placeholder, maxlength: field.maxlength, autocomplete: "off" };
  if (field.kind === "select") {
    const options = field.options.map(([value, words]) => h("option", { value, selected: value === field.value }, words));
    return h("select", { name: field.name, required: field.required, onchange: field.onchange }, options);
  }
  if (field.kind === "textarea") {
    const area = h("textarea", { ...usual, rows: field.rows ?? 3 });
    area.value = field.value ?? "";
    return area;
  }
  const dates = field.kind === "date" ? { type: "date", max: field.max, min: field.min } : { type: "text", spellcheck: "false" };
  return h("input", { ...usual, ...dates, value: field.value });
}

function valuesOf(form, fields) {
  const named = fields.filter((field) => field.name);
  return Object.fromEntries(named.map(({ name, kind }) => {
    const element = form.elements[name];
    return [name, kind === "check" ? element.checked : element.value.trim()];
  }));
}
