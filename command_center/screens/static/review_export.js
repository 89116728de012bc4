// The dialog in which a package of evidence is asked for, for the cameras and the span that are shown.

import { showDialog } from "./dialog.js";
import { h } from "./dom.js";
import { say } from "./words.js";

/** Open it; `given`: {operation, since, until, feeds}. */
export async function openExport(given) {
  const { mountExport } = await import("./export.js");
  const body = h("div");
  const close = h("form", { method: "dialog" }, h("button", {}, say("review.export.close")));
  const dialog = h("dialog.export", { "aria-labelledby": "export-title" }, h("h2", { id: "export-title" }, say("review.export.why")), body, close);
  showDialog(dialog);
  mountExport(body, given);
}
