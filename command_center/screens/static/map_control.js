// The map's buttons: closer, farther, all in sight; and whether somebody holds the view.

import { h } from "./dom.js";
import { say } from "./words.js";

export class Control {
  constructor(map, { fit }) {
    this.lock = h("span.map-lock", { hidden: true, role: "status" }, say("map.locked"));
    const button = (text, name, onclick) => h("button", { type: "button", title: name, "aria-label": name, onclick }, text);
    const panel = h(
      "div.map-control",
      {},
      button("+", say("map.closer"), () => map.zoomIn()),
      button("−", say("map.farther"), () => map.zoomOut()),
      button("⤢", say("map.fit"), fit),
      this.lock,
    );
    map.getContainer().append(panel);
    L.DomEvent.disableClickPropagation(panel);
    L.DomEvent.disableScrollPropagation(panel);
  }

  showLock(isLocked) {
    this.lock.hidden = !isLocked;
  }
}
