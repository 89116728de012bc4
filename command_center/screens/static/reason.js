// Asking for a reason before something is done.

import { showDialog } from "./dialog.js";
import { h } from "./dom.js";
import { say } from "./words.js";

/** Ask why; answers the reason, or null where the person thought better of it. */
export function askReason(title, deed, about = "") {
  return new Promise((resolve) => {
    const text = h("textarea", { name: "reason", required: true, maxlength: 200, rows: 3 });
    const leave = h("button", { type: "button", onclick: () => dialog.close() }, say("reason.leave"));
    const form = h("form", { method: "dialog" },
      h("label", {}, say("reason.why"), text),
      h("div.reason-deeds", {}, leave, h("button.primary", { value: "given" }, deed)));
    const dialog = h("dialog.reason", { "aria-labelledby": "reason-title" },
      h("h2", { id: "reason-title" }, title), about && h("p", {}, about), form);
    form.addEventListener("submit", (event) => {
      if (text.value.trim()) return;
      event.preventDefault();
      text.focus();
    });
    showDialog(dialog, () => resolve(dialog.returnValue === "given" ? text.value.trim() : null));
    text.focus();
  });
}
