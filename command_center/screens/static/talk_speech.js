// One press of the key after the other: the microphone opens, the nodes are told, and what they say of it is kept.

import { live } from "./live.js";
import { Microphone, MicrophoneRefused, TalkLine } from "./talk_line.js";
import { say } from "./words.js";

const KEEP_MICROPHONE_MS = 60_000;
const ANSWER_MS = 3_000;
const REMEMBERED = 50;

export class Speech {
  /** `changed()` is called when there is something else to show, `tell(words)` when something went wrong. */
  constructor(operationId, changed, tell) {
    this.changed = changed;
    this.tell = tell;
    this.talk = null;
    this.own = new Set();
    this.meter = null;
    this.isLineOld = false;
    this.line = new TalkLine(operationId);
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

  /** The key is down. */
  async begin(to) {
    if (this.talk) return;
    if (to.length === 0) return this.tell(say("talk.nobody"));
    if (!this.isReady) return this.tell(say("talk.connecting"));
    const talk = { id: crypto.randomUUID(), to, heard: new Map(), busy: [], isHeard: false, since: performance.now(), endsAt: null, refusals: new Map() };
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
      if (!this.line.say({ type: "talk", id: talk.id, to })) throw new Error("the line broke");
      if (!this.meter) this.listenToLevel(); // only now: it takes a while
      talk.timer = setTimeout(() => talk === this.talk && !talk.isHeard && this.over(say("talk.unanswered")), ANSWER_MS);
    } catch (error) {
      if (talk !== this.talk) return undefined;
      this.over(say(error instanceof MicrophoneRefused ? `talk.mic.${error.message}` : "talk.broken"));
    }
    return undefined;
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
    if (this.isLineOld) this.line.again();
    this.isLineOld = false;
    if (words) this.tell(words);
    this.changed();
  }

  told(message) {
    const talk = this.talk;
    if (!talk || message.id !== talk.id) return;
    switch (message.type) {
      case "talking":
        talk.isHeard = true;
        talk.byNode ??= new Map();
        talk.byNode.set(message.node, message.heard);
        talk.heard = new Set([...talk.byNode.values()].flat());
        talk.busy = message.busy;
        break;
      case "ending":
        talk.endsAt = performance.now() + message.seconds_left * 1_000;
        break;
      case "refused":
        talk.refusals.set(message.node, message);
        // Another node may have let it pass.
        if (talk.refusals.size >= this.line.ends.length) this.over(say(`talk.refused.${message.code}`, { speaker: message.busy?.[0]?.speaker ?? "" }));
        break;
      case "hushed":
        talk.byNode?.delete(message.node);
        if (!talk.byNode?.size) this.over(say(`talk.hushed.${message.reason}`)); // else others are still heard by theirs
        break;
      default:
    }
    this.changed();
  }

  /** A media node came up: it has phones that our line doesn't reach yet. */
  takePart(view) {
    if (!view.name.startsWith("media") || view.state !== "running") return;
    if (this.talk) this.isLineOld = true;
    else this.line.again();
  }

  lineChanged() {
    if (this.talk && !this.isReady) this.over(say("talk.broken"));
    if (this.isReady && this.microphone.track) this.line.speakInto(this.microphone.track);
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
