/** A feeling in colour and words: the chip at a turn, and the bars it opens. */
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

/** The chip and the panel it opens, as two elements. */
export function chip(emotion, id) {
  const panel = make("div", { class: "panel", id, hidden: true });
  const button = make(
    "button",
    {
      type: "button",
      class: "chip",
      aria: { expanded: "false", controls: id, label: text("feelingOpen", { feeling: describe(emotion) }) },
      onclick: () => {
        if (!panel.firstChild) panel.append(...bars(emotion));
        panel.hidden = !panel.hidden;
        button.setAttribute("aria-expanded", String(!panel.hidden));
        panel.scrollIntoView({ block: "nearest" });
      },
    },
    ...dots(emotion),
    make("span", {}, describe(emotion)),
  );
  return [button, panel];
}

function bars(emotion) {
  const columns = [
    ["fromVoice", emotion.voice],
    ["fromWords", emotion.words],
    ["fromBoth", emotion.scores],
  ];
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, make("span", { class: "hidden-text" }, text("feeling"))),
    ...columns.map(([name]) => make("th", { scope: "col" }, text(name))),
  );
  const rows = FEELINGS.map((label) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, text(`feelings.${label}`)),
      ...columns.map(([, scores]) => make("td", {}, ...(scores ? bar(label, scores[label]) : ["–"]))),
    ),
  );
  const table = make("table", { class: "bars" }, make("caption", {}, text("feelingTitle")), make("thead", {}, head), make("tbody", {}, ...rows));
  return emotion.abstained ? [table, make("p", { class: "small" }, text("feelingNotSure"))] : [table];
}

function bar(label, score) {
  const fill = make("span", { class: "fill", data: { feeling: label } });
  fill.style.inlineSize = `${Math.round(score * 100)}%`;
  return [
    make("span", { class: "track", ariaHidden: "true" }, fill),
    make("span", { class: "percent" }, `${Math.round(score * 100)} %`),
  ];
}
