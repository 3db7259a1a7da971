/** How high and how loud a turn was, against how its speaker usually sounds. */
import { make } from "../dom.js";
import { text } from "../texts.js";

const USUAL_SEMITONES = 1;
const USUAL_DB = 2;
/** Nobody says two sentences more alike than that. */

const WIDEST = 12;
/** Semitones or dB at either end of a scale. */

/** `sound` as of a heard turn. */
export function manner({ mean_pitch_hz, level_db, usual }) {
  const lines = [row(text("look.pitch"), ...pitch(mean_pitch_hz, usual?.pitch_hz))];
  if (usual) lines.push(row(text("look.level"), ...level(level_db - usual.level_db)));
  return make("div", { class: "manner" }, make("dl", {}, ...lines.flat()), make("p", { class: "small" }, compared(usual)));
}

function pitch(hz, usualHz) {
  if (!hz) return [text("look.noPitch")];
  if (!usualHz) return [text("look.pitchAlone", { hz: Math.round(hz) })];
  const values = { hz: Math.round(hz), usual: Math.round(usualHz) };
  const semitones = 12 * Math.log2(hz / usualHz);
  if (Math.abs(semitones) <= USUAL_SEMITONES) return [text("look.pitchUsual", values), semitones];
  return [text(semitones > 0 ? "look.pitchHigher" : "look.pitchLower", values), semitones];
}

function level(db) {
  if (Math.abs(db) <= USUAL_DB) return [text("look.levelUsual"), db];
  return [text(db > 0 ? "look.levelLouder" : "look.levelQuieter", { db: Math.round(Math.abs(db)) }), db];
}

function compared(usual) {
  if (!usual) return text("look.noUsual");
  return text(usual.turns === 1 ? "look.comparedOne" : "look.compared", { turns: usual.turns });
}

/** With `distance` from the usual, a scale shows it. */
function row(name, sentence, distance = null) {
  return [make("dt", {}, name), make("dd", {}, distance === null ? null : scale(distance), sentence)];
}

function scale(distance) {
  const mark = make("span", { class: "mark" });
  mark.style.insetInlineStart = `${50 + 50 * Math.min(Math.max(distance / WIDEST, -1), 1)}%`;
  return make("span", { class: "from-usual", ariaHidden: "true" }, mark);
}
