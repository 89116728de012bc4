// A bar over the centre while footage is in danger: the recordings' disk runs full, or their storage holds wrong bytes.

import { setMark, stateMark } from "./dom.js";
import { live } from "./live.js";
import { hoursOf, say } from "./words.js";

const HEIGHT = "34px";

export function mount(bar) {
  const mark = stateMark("caution", "");
  bar.append(mark);
  const paint = () => {
    const alarm = alarmOf(live.parts);
    bar.hidden = alarm === null;
    document.documentElement.style.setProperty("--alarm", alarm === null ? "0px" : HEIGHT);
    if (alarm !== null) setMark(mark, alarm.state, alarm.words);
  };
  for (const type of ["part", "snapshot"]) live.on(type, paint);
  paint();
}

/** The worst of what endangers footage, in words; null where nothing does. */
export function alarmOf(parts) {
  const space = parts.get("space");
  if (space?.state === "critical") return { state: "critical", words: say("space.critical", { hours: hoursOf(space.hours) }) };
  if (parts.get("storage")?.state === "faulty") return { state: "critical", words: say("storage.faulty") };
  if (space?.state === "low") return { state: "caution", words: say("space.low", { hours: hoursOf(space.hours) }) };
  return null;
}
