// The picture as this phone sends it: in three sizes where browser and node take them, so that each screen gets its own.

const LAYERS = [
  { name: "low", rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { name: "middle", rid: "m", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { name: "high", rid: "h", scaleResolutionDownBy: 1, maxBitrate: 2_500_000 },
];
const NAMES = new Map(LAYERS.map(({ name, rid }) => [rid, name]));
const COMMON = { maxFramerate: 30, priority: "high", networkPriority: "high" };
const THREE = LAYERS.map(({ name: _, ...encoding }) => ({ ...COMMON, ...encoding }));
const ONE = [{ ...COMMON, maxBitrate: 2_500_000 }];
const NARROW_BPS = 450_000; // below this 720p is a slide show: half the size moves better
const WIDE_BPS = 900_000;
const FIT_LOOKS = 4; // so many times in a row before the size changes

/** H.264 first: phones encode it in hardware, and recordings of it play everywhere; then VP8. */
function preferences() {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const rank = ({ mimeType, sdpFmtpLine = "" }) => {
    const name = mimeType.toLowerCase();
    if (name === "video/h264") {
      if (!sdpFmtpLine.includes("packetization-mode=1")) return 9;
      return /profile-level-id=42(e0|c0|00)/i.test(sdpFmtpLine) ? 0 : 9;
    }
    return { "video/vp8": 1, "video/rtx": 2 }[name] ?? 9;
  };
  return codecs.filter((codec) => rank(codec) < 9).sort((one, other) => rank(one) - rank(other));
}

function offered(connection, track, streams) {
  const init = { direction: "sendonly", streams };
  try {
    return connection.addTransceiver(track, { ...init, sendEncodings: THREE });
  } catch {
    return connection.addTransceiver(track, { ...init, sendEncodings: ONE }); // this browser sends one
  }
}

export class Layers {
  sender;
  #scale = 1;
  #fits = 0;
  #wanted = new Set(NAMES.values());
  #frames = new Map();

  /** Offer the picture on this connection. */
  constructor(connection, track, streams) {
    const transceiver = offered(connection, track, streams);
    const codecs = preferences();
    if (codecs.length && transceiver.setCodecPreferences) transceiver.setCodecPreferences(codecs);
    this.sender = transceiver.sender;
    this.apply();
  }

  /**
   * Full size as long as the network carries it, at fewer pictures a second when the phone is busy: a plate or a
   * paper must be readable. Called again once the answer is here: who takes one layer leaves the first of them, which
   * was the smallest.
   */
  apply() {
    const parameters = this.sender.getParameters();
    const { encodings } = parameters;
    parameters.degradationPreference = "maintain-resolution";
    if (encodings.length === 1) {
      Object.assign(encodings[0], { active: true, scaleResolutionDownBy: this.#scale, maxBitrate: ONE[0].maxBitrate });
    } else {
      for (const encoding of encodings) encoding.active = this.#wanted.has(NAMES.get(encoding.rid));
    }
    this.sender.setParameters(parameters).catch(() => {
      // An old browser that doesn't know the preference chooses by itself.
    });
  }

  /** Send these from now on; who asks for none of ours is mistaken, and the picture goes on. */
  want(names) {
    const wanted = new Set([...NAMES.values()].filter((name) => names.includes(name)));
    if (!wanted.size) return;
    this.#wanted = wanted;
    this.apply();
  }

  /** What flows of `reports` (outbound-rtp, video): the largest layer that had pictures since the last look. */
  look(reports) {
    const flowing = reports.filter(({ rid, framesSent }) => framesSent !== this.#frames.get(rid));
    this.#frames = new Map(reports.map(({ rid, framesSent }) => [rid, framesSent]));
    const top = largest(flowing);
    const wanted = reports.filter(({ rid, active }) => active !== false && this.#wanted.has(NAMES.get(rid) ?? "high"));
    const isShort = wanted.some((one) => one.qualityLimitationReason === "bandwidth");
    return {
      width: top?.frameWidth ?? 0,
      height: top?.frameHeight ?? 0,
      fps: top?.framesPerSecond ?? 0,
      limited: isShort ? "bandwidth" : (top?.qualityLimitationReason ?? ""),
    };
  }

  /** A single layer is sent at half the size on a narrow network; of three, the browser leaves out the large ones. */
  fit({ availableBps, limited }) {
    if (!availableBps || this.sender.getParameters().encodings.length > 1) return;
    const wanted = availableBps > WIDE_BPS ? 1 : availableBps < NARROW_BPS && limited === "bandwidth" ? 2 : this.#scale;
    this.#fits = wanted === this.#scale ? 0 : this.#fits + 1;
    if (this.#fits < FIT_LOOKS) return;
    this.#fits = 0;
    this.#scale = wanted;
    this.apply();
  }
}

function largest(reports) {
  return reports.reduce((one, other) => ((other.frameWidth ?? 0) > (one?.frameWidth ?? 0) ? other : one), undefined);
}
