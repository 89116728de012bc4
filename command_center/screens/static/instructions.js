// The instructions of the operation, newest first, each with how far it came at every officer.

import { mountCompose } from "./compose.js";
import { setMark, stateMark, write } from "./dom.js";
import { InstructionItem } from "./instruction_item.js";
import { live } from "./live.js";
import { say } from "./words.js";

const items = new Map();
let list, notes;
const undelivered = stateMark("serious", "");
const unanswered = stateMark("standby", "");

export function mount(element) {
  list = element.querySelector("#instruction-list");
  notes = document.getElementById("instructions-notes");
  list.dataset.blank = say("instructions.empty");
  live.on("snapshot", (snapshot) => {
    const present = new Set(snapshot.instructions.map((view) => view.instruction_id));
    for (const [id, item] of items) {
      if (present.has(id)) continue;
      item.element.remove();
      items.delete(id);
    }
    for (const view of snapshot.instructions) take(view);
  });
  live.on("instruction", take);
  live.on("sent", (view) => items.has(view.instruction_id) || take(view)); // the socket may have told more already
  setInterval(tick, 1_000);
  const compose = element.querySelector("#compose");
  if (compose) mountCompose(compose);
}

function take(view) {
  let item = items.get(view.instruction_id);
  if (item) item.update(view);
  else {
    item = new InstructionItem(view);
    items.set(view.instruction_id, item);
    const later = [...list.children].find((element) => Number(element.dataset.number) < view.number);
    list.insertBefore(item.element, later ?? null);
  }
  count();
}

/** What waits goes on waiting: its spans grow, and it becomes overdue. */
function tick() {
  for (const item of items.values()) if (item.isWaiting) item.paint();
  count();
}

function count() {
  let away = 0;
  let open = 0;
  for (const item of items.values()) {
    away += item.counts.undelivered;
    open += item.counts.unanswered;
  }
  show(undelivered, "serious", away, "instructions.count.undelivered");
  show(unanswered, "standby", open, "instructions.count.unanswered");
}

function show(mark, state, number, key) {
  if (number && !mark.isConnected) notes.append(mark);
  if (!number) mark.remove();
  else {
    setMark(mark, state, say(key, { count: number }));
    write(mark.querySelector(".state-word"), say(key, { count: number }));
  }
}
