// The clock in the header: 24 hours, China's time, by the server's clock.

import { h, write } from "./dom.js";
import { clock, day, now } from "./time.js";
import { say } from "./words.js";

export function mount(element) {
  const date = h("span.clock-date");
  const time = h("time.clock-time");
  element.title = say("clock.zone");
  element.append(date, time);
  const tick = () => {
    const at = now();
    write(date, day(at));
    write(time, clock(at));
    setTimeout(tick, 1000 - (at % 1000) + 2);
  };
  tick();
}
