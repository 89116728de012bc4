// The camera's picture as it is sent: in three sizes, or in one where the browser or the node takes no more.

const LARGEST = { scale: 1, maxBitrate: 2_500_000 };
/** From low to high: browsers give what the network carries to the first ones. */
const LAYERS = [
  { name: "low", rid: "l", scale: 4, maxBitrate: 150_000 },
  { name: "middle", rid: "m", scale: 2, maxBitrate: 500_000 },
  { name: "high", rid: "h", ...LARGEST },
];
const MAX_FRAMERATE = 30;
const URGENT = { priority: "high", networkPriority: "high" };
const NARROW_BPS = 450_000; // below this 720p is a slide show
const WIDE_BPS = 900_000;
const FIT_LOOKS = 4; // so many times in a row before anything changes

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

function addTransceiver(connection, track, streams) {
  const add = (sendEncodings) => connection.addTransceiver(track, { direction: "sendonly", streams, sendEncodings });
  const encoding = ({ rid, scale, maxBitrate }) => ({ rid, scaleResolutionDownBy: scale, maxBitrate, maxFramerate: MAX_FRAMERATE });
  const [first, ...others] = LAYERS.map(encoding);
  try {
    // The priority is the whole sender's, and its first encoding tells it.
    return add([{ ...first, ...URGENT }, ...others]);
  } catch {
    return add([{ maxBitrate: LARGEST.maxBitrate, maxFramerate: MAX_FRAMERATE, ...URGENT }]);
  }
}

export class Picture {
  #sender;
  #wanted = LAYERS.map(({ name }) => name);
  #isNarrow = false;
  #fits = 0;
  #isDue = false;
  #isShaping = false;

  constructor(connection, track, streams) {
    const transceiver = addTransceiver(connection, track, streams);
    this.#sender = transceiver.sender;
    const codecs = preferences();
    if (codecs.length && transceiver.setCodecPreferences) transceiver.setCodecPreferences(codecs);
    this.shape();
  }

  /** Send another camera's track from now on. */
  replace(track) {
    return this.#sender.replaceTrack(track);
  }

  /** Rest the layers that nobody wants; what names none of ours changes nothing. */
  want(names) {
    if (!LAYERS.some(({ name }) => names.includes(name))) return;
    this.#wanted = names;
    this.shape();
  }

  /** Take what the network was found to carry. */
  fit({ availableBps, limited }) {
    if (!availableBps) return;
    const tooMuch = availableBps < NARROW_BPS && limited === "bandwidth";
    const isNarrow = availableBps <= WIDE_BPS && (this.#isNarrow || tooMuch);
    this.#fits = isNarrow === this.#isNarrow ? 0 : this.#fits + 1;
    if (this.#fits < FIT_LOOKS) return;
    this.#fits = 0;
    this.#isNarrow = isNarrow;
    this.shape();
  }

  /**
   * Apply what is wanted now; also once the answer is here, which may have left one layer of three.
   *
   * Full size as long as the network carries it, at fewer pictures a second when the phone is busy (a plate or a paper
   * must be readable). On a narrow network a picture in one size is halved; of three, the lowest goes along even if
   * nobody wants it, so that the browser has one that fits when it leaves the higher out.
   */
  async shape() {
    this.#isDue = true;
    if (this.#isShaping) return;
    this.#isShaping = true;
    while (this.#isDue) {
      this.#isDue = false;
      const parameters = this.#sender.getParameters();
      parameters.degradationPreference = "maintain-resolution";
      this.#write(parameters.encodings);
      // An old browser that doesn't know the preference chooses by itself.
      await this.#sender.setParameters(parameters).catch(() => {});
    }
    this.#isShaping = false;
  }

  #write(encodings) {
    if (encodings.length === 1) {
      const scaleResolutionDownBy = this.#isNarrow ? 2 * LARGEST.scale : LARGEST.scale;
      Object.assign(encodings[0], { active: true, scaleResolutionDownBy, maxBitrate: LARGEST.maxBitrate });
      return;
    }
    for (const [place, encoding] of encodings.entries()) {
      const { name } = LAYERS.find(({ rid }) => rid === encoding.rid) ?? LAYERS[place];
      encoding.active = this.#wanted.includes(name) || (this.#isNarrow && name === "low");
    }
  }
}
