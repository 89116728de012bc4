// What a connection measures of itself, looked at once a second.

const FLOWS_MS = 2500; // a layer that encoded nothing for so long is left out, by the network or because nobody wants it

/** Counts by name, and when each grew last: some vanish or begin anew when the road or the layers change. */
class Growth {
  #counts = new Map();

  /** Take a count; says whether it is higher than before. */
  take(name, count, now) {
    const before = this.#counts.get(name) ?? { count: 0, at: -Infinity };
    const grew = count > before.count;
    this.#counts.set(name, { count, at: grew ? now : before.at });
    return grew;
  }

  sinceMs(name, now) {
    return now - (this.#counts.get(name)?.at ?? -Infinity);
  }
}

export class Figures {
  #answers = new Growth();
  #pictures = new Growth();
  #bytes = 0;
  #at = performance.now();

  /**
   * Gives of the highest layer that flows {width, height, fps}, of all together {kbps, limited}, of the network {rttMs,
   * availableBps}, of the camera {frames} (-1: not told), and since the last look {hasHeard, hasSent}.
   */
  async read(connection) {
    const stats = [...(await connection.getStats()).values()];
    const now = performance.now();
    const figures = { ...this.#sent(stats, now), ...this.#road(stats, now) };
    figures.frames = stats.find(({ type, kind }) => type === "media-source" && kind === "video")?.frames ?? -1;
    return figures;
  }

  #sent(stats, now) {
    const figures = { width: 0, height: 0, fps: 0, limited: "" };
    let bytes = 0;
    for (const one of stats) {
      if (one.type !== "outbound-rtp") continue;
      bytes += one.bytesSent ?? 0;
      if (one.kind !== "video") continue;
      this.#pictures.take(one.id, one.framesEncoded ?? 0, now);
      if (one.qualityLimitationReason !== "none") figures.limited ||= one.qualityLimitationReason ?? "";
      const { frameWidth: width = 0, frameHeight: height = 0, framesPerSecond: fps = 0 } = one;
      if (width > figures.width && this.#pictures.sinceMs(one.id, now) < FLOWS_MS) Object.assign(figures, { width, height, fps });
    }
    figures.kbps = Math.max(0, Math.round(((bytes - this.#bytes) * 8) / Math.max(1, now - this.#at)));
    figures.hasSent = bytes > this.#bytes;
    this.#bytes = bytes;
    this.#at = now;
    return figures;
  }

  #road(stats, now) {
    const figures = { rttMs: 0, availableBps: 0, hasHeard: false };
    const selected = stats.find(({ type }) => type === "transport")?.selectedCandidatePairId;
    for (const one of stats) {
      // Whatever its state: unanswered checks take it out of "succeeded".
      if (one.type !== "candidate-pair" || !one.nominated) continue;
      const heard = (one.bytesReceived ?? 0) + (one.responsesReceived ?? 0);
      if (this.#answers.take(one.id, heard, now)) figures.hasHeard = true;
      if (selected && one.id !== selected) continue; // of the road before an ICE restart
      figures.availableBps = one.availableOutgoingBitrate ?? 0;
      figures.rttMs = Math.round((one.currentRoundTripTime ?? 0) * 1000);
    }
    return figures;
  }
}
