// The microphone behind the key to talk.

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Asked for when it is first needed, kept open for a while, and given back. */
export class Microphone extends EventTarget {
  constructor(keepMs) {
    super();
    this.keepMs = keepMs;
    this.stream = null;
    this.timer = null;
    this.opening = null;
    this.run = 0;
  }

  get track() {
    const track = this.stream?.getAudioTracks()[0];
    return track?.readyState === "live" ? track : null;
  }

  get isOpen() {
    return this.track !== null;
  }

  /** Open it; throws a code of `talk.mic.…` where that can't be. */
  async open() {
    clearTimeout(this.timer);
    if (this.isOpen) return this.track;
    // A key that goes down again while the person is still asked waits for the same answer.
    this.opening ??= this.take().finally(() => (this.opening = null));
    return this.opening;
  }

  async take() {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneRefused("insecure");
    const { run } = this;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    } catch (error) {
      const codes = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing" };
      throw new MicrophoneRefused(codes[error.name] ?? "busy");
    }
    if (run !== this.run) {
      for (const track of stream.getTracks()) track.stop(); // given back meanwhile: nobody would see that it is open
      throw new MicrophoneRefused("busy");
    }
    this.stream = stream;
    this.track.enabled = false; // nothing is heard before a key is down
    this.track.addEventListener("ended", () => this.close());
    this.dispatchEvent(new Event("change"));
    return this.track;
  }

  /** Nobody speaks now: give it back unless somebody does soon. */
  rest() {
    if (this.track) this.track.enabled = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), this.keepMs);
  }

  close() {
    clearTimeout(this.timer);
    this.run += 1;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.dispatchEvent(new Event("change"));
  }
}

export class MicrophoneRefused extends Error {}
