// The last picture of a tile, while there is no newer one.

import { h } from "./dom.js";

/** A canvas that keeps what a video showed, also where the browser's graphics process ends and takes the canvas's memory along. */
export class LastPicture {
  constructor() {
    this.element = h("canvas.tile-frozen", { hidden: true });
    this.pixels = null;
    this.element.addEventListener("contextrestored", () => this.pixels && this.context().putImageData(this.pixels, 0, 0));
  }

  get isShown() {
    return !this.element.hidden;
  }

  context() {
    return this.element.getContext("2d", { willReadFrequently: true });
  }

  /** Show what the video shows now, whatever becomes of that. */
  keep(video) {
    const { videoWidth: width, videoHeight: height } = video;
    Object.assign(this.element, { width, height });
    const context = this.context();
    context.drawImage(video, 0, 0);
    this.pixels = context.getImageData(0, 0, width, height);
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
    this.pixels = null;
  }

  /** Leave nothing of it. */
  wipe() {
    this.hide();
    this.element.width = 0;
  }
}
