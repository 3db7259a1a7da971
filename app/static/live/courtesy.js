/** Lowers the reply when somebody begins to speak: at once by the page's own ear, for good by the server's word. */
import { Onset } from "./onset.js";

const UNCONFIRMED_MS = 400;
/** After that without a word of the server's, it was nothing. */
const ECHOES = 3;
/** So many sounds early in a reply that were nothing, and it is likely the reply itself. */
const EARLY_S = 1.5;

export class Courtesy {
  #loudspeaker;
  #onlow;
  #onecho;
  #onset = new Onset();
  #isLow = false;
  #timer = null;
  #echoes = 0;

  /** `onlow(isLow)`: it was lowered, or raised; `onecho` is called once, when the microphone seems to hear the reply. */
  constructor(loudspeaker, onlow, onecho) {
    this.#loudspeaker = loudspeaker;
    this.#onlow = onlow;
    this.#onecho = onecho;
  }

  /** The level of every frame of the microphone; `mayLower` while a reply sounds that may be interrupted. */
  feed(level, mayLower) {
    const hasBegun = this.#onset.feed(level);
    if (!hasBegun || !mayLower || this.#isLow) return;
    this.#low(true);
    this.#timer = setTimeout(() => this.#low(false), UNCONFIRMED_MS);
  }

  /** The server has heard it too, or knows that it was nothing. */
  decided(isLow) {
    this.#low(isLow);
    if (isLow || this.#loudspeaker.playedS > EARLY_S) return;
    this.#echoes += 1;
    if (this.#echoes === ECHOES) this.#onecho();
  }

  /** Nothing sounds any more. */
  rest() {
    this.#low(false);
  }

  #low(isLow) {
    clearTimeout(this.#timer);
    this.#isLow = isLow;
    this.#loudspeaker.low(isLow);
    this.#onlow(isLow);
  }
}
