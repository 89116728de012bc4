// What happened in the operation, by its journal: each entry as one event with its moment, its state and its words.

import { askInReview } from "./review_session.js";
import { inLanguage, knows, say } from "./words.js";

const PAGE = 500;
const PAGES = 40;
export const KINDS = ["instruction", "receipt", "escalated", "talk", "camera", "alarm", "asset", "operation", "deleted"];
const PRIORITY_STATES = { routine: "plain", urgent: "serious", critical: "critical" };
const RECEIPT_STATES = { accepted: "normal", done: "normal", refused: "critical" };
const STEP = { delivered: 2, seen: 3, accepted: 4, refused: 4, done: 5 };
const GROUPS = { instruction: "order", receipt: "order", escalated: "order", operation: "camera", deleted: "alarm" };

/** The journal of an operation, read on from where it was read to. */
export class Journal {
  constructor(operationId) {
    this.operationId = operationId;
    this.last = 0;
    this.items = [];
    this.names = new Map(); // account → name, of all whom the bodies mention
  }

  /** Read what is new; gives whether anything was. */
  async read() {
    const before = this.items.length;
    for (let page = 0; page < PAGES; page += 1) {
      const query = new URLSearchParams([["after", this.last], ["limit", PAGE], ...KINDS.map((kind) => ["kinds", kind])]);
      const answer = await askInReview("GET", `/api/operations/${this.operationId}/journal?${query}`);
      this.items.push(...answer.items);
      for (const [id, name] of Object.entries(answer.names)) this.names.set(id, name);
      if (answer.items.length) this.last = answer.items.at(-1).id;
      if (!answer.next) break;
    }
    return this.items.length > before;
  }
}

/** The events of a journal, by their moment. `operation` names its sites; `lanes` say whose camera a feed is. */
export function eventsOf(journal, operation, lanes) {
  const names = new Names(journal, operation, lanes);
  const orders = new Map();
  const events = [];
  for (const item of journal.items) {
    const event = { id: `journal-${item.id}`, at: Date.parse(item.at), kind: item.kind, group: GROUPS[item.kind] ?? item.kind, state: "plain", isSealed: item.is_sealed };
    if (TELLERS[item.kind]?.(event, item.body, names, orders) !== false) events.push(event);
  }
  return events.sort((one, other) => one.at - other.at);
}

class Names {
  constructor(journal, operation, lanes) {
    this.people = journal.names;
    this.sites = new Map(operation.sites.map((site) => [site.id, `${site.ordinal} ${inLanguage(site, "name")}`]));
    // A camera is numbered by its site, whether or not anything of it is recorded, or read yet.
    const ordinals = new Map(operation.sites.map((site) => [site.id, String(site.ordinal)]));
    this.cameras = new Map();
    for (const { kind, body } of journal.items) {
      if (kind === "camera" && ordinals.has(body.site)) this.cameras.set(body.feed, { number: ordinals.get(body.site), officer: this.person(body.officer) });
    }
    for (const lane of lanes) this.cameras.set(lane.feed, lane);
  }

  person(id) {
    return this.people.get(id) ?? say("review.someone");
  }

  feed(name, officerId) {
    const camera = this.cameras.get(name);
    return camera ? `${camera.number} ${camera.officer}` : this.person(officerId);
  }

  target(body) {
    if (body.scope === "site") return this.sites.get(body.site) ?? say("review.someone");
    return body.scope === "officer" ? this.person(body.officer) : say("target.all");
  }
}

const TELLERS = {
  instruction(event, body, names, orders) {
    event.state = PRIORITY_STATES[body.priority] ?? "plain";
    event.title = say("review.event.instruction", { number: body.number, target: names.target(body) });
    event.badge = say(`priority.${body.priority}`);
    event.by = names.person(body.sender);
    event.words = body.text;
    event.deliveries = body.recipients.map((one) => ({
      id: one.delivery, officer: names.person(one.officer), steps: [{ at: event.at, state: "sent", done: 1 }],
    }));
    orders.set(body.instruction, { number: body.number, deliveries: new Map(event.deliveries.map((one) => [one.id, one])) });
  },
  receipt(event, body, names, orders) {
    event.at = body.received_at ?? event.at;
    const order = orders.get(body.instruction);
    if (body.is_applied !== false) {
      order?.deliveries.get(body.delivery)?.steps.push({ at: event.at, state: body.state, done: STEP[body.state] ?? 1, reason: body.reason });
    }
    if (!(body.state in RECEIPT_STATES)) return false; // delivered and seen stand with the instruction
    event.state = RECEIPT_STATES[body.state];
    event.title = say("review.event.receipt", { number: order?.number ?? "–", officer: names.person(body.officer) });
    event.badge = say(`delivery.${body.state}`);
    event.words = body.reason ?? "";
    return true;
  },
  escalated(event, body, names, orders) {
    event.state = "caution";
    event.title = say("review.event.receipt", { number: orders.get(body.instruction)?.number ?? "–", officer: names.person(body.officer) });
    event.badge = say("delivery.overdue");
  },
  talk(event, body, names) {
    event.state = "standby";
    event.title = say("review.event.talk");
    if (body.by) event.by = names.person(body.by);
    event.badge = say(`review.talk.${body.what}`);
    const heard = body.what === "began" ? body.to ?? [] : body.heard ?? [];
    event.words = heard.map((feed) => names.feed(feed)).join(" · ");
    if (body.what === "amended") return false;
    return true;
  },
  camera(event, body, names) {
    event.at = body.told_at ?? event.at;
    const what = body.what === "state" ? body.state : body.what;
    event.feed = body.feed;
    event.state = { stopped_by_system: "caution", stopped_by_officer: "off", revoked: "serious", live: "normal" }[what] ?? "plain";
    event.title = names.feed(body.feed, body.officer);
    event.badge = say(`review.camera.${what}`);
  },
  alarm(event, body, names) {
    event.state = body.state === "cleared" ? "normal" : "serious";
    const key = `review.alarm.${body.what ?? body.kind}`;
    event.title = say(body.state === "cleared" ? "review.event.alarm.over" : "review.event.alarm");
    event.badge = knows(key) ? say(key) : String(body.what ?? body.kind ?? "");
    event.words = body.feed ? names.feed(body.feed) : body.node ?? "";
  },
  asset(event, body, names) {
    const last = body.what.split(".").at(-1);
    event.state = { failed: "serious", no_answer: "caution", returned: "caution", answered: "normal", checked: "normal" }[last] ?? "standby";
    const key = `audit.action.asset.${body.what}`;
    event.title = knows(key) ? say(key) : body.what;
    event.badge = "";
    if (body.by) event.by = names.person(body.by);
    const found = body.found === undefined ? null : `${say("audit.detail.found")} ${body.found}`;
    event.words = [body.ruling, found].filter(Boolean).join(" · ");
  },
  operation(event, body, names) {
    const keys = [`audit.action.operation.${body.what}`, `export.what.operation.${body.what}`];
    event.title = say(keys.find(knows) ?? body.what);
    event.badge = "";
    if (body.by && !body.officer) event.by = names.person(body.by);
    event.words = body.officer ? names.person(body.officer) : "";
  },
  deleted(event) {
    event.state = "serious";
    event.title = say("review.event.deleted");
    event.badge = "";
  },
};

/** Where a delivery stood at a moment: its last step by then, or null before it was sent. */
export function stepAt(delivery, at) {
  return delivery.steps.findLast((step) => step.at <= at) ?? null;
}
