/** A feeling in colour and words: on the chip at a turn, in the timeline, in an opened turn. */
import { make } from "./dom.js";
import { text } from "./texts.js";

export const FEELINGS = ["neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"];

const SECOND_FROM = 0.2;
/** A second feeling is named from this probability on. */

/** The one or two feelings that are shown, strongest first; empty for "not sure". */
export function named(emotion) {
  if (emotion.abstained) return [];
  const ranked = FEELINGS.map((label) => ({ label, score: emotion.scores[label] })).sort((a, b) => b.score - a.score);
  return ranked.slice(0, 2).filter(({ score }, place) => place === 0 || score >= SECOND_FROM);
}

/** In words: "clearly sad, a little fearful" or "not sure". */
export function describe(emotion) {
  const words = named(emotion).map(({ label, score }) =>
    text(`strengths.${strength(label, score)}`, { feeling: text(`feelings.${label}`) }),
  );
  return words.join(", ") || text("notSure");
}

/** The same of a heard turn, in which the person has the last word: "sad, as you said". */
export function told({ felt, correction }) {
  return correction ? text("look.asYouSaid", { feeling: text(`feelings.${correction}`) }) : describe(felt);
}

/** The label of the highest of some scores. */
export function strongest(scores) {
  return FEELINGS.reduce((best, label) => (scores[label] > scores[best] ? label : best));
}

function strength(label, score) {
  if (label === "neutral") return "middle";
  if (score >= 0.7) return "strong";
  return score >= 0.4 ? "middle" : "weak";
}

export function dots(emotion) {
  const labels = named(emotion).map(({ label }) => label);
  return (labels.length ? labels : ["unsure"]).map((label) =>
    make("span", { class: "dot", data: { feeling: label }, ariaHidden: "true" }),
  );
}

/** Write the feeling of a heard turn on its chip. */
export function showFeeling(chip, hearing) {
  const isSplit = hearing.disagrees && !hearing.correction;
  const hint = isSplit ? text("look.split") : "";
  const mark = make("span", { class: "split", title: hint, ariaHidden: "true" }, "≠");
  chip.replaceChildren(...dots(hearing.felt), make("span", {}, told(hearing)), ...(isSplit ? [mark] : []));
  chip.setAttribute("aria-label", [text("look.open", { feeling: told(hearing) }), hint].filter(Boolean).join(" "));
}
