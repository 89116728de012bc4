// Asking for a package of evidence: which cameras, which span, what for; and the list of those that were asked for.

import { h, write } from "./dom.js";
import { ExportList } from "./export_list.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { inLanguage, say } from "./words.js";

const LONGEST_MS = 12 * 3600 * 1000;
const PURPOSES = ["supervision", "appeal", "complaint", "evidence", "training"];
const VOICE = "voice";
const ZONE = "+08:00";
const localFormat = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium",
});

/** Put it into `element`; `operation` {id, …}, `since` and `until` (Unix ms) and `feeds` (names) are chosen at first. */
export function mountExport(element, { operation, since, until, feeds }) {
  if (!document.querySelector('link[href="/static/export.css"]')) {
    document.head.append(h("link", { rel: "stylesheet", href: "/static/export.css" }));
  }
  const list = new ExportList(operation.id);
  const form = new ExportForm(operation.id, { since, until, feeds }, () => list.refresh());
  element.classList.add("export-panel");
  element.replaceChildren(form.element, list.element);
  form.readCameras();
  list.keepFresh();
}

class ExportForm {
  constructor(operationId, chosen, done) {
    this.operationId = operationId;
    this.chosen = new Set(chosen.feeds);
    this.done = done;
    this.key = crypto.randomUUID();
    this.cameras = h("div.export-cameras", { role: "group", "aria-label": say("export.cameras") }, say("export.loading"));
    this.since = moment("since", chosen.since);
    this.until = moment("until", chosen.until);
    this.purpose = h("select", { name: "purpose", required: true },
      PURPOSES.map((purpose) => h("option", { value: purpose }, say(`purpose.${purpose}`))));
    this.reason = h("input", { name: "reason", type: "text", maxlength: 200, autocomplete: "off" });
    this.masked = h("input", { type: "checkbox", name: "masked", checked: true, disabled: !person().permissions.includes("unmask") });
    this.start = h("button.primary", { type: "submit" }, say("export.start"));
    this.news = h("p.export-news", { role: "status" });
    this.element = h("form.export-form", { onsubmit: (event) => this.send(event) },
      h("fieldset", {}, h("legend", {}, say("export.cameras")), this.cameras),
      h("div.export-fields", {},
        h("label", {}, say("export.since"), this.since),
        h("label", {}, say("export.until"), this.until),
        h("label", {}, say("export.purpose"), this.purpose),
        h("label", {}, say("export.reason"), this.reason)),
      h("label.export-check", {}, this.masked, say("export.masked")),
      h("div.export-deeds", {}, this.news, this.start));
    // Another wish is another export: only a repeated press of the same one makes nothing twice.
    this.element.addEventListener("input", () => { this.key = crypto.randomUUID(); });
  }

  /** List what has recordings, the chosen ones ticked. */
  async readCameras() {
    try {
      const { lanes } = await ask("GET", `/api/operations/${this.operationId}/timeline`);
      const cameras = lanes.filter((lane) => lane.kind === "camera").map(camera);
      const hasVoice = lanes.some((lane) => lane.kind === "voice");
      if (hasVoice) cameras.push({ feed: VOICE, name: say("export.voice") });
      const boxes = cameras.map(({ feed, name }) => h("label.export-check", {},
        h("input", { type: "checkbox", name: "feed", value: feed, checked: this.chosen.has(feed) }), name));
      this.cameras.replaceChildren(...(boxes.length ? boxes : [say("export.none-recorded")]));
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      write(this.cameras, problem.words ?? String(problem));
    }
  }

  async send(event) {
    event.preventDefault();
    const wish = this.wish();
    const trouble = troubleOf(wish);
    if (trouble) return write(this.news, trouble);
    this.start.disabled = true;
    write(this.news, say("export.starting"));
    try {
      await ask("POST", "/api/exports", wish);
      write(this.news, "");
      this.key = crypto.randomUUID();
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      write(this.news, problem.words ?? String(problem));
    } finally {
      this.start.disabled = false;
    }
    this.done();
  }

  wish() {
    const ticked = [...this.cameras.querySelectorAll("input:checked")].map((box) => box.value);
    return {
      operation_id: this.operationId,
      since: instant(this.since.value),
      until: instant(this.until.value),
      feeds: ticked,
      purpose: this.purpose.value,
      reason: this.reason.value.trim(),
      is_masked: this.masked.checked,
      idempotency_key: this.key,
    };
  }
}

function camera(lane) {
  return { feed: lane.feed, name: `${lane.site_ordinal} ${inLanguage(lane, "site")} · ${lane.officer}` };
}

function moment(name, ms) {
  const pattern = "\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}";
  return h("input", { type: "text", name, required: true, pattern, placeholder: "2026-01-31 23:59:59", autocomplete: "off", value: localFormat.format(ms) });
}

/** A time as it was typed, 24 hours of the clock in China, as the API wants it. */
const instant = (text) => `${text.trim().replace(/\s+/, "T")}${ZONE}`;

/** What keeps this wish from being sent, in words; empty where nothing does. */
export function troubleOf(wish) {
  const [since, until] = [Date.parse(wish.since), Date.parse(wish.until)];
  if (!wish.feeds.length) return say("export.no-camera");
  if (!(since < until) || until - since > LONGEST_MS) return say("export.bad-span");
  return !wish.is_masked && !wish.reason ? say("export.unmasked-reason") : "";
}
