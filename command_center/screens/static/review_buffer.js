// One media element fed through MediaSource: pieces of files are put where they belong on one time line.
//
// A piece is a run of whole fragments of one file. Each file begins with a header, which tells the decoder what follows.

const LONG_SECONDS = 1e7;

export class MediaBuffer {
  constructor(media) {
    this.media = media;
    this.source = null;
    this.buffer = null;
    this.header = null; // of which file the decoder has the header
    this.mime = null;
  }

  /** Whether nothing was opened since it was closed; one that broke is neither open nor closed. */
  get isClosed() {
    return this.source === null;
  }

  get isOpen() {
    return this.source?.readyState === "open" && this.buffer !== null;
  }

  /** Begin anew, with tracks of another kind or after an error. */
  async open(mime) {
    this.close();
    const source = new MediaSource();
    this.source = source;
    const address = URL.createObjectURL(source);
    this.media.src = address;
    await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
    URL.revokeObjectURL(address);
    if (source !== this.source || source.readyState !== "open") return;
    this.buffer = source.addSourceBuffer(mime);
    this.mime = mime;
    source.duration = LONG_SECONDS; // of the time line, not of what was recorded: one may jump anywhere
  }

  close() {
    this.source = this.buffer = this.header = this.mime = null;
    if (!this.media.hasAttribute("src")) return;
    this.media.removeAttribute("src");
    this.media.load();
  }

  /**
   * Append fragments of a file. `file`: {key, mime}; `header`: its beginning, or null where `has(file)`; `origin`: where its
   * time zero lies, in seconds of the time line.
   */
  async append(file, header, data, origin) {
    const { buffer } = this;
    await this.idle();
    if (buffer !== this.buffer || !buffer) return false;
    if (header) {
      if (file.mime !== this.mime) buffer.changeType(file.mime);
      this.mime = file.mime;
      await this.put(header);
      if (buffer !== this.buffer) return false;
      this.header = file.key;
    }
    if (Math.abs(buffer.timestampOffset - origin) > 1e-6) buffer.timestampOffset = origin;
    await this.put(data);
    return buffer === this.buffer;
  }

  has(file) {
    return this.header === file.key;
  }

  async remove(from, to) {
    await this.idle();
    if (!this.isOpen || to <= from) return;
    this.buffer.remove(from, to);
    await this.idle();
  }

  async put(data) {
    const { buffer } = this;
    let failed = false;
    const note = () => (failed = true);
    buffer.addEventListener("error", note);
    try {
      buffer.appendBuffer(data);
      await this.idle();
    } finally {
      buffer.removeEventListener("error", note);
    }
    if (failed) throw Object.assign(new Error("the browser can't read these bytes"), { code: "broken" });
  }

  async idle() {
    const { buffer } = this;
    while (buffer?.updating && buffer === this.buffer) {
      await new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
    }
  }

  /** The end of what is there without a break from `seconds` on, or null. */
  endOf(seconds, slack) {
    if (!this.isOpen) return null;
    const { buffered } = this.buffer;
    for (let range = 0; range < buffered.length; range += 1) {
      if (seconds >= buffered.start(range) - slack && seconds < buffered.end(range)) return buffered.end(range);
    }
    return null;
  }

  /** First and last moment of what is there. */
  get span() {
    if (!this.isOpen || this.buffer.buffered.length === 0) return null;
    const { buffered } = this.buffer;
    return [buffered.start(0), buffered.end(buffered.length - 1)];
  }
}
