// The phone's camera and microphone: which one came, whether it still gives pictures, and getting it back.

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** The camera can't be had; `code` is refused, missing or insecure. */
export class NoCamera extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

function facingOf(track) {
  const told = track.getSettings().facingMode;
  if (told === "environment" || told === "user") return told;
  // Some phones don't say; their labels do.
  if (/back|rear|environment|后/i.test(track.label)) return "environment";
  return /front|user|前/i.test(track.label) ? "user" : "";
}

async function take(constraints) {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") throw new NoCamera("refused");
    if (error.name === "NotFoundError" || error.name === "OverconstrainedError") throw new NoCamera("missing");
    throw new NoCamera("busy");
  }
}

/** Events: "lost" and "back" (the picture), "changed" (another track is in use). */
export class Camera extends EventTarget {
  stream = null;
  facing = "environment";
  isLost = false;
  isMuted = false;
  #wanted = "environment";

  get video() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  get audio() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  /** Ask for the camera (the back one first) and the microphone; without a microphone the picture goes alone. */
  async open() {
    const video = { ...PICTURE, facingMode: { ideal: this.#wanted } };
    let stream;
    try {
      stream = await take({ video, audio: SOUND });
    } catch (error) {
      if (error.code === "insecure") throw error;
      stream = await take({ video, audio: false });
    }
    this.#use(stream);
  }

  /** Whether there is another camera to switch to. */
  async hasAnother() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "videoinput").length > 1;
  }

  /** Switch between front and back; a phone gives one at a time, so the old one is let go first. */
  async flip() {
    const before = this.video;
    const deviceId = before?.getSettings().deviceId;
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
    this.#wanted = this.facing === "environment" ? "user" : "environment";
    before?.stop();
    let stream;
    try {
      stream = await take({ video: { ...PICTURE, facingMode: { exact: this.#wanted } } });
    } catch {
      const at = devices.findIndex((one) => one.deviceId === deviceId);
      const next = devices[(at + 1) % devices.length];
      stream = await take({ video: { ...PICTURE, deviceId: { exact: next.deviceId } } });
    }
    this.#use(new MediaStream([...stream.getVideoTracks(), ...(this.audio ? [this.audio] : [])]));
  }

  /** Take the camera again after the system took it away. */
  async reopen() {
    this.video?.stop();
    if (this.audio?.readyState === "live") {
      const stream = await take({ video: { ...PICTURE, facingMode: { ideal: this.#wanted } } });
      this.#use(new MediaStream([...stream.getVideoTracks(), this.audio]));
    } else {
      await this.open();
    }
  }

  /** Switch the microphone off or on. */
  mute(isMuted) {
    this.isMuted = isMuted;
    if (this.audio) this.audio.enabled = !isMuted;
  }

  /** The pictures stopped though the track says that it lives: a phone call does that. */
  noPictures() {
    this.#lose();
  }

  /** Pictures come again. */
  picturesAgain() {
    if (!this.isLost || this.video?.readyState !== "live" || this.video.muted) return;
    this.isLost = false;
    this.dispatchEvent(new Event("back"));
  }

  /** Let go of everything. */
  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.isLost = false;
  }

  #use(stream) {
    this.stream = stream;
    const track = this.video;
    this.facing = facingOf(track) || this.#wanted;
    this.mute(this.isMuted);
    track.addEventListener("ended", () => track === this.video && this.#lose());
    track.addEventListener("mute", () => track === this.video && this.#lose());
    track.addEventListener("unmute", () => track === this.video && this.picturesAgain());
    const wasLost = this.isLost;
    this.isLost = track.muted || track.readyState !== "live";
    this.dispatchEvent(new Event("changed"));
    if (wasLost && !this.isLost) this.dispatchEvent(new Event("back"));
  }

  #lose() {
    if (this.isLost || !this.stream) return;
    this.isLost = true;
    this.dispatchEvent(new Event("lost"));
  }
}
