// One press of the key after the other: the microphone opens, the nodes are told, and what they say of it is kept.

import { live } from "./live.js";
import { Microphone, MicrophoneRefused } from "./microphone.js";
import { TalkLine } from "./talk_line.js";
import { placesOf } from "./talk_targets.js";
import { say } from "./words.js";

const KEEP_MICROPHONE_MS = 60_000;
const ANSWER_MS = 3_000;
const LIMIT_MS = 121_000; // the nodes' own limit, and a second
const REMEMBERED = 50;
const NODE_PART = "media-";

const refusalOf = (message) => say(`talk.refused.${message.code}`, { speaker: message.busy?.[0]?.speaker ?? "" });

export class Speech {
  /** `changed()` is called when there is something else to show, `tell(words)` when something went wrong. */
  constructor(operationId, changed, tell) {
    this.changed = changed;
    this.tell = tell;
    this.talk = null;
    this.own = new Set();
    this.meter = null;
    this.line = new TalkLine(operationId);
    this.line.addEventListener("opened", ({ detail }) => this.lineOpened(detail));
    this.line.addEventListener("change", () => this.lineChanged());
    this.line.addEventListener("message", ({ detail }) => this.told(detail));
    this.microphone = new Microphone(KEEP_MICROPHONE_MS);
    this.microphone.addEventListener("change", () => this.microphoneChanged());
  }

  get isReady() {
    return this.line.isReady;
  }

  get isMicrophoneOpen() {
    return this.microphone.isOpen;
  }

  /** Whether this talk is ours. */
  knows(id) {
    return this.own.has(id);
  }

  /** How many of the nodes hear us, or would: `{ reached, count }`. */
  get reach() {
    const nodes = [...this.line.ends.keys()];
    const missing = new Set([...this.line.missing, ...(this.talk?.lost ?? [])]);
    return { reached: nodes.filter((node) => !missing.has(node)).length, count: nodes.length };
  }

  /** Those of these feeds whose node doesn't hear us. */
  unreached(feeds) {
    return feeds.filter((feed) => {
      const node = live.feeds.get(feed)?.node;
      return node && (!this.line.isOpenTo(node) || this.talk?.lost.has(node));
    });
  }

  /** The key is down. */
  async begin(to) {
    if (this.talk) return;
    if (to.length === 0) return this.tell(say("talk.nobody"));
    if (!this.isReady) return this.tell(say("talk.connecting"));
    const unreached = this.unreached(to);
    if (unreached.length === to.length) {
      const isMissing = unreached.some((feed) => this.line.isMissing(live.feeds.get(feed).node));
      return this.tell(isMissing ? say("talk.unreached", { sites: placesOf(unreached) }) : say("talk.connecting"));
    }
    const talk = { id: crypto.randomUUID(), to, isSent: false, isHeard: false, since: performance.now(), endsAt: null };
    Object.assign(talk, { byNode: new Map(), refusals: new Map(), lost: new Set() });
    this.talk = talk;
    this.remember(talk.id);
    this.duck(true);
    this.changed();
    try {
      const track = await this.microphone.open();
      if (talk !== this.talk) return undefined; // let go before it was open
      if (this.line.track !== track) await this.line.speakInto(track);
      if (talk !== this.talk) return undefined;
      track.enabled = true;
      const told = this.line.say({ type: "talk", id: talk.id, to });
      if (told.length === 0) throw new Error("the line broke");
      talk.isSent = true;
      for (const node of told) this.awaitAnswer(talk, node);
      if (!this.meter) this.listenToLevel(); // only now: it takes a while
      // A node counts from when it was told: by one that came in between it would last longer.
      talk.timer = setTimeout(() => talk === this.talk && this.over(say("talk.hushed.limit")), LIMIT_MS);
    } catch (error) {
      if (talk !== this.talk) return undefined;
      this.over(say(error instanceof MicrophoneRefused ? `talk.mic.${error.message}` : "talk.broken"));
    }
    return undefined;
  }

  /** A node that was told and says nothing carries nothing, as far as anybody knows. */
  awaitAnswer(talk, node) {
    setTimeout(() => {
      if (talk !== this.talk || talk.byNode.has(node) || talk.refusals.has(node)) return;
      this.lose(node, say("talk.unanswered"));
    }, ANSWER_MS);
  }

