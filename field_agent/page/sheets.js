// What slides up from below: the history, the reasons for a refusal, and questions before something ends.

import { fill, say } from "./words.js";

const REASONS = ["refuse.1", "refuse.2", "refuse.3", "refuse.4"];
const one = (selector) => document.querySelector(selector);

/** Close buttons and a tap beside the sheet close it. */
export function prepareSheets() {
  for (const sheet of document.querySelectorAll("dialog.sheet")) {
    sheet.querySelector(".close")?.addEventListener("click", () => sheet.close());
    sheet.addEventListener("click", (event) => {
      if (event.target === sheet) sheet.close();
    });
  }
}

/** Ask before something ends; gives true or false. */
export function confirmed(question) {
  const sheet = one("#sheet-confirm");
  fill(sheet);
  one("#confirm-title").textContent = say(`${question}.title`);
  one("#confirm-text").textContent = say(`${question}.text`);
  one("#confirm-yes").textContent = say(`${question}.yes`);
  sheet.showModal();
  return new Promise((resolve) => {
    const yes = () => sheet.close("yes");
    const no = () => sheet.close("no");
    one("#confirm-yes").addEventListener("click", yes);
    one("#confirm-no").addEventListener("click", no);
    sheet.returnValue = "no";
    sheet.addEventListener(
      "close",
      () => {
        one("#confirm-yes").removeEventListener("click", yes);
        one("#confirm-no").removeEventListener("click", no);
        resolve(sheet.returnValue === "yes");
      },
      { once: true },
    );
  });
}

/** What was typed without marks that nobody sees; some keyboards slip them in, and the centre takes none. */
export function visible(text) {
  return text.replace(/[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g, "").trim();
}

/** Ask why; gives the reason, or an empty text when the officer thinks better of it. */
export function refusalReason(instruction) {
  const sheet = one("#sheet-refuse");
  const other = one("#refuse-other");
  fill(sheet);
  one("#refuse-text").textContent = instruction.text;
  other.value = "";
  let chosen = "";
  const send = one("#refuse-send");
  const look = () => {
    send.disabled = !(visible(other.value) || chosen);
  };
  const buttons = REASONS.map((key) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reason";
    button.textContent = say(key);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      chosen = button.textContent;
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      look();
    });
    return button;
  });
  one("#refuse-reasons").replaceChildren(...buttons);
  other.oninput = look;
  look();
  sheet.returnValue = "";
  sheet.showModal();
  return new Promise((resolve) => {
    send.onclick = () => sheet.close("send");
    sheet.addEventListener(
      "close",
      () => resolve(sheet.returnValue === "send" ? visible(other.value) || chosen : ""),
      { once: true },
    );
  });
}

/** Fill the list of all instructions. */
export function showHistory(instructions, clockWords) {
  const items = instructions.map((each) => {
    const item = document.createElement("li");
    item.dataset.state = each.state;
    item.dataset.priority = each.priority;
    const head = document.createElement("p");
    head.className = "quiet";
    const from = say("instruction.from", { sender: each.sender, number: each.number });
    head.textContent = `${clockWords(each.issued_at)} · ${from} · ${say(`priority.${each.priority}`)}`;
    const text = document.createElement("p");
    text.className = "text";
    text.textContent = each.text;
    const state = document.createElement("p");
    state.className = "state";
    state.textContent = say(`state.${each.state}`);
    if (each.reason) state.textContent += ` · ${say("instruction.reason", { reason: each.reason })}`;
    item.append(head, text, state);
    return item;
  });
  if (!items.length) {
    const none = document.createElement("li");
    none.className = "quiet none";
    none.textContent = say("history.none");
    items.push(none);
  }
  one("#history-list").replaceChildren(...items);
}
