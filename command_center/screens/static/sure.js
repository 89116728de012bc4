// Asking once more before something that can't be undone.

import { showDialog } from "./dialog.js";
import { h } from "./dom.js";
import { say } from "./words.js";

/** Ask; `about` is what to know before, each a text or an element. Answers whether the person means it. */
export function askSure(title, deed, about) {
  return new Promise((resolve) => {
    const leave = h("button", { value: "" }, say("reason.leave"));
    const form = h("form", { method: "dialog" }, h("div.reason-deeds", {}, leave, h("button.primary", { value: "sure" }, deed)));
    const dialog = h("dialog.reason", { "aria-labelledby": "sure-title" },
      h("h2", { id: "sure-title" }, title), h("ul.reason-about", {}, about.map((one) => h("li", {}, one))), form);
    showDialog(dialog, () => resolve(dialog.returnValue === "sure"));
    leave.focus();
  });
}