  /** This node doesn't carry the talk; it is over, for this reason, once none does or might. */
  lose(node, words) {
    const { talk } = this;
    talk.byNode.delete(node);
    talk.lost.add(node);
    this.judge(words);
  }

  judge(words) {
    const { talk } = this;
    const mayCarry = [...this.line.ends.keys()].some((node) => (
      this.line.isOpenTo(node) && !talk.lost.has(node) && !talk.refusals.has(node)
    ));
    if (!mayCarry) this.over([...talk.refusals.values()].map(refusalOf)[0] ?? words);
    else this.changed();
  }

  /** The key is up. */
  end() {
    if (this.talk) this.over(null);
  }

  over(words) {
    const talk = this.talk;
    this.talk = null;
    clearTimeout(talk.timer);
    this.line.say({ type: "hush", id: talk.id });
    this.microphone.rest();
    this.duck(false);
    if (words) this.tell(words);
    this.changed();
  }

  told(message) {
    const talk = this.talk;
    if (!talk || message.id !== talk.id) return;
    switch (message.type) {
      case "talking":
        talk.isHeard = true;
        talk.lost.delete(message.node);
        talk.refusals.delete(message.node);
        talk.byNode.set(message.node, message);
        break;
      case "ending":
        talk.endsAt ??= performance.now() + message.seconds_left * 1_000;
        break;
      case "refused":
        talk.refusals.set(message.node, message);
        this.judge(null); // another node may have let it pass
        return;
      case "hushed":
        if (["limit", "replaced"].includes(message.reason)) this.over(say(`talk.hushed.${message.reason}`));
        else this.lose(message.node, say(`talk.hushed.${message.reason}`)); // others may still be heard by theirs
        return;
      default:
    }
    this.changed();
  }

  /** The phones that hear us, at whichever node. */
  get heard() {
    return new Set([...(this.talk?.byNode.values() ?? [])].flatMap((one) => one.heard));
  }

  /** The phones that somebody else talks to. */
  get busy() {
    const answers = [...(this.talk?.byNode.values() ?? []), ...(this.talk?.refusals.values() ?? [])];
    return answers.flatMap((one) => one.busy ?? []);
  }

  /** A node whose line opened while we talk carries the rest. */
  lineOpened(node) {
    const { talk } = this;
    if (!talk?.isSent) return;
    talk.lost.delete(node);
    if (this.line.say({ type: "talk", id: talk.id, to: talk.to }, node).length) this.awaitAnswer(talk, node);
  }

  /** Reach the nodes that the centre tells of, and those that carry phones. */
  seek() {
    for (const { name, state } of live.parts.values()) {
      if (name.startsWith(NODE_PART) && state === "running") this.line.seek(name.slice(NODE_PART.length));
    }
    for (const { node, phase, cause } of live.feeds.values()) {
      if (node && phase !== "ended" && cause !== "node") this.line.seek(node);
    }
  }

  lineChanged() {
    const { talk } = this;
    if (talk?.isSent) {
      for (const node of talk.byNode.keys()) if (!this.line.isOpenTo(node)) talk.byNode.delete(node) && talk.lost.add(node);
      this.judge(say("talk.broken"));
    } else if (talk && !this.isReady) this.over(say("talk.broken"));
    this.changed();
  }

  microphoneChanged() {
    if (!this.microphone.isOpen) {
      this.line.speakInto(null);
      this.listenToLevel();
      if (this.talk?.isHeard) this.over(say("talk.mic.busy"));
    }
    this.changed();
  }

  /** How loud we are, 0 to 1. */
  level() {
    if (!this.talk || !this.meter) return 0;
    this.meter.analyser.getFloatTimeDomainData(this.meter.samples);
    const peak = this.meter.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return Math.min(1, Math.sqrt(peak));
  }

  listenToLevel() {
    this.meter?.context.close();
    this.meter = null;
    if (!this.microphone.isOpen) return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(this.microphone.stream).connect(analyser);
    this.meter = { context, analyser, samples: new Float32Array(analyser.fftSize) };
  }

  /** What the officers' phones send isn't played while we speak: it would hold our own voice. */
  duck(isTalking) {
    live.emit("talking", isTalking);
  }

  remember(id) {
    this.own.add(id);
    if (this.own.size > REMEMBERED) this.own.delete(this.own.values().next().value);
  }

  close() {
    if (this.talk) this.over(null);
    this.line.close();
    this.microphone.close();
  }
}
