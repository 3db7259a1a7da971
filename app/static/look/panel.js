/**
 * An opened turn: how it sounded, what was heard in it, whether that is right, and why it was answered so.
 *
 * One for each exchange, opened from the chip at the person's words or from "Why?" at the reply. It is filled
 * when it is opened, from what the page keeps of the exchange.
 */
import { make } from "../dom.js";
import { text } from "../texts.js";
import { bars } from "./bars.js";
import { Correction } from "./correct.js";
import { manner } from "./manner.js";
import { waveform } from "./waveform.js";
import { why } from "./why.js";
import { sureness } from "./words.js";

let count = 0;

export class Panel {
  #exchange;
  #actions;
  #openers = [];
  /** The button that opened it, where the keyboard goes back to. */
  #opener = null;
  #correction = null;
  #why = null;

  /** `actions`: replayOwn(Blob), correct(exchange, label), offer(exchange). */
  constructor(exchange, actions) {
    this.#exchange = exchange;
    this.#actions = actions;
    this.element = make("div", { class: "panel", id: `turn-${count++}`, role: "group", hidden: true, aria: { label: text("look.title") } });
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Makes the button one that opens and closes the panel; `isForWhy`: it leads to the last part at once. */
  openedBy(button, isForWhy = false) {
    button.setAttribute("aria-controls", this.element.id);
    button.setAttribute("aria-expanded", String(!this.element.hidden));
    button.onclick = () => (this.element.hidden ? this.#open(button, isForWhy) : this.close());
    button.onkeydown = (event) => this.#key(event);
    this.#openers.push(button);
    return button;
  }

  /** The keyboard goes back to where it came from. */
  close() {
    this.hide();
    this.#opener.focus();
  }

  hide() {
    this.#show(false);
  }

  /** The answer is complete, or more has become known of it. */
  answered() {
    if (!this.element.hidden) this.#why.replaceChildren(...why(this.#exchange));
  }

  /** The person said what they felt, or took that back. */
  corrected() {
    if (this.element.hidden) return;
    this.#correction.show();
    this.answered();
  }

  #open(button, isForWhy) {
    this.#opener = button;
    this.#fill();
    this.#show(true);
    const why = this.element.querySelector(".why");
    if (isForWhy) why.querySelector("h2").focus({ preventScroll: true });
    (isForWhy ? why : this.element.parentElement).scrollIntoView({ block: "nearest" });
  }

  #show(isOpen) {
    this.element.hidden = !isOpen;
    for (const button of this.#openers) button.setAttribute("aria-expanded", String(isOpen));
  }

  #fill() {
    const { hearing, own } = this.#exchange;
    const { sound, words, is_silence } = hearing;
    const play = own && (() => this.#actions.replayOwn(own));
    this.#correction = new Correction(this.#exchange, this.#actions);
    this.#why = make("div", {}, ...why(this.#exchange));
    const parts = [
      sound && part("sound", text("look.sound"), waveform(hearing, play), manner(sound)),
      words.length > 0 && part("sureness", text("look.words"), sureness(hearing)),
      !is_silence && part("heard", text("look.heard"), ...bars(hearing)),
      !is_silence && part("correct", text("look.correct"), this.#correction.element),
      part("why", text("look.why"), this.#why),
    ];
    const close = make("button", { type: "button", class: "quiet", onclick: () => this.close() }, text("close"));
    this.element.replaceChildren(...parts.filter(Boolean), close);
  }

  #key(event) {
    if (event.key !== "Escape" || this.element.hidden) return;
    // Else it would stop the reply as well.
    event.stopPropagation();
    this.close();
  }
}

function part(name, title, ...content) {
  return make("section", { class: name }, make("h2", { tabIndex: -1 }, title), ...content);
}
