/** Why a reply is as it is: what it was made from, how it was said, how much of it, and where the time went. */
import { make } from "../dom.js";
import { text } from "../texts.js";
import { latency } from "./latency.js";

const BROKEN_OFF = / —$/;
/** Ends a reply of which only the beginning was said (`app.said.INTERRUPTED`). */

/** What is known so far of an exchange, from top to bottom. */
export function why({ hearing, answer, tone, gaps }) {
  const rows = [
    [text("look.understood"), make("span", { class: "at-most" }, understood(hearing))],
    !hearing.is_silence && [text("look.answeredAs"), answeredAs(hearing)],
    ...(answer ? answered(answer, tone) : [[text("look.reply"), text("look.stillComing")]]),
  ];
  const list = rows.filter(Boolean).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
  const time = answer && latency(answer.timings_ms, gaps);
  return [make("dl", {}, ...list), ...(time ? [time] : [])];
}

function understood({ text: words, is_silence, is_foreign }) {
  if (is_silence) return text("look.nothing");
  return is_foreign ? text("look.foreign") : `“${words}”`;
}

/** The mind is told of a feeling only where one was heard for sure. */
function answeredAs({ emotion, correction }) {
  const { abstained, label } = emotion;
  const as = abstained || label === "neutral" ? text("look.wordsAlone") : text(`feelings.${label}`);
  return correction ? `${as} ${text("look.beforeCorrection")}` : as;
}

function answered({ reply, written, origin, strength, was_stopped }, tone) {
  const meant = { tone: text(`tones.${tone}`), percent: Math.round(strength * 100) };
  return [
    tone && [text("look.origin"), text(`look.origins.${origin}`)],
    tone && [text("look.style"), text("look.tone", meant)],
    [text("look.spoken"), was_stopped ? spoken(reply, written) : text("look.allSpoken")],
  ];
}

/** What was said, and behind it what was not said any more. */
function spoken(reply, written) {
  const said = reply.replace(BROKEN_OFF, "");
  const whole = written.trim();
  const unsaid = whole.startsWith(said) ? whole.slice(said.length) : "";
  return make(
    "span",
    {},
    said || make("i", {}, text("look.nothingSpoken")),
    unsaid && make("span", { class: "hidden-text" }, ` ${text("look.unsaid")} `),
    unsaid && make("del", {}, unsaid),
  );
}
