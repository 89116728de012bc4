// The steps with a sanction: what each asks for before it is taken.

import { stateMark } from "./dom.js";
import { askFields } from "./field_dialog.js";
import { ask } from "./net.js";
import { deedWords, evidenceOf } from "./sanction_words.js";
import { day, now } from "./time.js";
import { say } from "./words.js";

const PATHS = { note_ground: "deletion-ground", drop_ground: "deletion-ground/drop" };
const MANNERS = ["direct", "left", "post", "electronic", "entrusted", "public_notice"];
const DELETION_GROUNDS = [
  "performed", "settlement_performed", "creditor_consents", "nothing_to_enforce", "stayed", "not_enforceable", "ended",
];

/** Ask for what the step needs and take it; answers how the sanction stands then, or null. */
export function takeDeed(deed, full) {
  const { fields = [], about = [], body = (values) => values } = (WANTED[deed] ?? (() => ({})))(full);
  return askFields({
    title: deedWords(deed, full),
    deed: deedWords(deed, full),
    fields,
    about: [`${full.line.person_name} · ${say(`sanction.kind.${full.line.kind}`)} · ${full.line.case_number}`, ...about],
    send: (values, key) => ask("POST", `/api/assets/sanctions/${full.line.id}/${PATHS[deed] ?? deed}`, { ...body(values), idempotency_key: key }),
  });
}

const reason = () => ({ name: "reason", label: say("reason.why"), kind: "textarea", required: true, maxlength: 200 });
const withReason = (about) => () => ({ about: about ? [say(about)] : [], fields: [reason()] });

const WANTED = {
  review: () => ({ about: [say("sanction.about.review")] }),
  decide: (full) => {
    const unknown = full.checks.filter((check) => check.outcome === "no_data");
    return {
      about: [say("sanction.about.decide")],
      fields: [
        { name: "decision_number", label: say("sanction.fact.decision"), kind: "text", required: true, maxlength: 64, placeholder: say("sanction.decision.placeholder"), hint: say("sanction.decision.hint") },
        ...unknown.map((check) => ({
          name: `seen-${check.code}`, kind: "check", required: true,
          label: [stateMark("caution", say("sanction.outcome.no_data")), " ", say(`sanction.check.${check.code}`), " – ", evidenceOf(check), " ", say("sanction.decide.seen")],
        })),
      ],
      body: (values) => ({ decision_number: values.decision_number, seen: unknown.map((check) => check.code) }),
    };
  },
  refuse: withReason("sanction.about.refuse"),
  withdraw: withReason(""),
  serve: (full) => ({
    fields: [
      { name: "served_on", label: say("sanction.serve.day"), kind: "date", required: true, value: day(now()), max: day(now()), min: full.decided_on },
      { name: "manner", label: say("sanction.serve.manner"), kind: "select", options: MANNERS.map((one) => [one, say(`sanction.manner.${one}`)]) },
    ],
  }),
  publish: (full) => ({ about: [say(full.line.kind === "listing" ? "sanction.about.publish.listing" : "sanction.about.publish.limit")] }),
  shield: withReason("sanction.about.shield"),
  unshield: withReason(""),
  correct: (full) => ({
    about: [say("sanction.about.correct")],
    fields: [
      { name: "basis_document", label: say("sanction.fact.basis"), kind: "text", maxlength: 100, placeholder: full.basis_document, hint: say("sanction.correct.empty") },
      { name: "duty", label: say("sanction.fact.duty"), kind: "textarea", maxlength: 1000, placeholder: full.duty, hint: say("sanction.correct.empty") },
      performance(full.performance),
      reason(),
    ],
  }),
  note_ground: () => ({
    about: [say("sanction.about.note_ground")],
    fields: [
      { name: "ground", label: say("sanction.deletion"), kind: "select", options: DELETION_GROUNDS.map((one) => [one, say(`sanction.deletion.${one}`)]) },
      { name: "since", label: say("sanction.deletion.since"), kind: "date", required: true, value: day(now()), max: day(now()) },
      reason(),
    ],
  }),
  drop_ground: withReason("sanction.about.drop_ground"),
  delete: (full) => ({ about: [say(full.line.kind === "listing" ? "sanction.about.delete.listing" : "sanction.about.delete.limit")] }),
};

/** How far the duty was performed. */
export function performance(value = "none") {
  return { name: "performance", label: say("sanction.fact.performance"), kind: "select", value, options: ["none", "partly"].map((one) => [one, say(`sanction.performance.${one}`)]) };
}
