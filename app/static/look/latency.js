/** Where the time of a turn went: a bar from the last of the person's speech to the first sound of the reply. */
import { make } from "../dom.js";
import { text } from "../texts.js";

const STAGES = ["decided", "ears", "first_text", "first_audio"];

/** Null where nothing was measured. `gaps`: times that the sound came too late. */
export function latency(timingsMs, gaps) {
  // Hands-free, the ears may be done before it is decided that the turn is over.
  const reached = STAGES.filter((stage) => stage in timingsMs).sort((a, b) => timingsMs[a] - timingsMs[b]);
  if (!reached.length) return null;
  const endMs = timingsMs[reached.at(-1)];
  let beforeMs = 0;
  const parts = reached.map((stage) => {
    const part = make("span", { class: "stage", data: { stage } });
    part.style.flexGrow = Math.max(timingsMs[stage] - beforeMs, endMs / 100);
    beforeMs = timingsMs[stage];
    return part;
  });
  const legend = reached.map((stage) =>
    make(
      "li",
      {},
      make("span", { class: "dot", data: { stage }, ariaHidden: "true" }),
      `${text(`look.stages.${stage}`)} ${seconds(timingsMs[stage])}`,
    ),
  );
  return make(
    "div",
    { class: "latency" },
    make("p", { class: "small" }, text("look.timing")),
    make("div", { class: "stages", ariaHidden: "true" }, ...parts),
    make(
      "ul",
      {},
      ...legend,
      make("li", {}, text("look.total", { time: seconds(timingsMs.total) })),
      gaps ? make("li", {}, text("look.gaps", { gaps })) : null,
    ),
  );
}

function seconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
