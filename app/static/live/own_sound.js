/**
 * The last minutes that went up in a hands-free talk: in this page alone, and until the talk ends.
 *
 * A turn's own sound is cut from it, and stays with its exchange until the page is closed or it is erased.
 */
import { wav } from "../sound.js";

const RATE_HZ = 16000;
const KEPT_SAMPLES = 300 * RATE_HZ;
/** Five minutes, 10 MB: hardly anybody talks longer at once. */

export class OwnSound {
  #frames = [];
  /** Samples that were sent in all, and of those the first that is kept. */
  #sent = 0;
  #kept = 0;

  /** The next samples that were sent up (ArrayBuffer of 16 bits). */
  push(pcm) {
    const samples = new Int16Array(pcm);
    this.#frames.push(samples);
    this.#sent += samples.length;
    while (this.#sent - this.#kept > KEPT_SAMPLES) this.#kept += this.#frames.shift().length;
  }

  get size() {
    return 2 * (this.#sent - this.#kept);
  }

  /** What went up so far is not kept any more. */
  clear() {
    this.#frames = [];
    this.#kept = this.#sent;
  }

  /** A WAV file of the samples from `first` up to `last`, or null where some are not kept any more. */
  cut(first, last) {
    if (first < this.#kept || last > this.#sent) return null;
    let at = this.#kept;
    const stretches = this.#frames.map((samples) => {
      const part = samples.subarray(Math.max(first - at, 0), Math.max(last - at, 0));
      at += samples.length;
      return part;
    });
    return wav(stretches, RATE_HZ);
  }
}
