/**
 * Sound at one rate → another while it streams, by windowed-sinc interpolation.
 *
 * Microphones run at 44.1 or 48 kHz, the program hears 16 kHz and speaks 24 kHz, and Safari and Firefox refuse
 * contexts of another rate than the device's. Runs inside the worklets.
 */

const ZEROS = 16;
/** Zero crossings on each side: stop band below -80 dB. */
const PER_ZERO = 256;
const PASSED = 0.94;
/** Of the lower rate's band; the rest is for the filter to fall. */

export class Resampler {
  #step;
  #cutoff;
  #reach;
  #kernel;
  #pending;
  #at;

  constructor(fromHz, toHz) {
    this.#step = fromHz / toHz;
    this.#cutoff = PASSED * Math.min(1, toHz / fromHz);
    this.#reach = Math.ceil(ZEROS / this.#cutoff);
    this.#kernel = Float32Array.from({ length: ZEROS * PER_ZERO + 2 }, (_, i) => this.#cutoff * windowedSinc(i / PER_ZERO));
    this.reset();
  }

  /** Forget what is still inside. */
  reset() {
    this.#pending = new Float32Array(this.#reach);
    this.#at = this.#reach;
  }

  /** Float32Array → what can be said of it by now; the rest, 1 ms or so, comes with the next. */
  push(samples) {
    const sound = new Float32Array(this.#pending.length + samples.length);
    sound.set(this.#pending);
    sound.set(samples, this.#pending.length);
    const count = Math.max(0, Math.ceil((sound.length - this.#reach - this.#at) / this.#step));
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = this.#value(sound, this.#at + i * this.#step);
    this.#at += count * this.#step;
    const done = Math.min(Math.floor(this.#at) - this.#reach, sound.length);
    this.#pending = sound.slice(done);
    this.#at -= done;
    return out;
  }

  #value(sound, at) {
    const first = Math.max(Math.ceil(at - this.#reach), 0);
    const last = Math.min(Math.floor(at + this.#reach), sound.length - 1);
    let sum = 0;
    for (let k = first; k <= last; k++) {
      const place = Math.min(Math.abs(at - k) * this.#cutoff, ZEROS) * PER_ZERO;
      const below = Math.floor(place);
      const share = place - below;
      sum += sound[k] * ((1 - share) * this.#kernel[below] + share * this.#kernel[below + 1]);
    }
    return sum;
  }
}

/** Blackman's window, from the middle (0) to its end (ZEROS). */
function windowedSinc(x) {
  if (x >= ZEROS) return 0;
  const turn = (Math.PI * x) / ZEROS;
  const window = 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
  return x === 0 ? 1 : (window * Math.sin(Math.PI * x)) / (Math.PI * x);
}
