// Sound and vibration for instructions, heavier with their priority; said again until somebody looks.

const PATTERNS = {
  routine: { notes: [[660, 0.16]], shake: [120] },
  urgent: { notes: [[740, 0.16], [990, 0.22], [740, 0.16], [990, 0.22]], shake: [200, 100, 200] },
  critical: {
    notes: [[880, 0.2], [1175, 0.2], [880, 0.2], [1175, 0.2], [880, 0.2], [1175, 0.4]],
    shake: [350, 120, 350, 120, 500],
  },
};
const AGAIN_MS = 8000;
const VOLUME = 0.5;

let context = null;

/** Sound may only begin with a touch: call this from one. */
export function unlockSound() {
  context ??= new AudioContext();
  context.resume().catch(() => {});
}

/** After a reload nobody has touched the page yet, and browsers complain about shaking it. */
function vibrate(pattern) {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(pattern);
}

function play({ notes, shake }) {
  vibrate(shake);
  if (context?.state !== "running") return;
  let at = context.currentTime + 0.02;
  for (const [frequency, length] of notes) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(VOLUME, at + 0.02);
    loudness.gain.setValueAtTime(VOLUME, at + length - 0.04);
    loudness.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(loudness).connect(context.destination);
    tone.start(at);
    tone.stop(at + length);
    at += length + 0.05;
  }
}

/** Alarms for `current()`: the most pressing instruction without an answer, or nothing. */
export class Alarm {
  #timer = 0;
  #current;

  constructor(current) {
    this.#current = current;
  }

  /** A new one came. */
  ring(priority) {
    play(PATTERNS[priority]);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const waiting = this.#current();
      if (!waiting) clearInterval(this.#timer);
      else if (waiting.priority !== "routine") play(PATTERNS[waiting.priority]);
    }, AGAIN_MS);
  }

  /** Quiet. */
  stop() {
    clearInterval(this.#timer);
    vibrate(0);
  }
}
