/** The words of a spoken turn, each with how sure the ears are of it. */
import { make } from "../dom.js";
import { wordByWord } from "../said.js";
import { text } from "../texts.js";

const SURE = 0.8;
/** From here on the number is only shown when it is looked for. */

export function sureness(hearing) {
  const words = wordByWord(hearing).flatMap(([word, confidence]) => [sure(word, confidence), " "]);
  return make(
    "div",
    { class: "sure-words", tabIndex: 0, role: "group", aria: { label: text("look.wordsHint") } },
    make("p", {}, ...words),
    make("p", { class: "small", ariaHidden: "true" }, text("look.wordsHint")),
  );
}

function sure(word, confidence) {
  const percent = make("span", { class: "how-sure" }, `${Math.round(confidence * 100)} %`);
  const node = make("span", { class: confidence < SURE ? "sure-word is-unsure" : "sure-word" }, word, " ", percent);
  node.style.setProperty("--sure", confidence);
  return node;
}
