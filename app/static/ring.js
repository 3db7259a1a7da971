/** Patience made visible: a ring round the button that closes while a silence is waited out. */

/** A breath between two words shows nothing yet. */
const FADE_IN = { duration: 400, fill: "forwards" };

export class Ring {
  #circle;
  #showing = null;
  #moving = null;
  #neededS = null;
  #since = 0;

  constructor(picture) {
    this.#circle = picture.querySelector("circle");
  }

  /** Seconds of silence that would end the turn, counted from the first call of a pause; null clears it. */
  show(neededS) {
    if (neededS === this.#neededS) return;
    const now = performance.now();
    const isNew = this.#neededS === null;
    this.#neededS = neededS;
    this.#moving?.cancel();
    if (neededS === null) this.#showing?.cancel();
    if (neededS === null || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    if (isNew) {
      this.#since = now;
      this.#showing = this.#circle.animate([{ opacity: 0 }, { opacity: 0.75 }], FADE_IN);
    }
    const closed = Math.min((now - this.#since) / 1000 / neededS, 1);
    const duration = Math.max(neededS * 1000 * (1 - closed), 1);
    this.#moving = this.#circle.animate([{ strokeDashoffset: 1 - closed }, { strokeDashoffset: 0 }], { duration, fill: "forwards" });
  }
}
