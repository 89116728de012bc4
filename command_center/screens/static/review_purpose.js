// What somebody reviews an operation for: asked once an operation, and kept for as long as the page's tab is open.

import { showDialog } from "./dialog.js";
import { h, write } from "./dom.js";
import { person } from "./person.js";
import { beginReview, PURPOSES, useReview } from "./review_session.js";
import { say } from "./words.js";

const LONGEST = 200;
const kept = (operation) => `review ${person().user_id} ${operation.id}`;

/** Go on with the purpose that was given for this operation, or ask for one; false where nobody gave any. */
export async function takePurpose(operation, { isAskedAgain = false } = {}) {
  const known = sessionStorage.getItem(kept(operation));
  if (known && !isAskedAgain) {
    useReview(known === "none" ? null : known);
    return true;
  }
  useReview(null);
  return askPurpose(operation);
}

function askPurpose(operation) {
  return new Promise((resolve) => {
    const choice = h("select", { id: "review-purpose", required: true }, PURPOSES.map((purpose) => h("option", { value: purpose }, say(`review.purpose.${purpose}`))));
    const text = h("input", { id: "review-purpose-text", maxlength: LONGEST, autocomplete: "off" });
    const news = h("p.purpose-news", { role: "alert" });
    const begin = h("button.primary", { type: "submit" }, say("review.purpose.begin"));
    const isFree = person().permissions.includes("review_without_purpose");
    const skip = isFree ? h("button.quiet", { type: "button", onclick: () => end("none") }, say("review.purpose.skip")) : null;
    const form = h(
      "form", { onsubmit: (event) => send(event) }, skip, begin,
    );
    const dialog = h(
      "dialog.purpose", { "aria-labelledby": "purpose-title" },
      h("h2", { id: "purpose-title" }, say("review.purpose.title")),
      h("p", {}, say("review.purpose.why")),
      h("div.purpose-fields", {}, h("label", { for: "review-purpose" }, say("review.purpose.choice")), choice, h("label", { for: "review-purpose-text" }, say("review.purpose.text")), text),
      news, form,
    );
    let result = false;

    async function send(event) {
      event.preventDefault();
      begin.disabled = true;
      try {
        end((await beginReview(operation.id, choice.value, text.value.trim())) ?? "none");
      } catch (problem) {
        write(news, problem.words ?? "");
        begin.disabled = false;
      }
    }

    function end(id) {
      sessionStorage.setItem(kept(operation), id);
      result = true;
      dialog.close();
    }

    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) form.requestSubmit();
    });
    showDialog(dialog, () => resolve(result));
    choice.focus();
  });
}
