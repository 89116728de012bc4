// Dialogs that are made for once: whoever leaves one stands where they came from, also where the page was drawn anew meanwhile.

import { addressOf } from "./dom.js";

/** Show `dialog`; once it is left it goes, the focus is back at its opener, and `left` is called. */
export function showDialog(dialog, left = () => {}) {
  const opener = document.activeElement;
  const address = addressOf(opener);
  dialog.addEventListener("close", () => {
    dialog.remove();
    // Where the opener still stands the browser has put the focus there itself, and by now it may have gone on.
    if (!opener.isConnected && address && document.activeElement === document.body) document.querySelector(address)?.focus();
    left();
  });
  document.body.append(dialog);
  dialog.showModal();
}
