/** How far the person's voice is known, and the button for when another person talks. */
import { text } from "./texts.js";

export class KnownVoice {
  #line;

  constructor(line, onforget) {
    this.#line = line;
    line.querySelector("button").onclick = onforget;
  }

  /** `turns` that tell what is known; nothing is shown where there are none. */
  show(turns) {
    this.#line.hidden = turns === 0;
    this.#line.querySelector("span").textContent = text(turns === 1 ? "voiceTurn" : "voiceTurns", { turns });
  }
}
