/** "Not what you felt?": one tap says what it was, another takes that back. */
import { make } from "../dom.js";
import { FEELINGS, describe } from "../feeling.js";
import { text } from "../texts.js";

export class Correction {
  #exchange;
  #actions;
  #buttons;
  #told = make("p", { class: "small", role: "status" });
  #offer = make("div", { class: "offer" });

  /** `actions`: correct(exchange, label), and offer(exchange) → an element to show once it is corrected, or null. */
  constructor(exchange, actions) {
    this.#exchange = exchange;
    this.#actions = actions;
    this.#buttons = FEELINGS.map((label) => this.#button(label));
    const choices = make("div", { class: "choices", role: "group", aria: { label: text("look.correctLabel") } }, ...this.#buttons);
    this.element = make("div", {}, choices, this.#told, this.#offer);
    this.show();
  }

  /** As the exchange is now. */
  show() {
    const { correction, emotion } = this.#exchange.hearing;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.dataset.feeling === correction));
    const values = { heard: describe(emotion), feeling: text(`feelings.${correction}`) };
    this.#told.textContent = correction ? text("look.corrected", values) : text("look.correctHint");
    const offer = correction ? this.#actions.offer(this.#exchange) : null;
    this.#offer.replaceChildren(...(offer ? [offer] : []));
  }

  #button(label) {
    const isPressed = () => this.#exchange.hearing.correction === label;
    return make(
      "button",
      {
        type: "button",
        class: "choice",
        data: { feeling: label },
        onclick: () => this.#actions.correct(this.#exchange, isPressed() ? "" : label),
      },
      make("span", { class: "dot", ariaHidden: "true" }),
      text(`feelings.${label}`),
    );
  }
}
