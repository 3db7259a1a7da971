/** What a person said; words that the ears may have got wrong are marked, for eyes and for screen readers. */
import { make } from "./dom.js";
import { text } from "./texts.js";

/** More likely wrong than right: the confidence is a probability. */
const DOUBTED_BELOW = 0.5;

/** The children of the paragraph. Marks and capitals may differ from the heard words, their number not. */
export function said({ text: whole, words = [] }) {
  const written = whole.split(" ");
  if (written.length !== words.length) return [whole];
  const shown = written.map((word, place) => (words[place].confidence < DOUBTED_BELOW ? doubted(word) : word));
  return shown.flatMap((word, place) => (place ? [" ", word] : [word]));
}

function doubted(word) {
  const aloud = make("span", { class: "hidden-text" }, ` (${text("notSure")})`);
  return make("span", { class: "doubted", title: text("doubted") }, word, aloud);
}
