/** The one message of a dialog: what went wrong, or what was done, until the next. */
import { make } from "./dom.js";
import { text } from "./texts.js";

export class Message {
  element = make("div", { class: "message", hidden: true });

  /** Do it, or say why not. */
  async guarded(work) {
    this.hush();
    try {
      await work();
    } catch (error) {
      this.say(text(error.message));
    }
  }

  /** What went wrong. */
  say(...sentences) {
    this.#show("alert", sentences);
  }

  /** What is so, and the buttons to answer it with. */
  note(sentence, ...answers) {
    this.#show("status", [sentence], answers);
  }

  hush() {
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  #show(role, sentences, answers = []) {
    this.element.role = role;
    this.element.classList.toggle("is-calm", role === "status");
    const lines = sentences.map((sentence) => make("p", {}, sentence));
    this.element.replaceChildren(make("div", { class: "lines" }, ...lines), ...answers);
    this.element.hidden = false;
  }
}

/** A button in a dialog or a panel; `key` is that of its text. */
export function button(key, onclick, look = "quiet side") {
  return make("button", { type: "button", class: look, onclick }, text(key));
}
