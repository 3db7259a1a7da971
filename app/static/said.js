/** What a person said; words that the ears may have got wrong are marked, for eyes and for screen readers. */
import { make } from "./dom.js";
import { text } from "./texts.js";

/** More likely wrong than right: the confidence is a probability. */
const DOUBTED_BELOW = 0.5;

/** The children of the paragraph. */
export function said(hearing) {
  if (!isAligned(hearing)) return [hearing.text];
  const shown = wordByWord(hearing).map(([word, confidence]) => (confidence < DOUBTED_BELOW ? doubted(word) : word));
  return shown.flatMap((word, place) => (place ? [" ", word] : [word]));
}

/** [word, confidence] of each. */
export function wordByWord(hearing) {
  const written = isAligned(hearing) ? hearing.text.split(" ") : [];
  return hearing.words.map(({ text: word, confidence }, place) => [written[place] ?? word, confidence]);
}

/** Marks and capitals of the text may differ from the heard words; where their number does, none is another's. */
function isAligned({ text: whole, words }) {
  return whole.split(" ").length === words.length;
}

function doubted(word) {
  const aloud = make("span", { class: "hidden-text" }, ` (${text("notSure")})`);
  return make("span", { class: "doubted", title: text("doubted") }, word, aloud);
}
