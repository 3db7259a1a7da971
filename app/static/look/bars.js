/** How likely each feeling is: by the voice, by the words, and by both together. */
import { make } from "../dom.js";
import { FEELINGS, strongest } from "../feeling.js";
import { text } from "../texts.js";

/** What to show of a heard turn's feeling, from top to bottom. */
export function bars(hearing) {
  const { emotion } = hearing;
  const notes = [
    hearing.disagrees && text("look.disagrees", { words: feeling(emotion.words), voice: feeling(emotion.voice) }),
    emotion.abstained && text("look.notSure"),
    !emotion.voice && text(hearing.is_typed ? "look.typedOnly" : "look.wordsOnly"),
    !emotion.words && text("look.voiceOnly"),
  ];
  return [...notes.filter(Boolean).map((note) => make("p", {}, note)), table(columns(emotion))];
}

/** Where there is only one part, the whole is what came of it. */
function columns({ scores, voice, words }) {
  if (!words) return [[text("look.fromVoice"), scores]];
  if (!voice) return [[text("look.fromWords"), scores]];
  return [
    [text("look.fromVoice"), voice],
    [text("look.fromWords"), words],
    [text("look.fromBoth"), scores],
  ];
}

function table(columns) {
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, make("span", { class: "hidden-text" }, text("look.feeling"))),
    ...columns.map(([name]) => make("th", { scope: "col" }, name)),
  );
  const rows = FEELINGS.map((label) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, text(`feelings.${label}`)),
      ...columns.map(([, scores]) => make("td", {}, ...bar(label, scores[label]))),
    ),
  );
  return make("table", { class: "bars" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

function bar(label, score) {
  const fill = make("span", { class: "fill", data: { feeling: label } });
  fill.style.inlineSize = `${Math.round(score * 100)}%`;
  return [
    make("span", { class: "track", ariaHidden: "true" }, fill),
    make("span", { class: "percent" }, `${Math.round(score * 100)} %`),
  ];
}

function feeling(scores) {
  return text(`feelings.${strongest(scores)}`);
}
