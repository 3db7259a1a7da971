/** Keeps screen and sound awake while somebody talks, and tells when the sound was taken away for good. */
import { within } from "./prepare.js";

const WAKE_WITHIN_MS = 500;

export class Awake {
  #context;
  #onasleep;
  #lock = null;
  #onshown = () => this.#shown();

  /** `onasleep`: the page was hidden, or another program took the sound, and only a tap can bring it back. */
  constructor(context, onasleep) {
    this.#context = context;
    this.#onasleep = onasleep;
    context.onstatechange = () => this.#wake();
    document.addEventListener("visibilitychange", this.#onshown);
    this.#hold();
  }

  end() {
    this.#context.onstatechange = null;
    document.removeEventListener("visibilitychange", this.#onshown);
    this.#lock?.release();
  }

  /** The browser takes the lock away whenever the page is hidden. */
  #shown() {
    if (document.visibilityState !== "visible") return;
    this.#hold();
    this.#wake();
  }

  async #hold() {
    try {
      const lock = await navigator.wakeLock?.request("screen");
      if (this.#context.onstatechange) this.#lock = lock;
      else lock?.release();
    } catch {
      // Low battery, or a frame that forbids it: the talk goes on, the screen may sleep.
    }
  }

  async #wake() {
    if (this.#context.state === "running") return;
    if (!(await within(this.#context.resume(), WAKE_WITHIN_MS))) this.#onasleep();
  }
}
