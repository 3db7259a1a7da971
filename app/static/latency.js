/** Where the time of a turn went: a bar from the end of the person's turn to the first sound. */
import { make } from "./dom.js";
import { text } from "./texts.js";

const STAGES = [
  ["ears", "timingEars"],
  ["first_text", "timingText"],
  ["first_audio", "timingAudio"],
];

/** A closed <details>, or null where nothing was measured. */
export function latency(timingsMs) {
  const reached = STAGES.filter(([stage]) => stage in timingsMs);
  if (!reached.length) return null;
  const endMs = timingsMs[reached.at(-1)[0]];
  let beforeMs = 0;
  const parts = reached.map(([stage]) => {
    const part = make("span", { class: "stage", data: { stage } });
    part.style.flexGrow = Math.max(timingsMs[stage] - beforeMs, endMs / 100);
    beforeMs = timingsMs[stage];
    return part;
  });
  const legend = reached.map(([stage, key]) =>
    make("li", {}, make("span", { class: "dot", data: { stage }, ariaHidden: "true" }), `${text(key)} ${seconds(timingsMs[stage])}`),
  );
  return make(
    "details",
    { class: "latency" },
    make("summary", {}, text("timing")),
    make("div", { class: "stages", ariaHidden: "true" }, ...parts),
    make("ul", {}, ...legend, make("li", {}, text("timingTotal", { time: seconds(timingsMs.total) }))),
  );
}

function seconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
