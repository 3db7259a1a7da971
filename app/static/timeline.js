/** The conversation's feeling, turn by turn: a curve from heavy to light, with the tone meant beneath. */
import { drawing, make } from "./dom.js";
import { dots, named, told } from "./feeling.js";
import { text } from "./texts.js";

const LIGHTNESS = { happy: 1, surprised: 0.4, neutral: 0, fearful: -0.7, disgust: -0.7, sad: -0.8, angry: -0.8 };
/** Valence of each feeling: how light (1) or heavy (-1) it is, after Russell's circumplex. */

const WIDTH = 112;
const HEIGHT = 44;

export class Timeline {
  #section;
  #list;
  #count = 0;

  constructor(section) {
    this.#section = section;
    this.#list = section.querySelector("ol");
  }

  /** The exchanges as they are now; silence has no feeling. */
  show(exchanges) {
    const turns = exchanges.filter(({ hearing }) => !hearing.is_silence);
    this.#section.hidden = turns.length === 0;
    this.#list.replaceChildren(scale(), ...turns.map(item), curve(turns));
    if (turns.length > this.#count) this.#section.scrollLeft = this.#section.scrollWidth;
    this.#count = turns.length;
  }
}

function item({ hearing, tone }) {
  return make(
    "li",
    {},
    make("span", { class: "felt" }, ...dots(hearing.felt), told(hearing)),
    make("span", { class: "tone" }, tone ? text("saidTone", { tone: text(`tones.${tone}`) }) : ""),
  );
}

function curve(turns) {
  const points = turns.map(({ hearing }, place) => ({ x: (place + 0.5) * WIDTH, y: height(hearing.felt), felt: hearing.felt }));
  const path = points
    .map(({ x, y }, i) => (i === 0 ? `M${x} ${y}` : `C${x - WIDTH / 2} ${points[i - 1].y} ${x - WIDTH / 2} ${y} ${x} ${y}`))
    .join("");
  const marks = points.map(({ x, y, felt }) =>
    drawing("circle", { cx: x, cy: y, r: 6, "data-feeling": named(felt)[0]?.label ?? "unsure" }),
  );
  const width = turns.length * WIDTH;
  const picture = drawing(
    "svg",
    { class: "curve", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" },
    drawing("path", { d: `M0 ${HEIGHT / 2}H${width}`, class: "middle" }),
    drawing("path", { d: path, class: "felt-line" }),
    ...marks,
  );
  return make("li", { class: "curve-item", ariaHidden: "true" }, picture);
}

function scale() {
  return make("li", { class: "scale", ariaHidden: "true" }, make("span", {}, text("lighter")), make("span", {}, text("heavier")));
}

function height({ scores }) {
  const lightness = Object.entries(scores).reduce((sum, [label, score]) => sum + score * LIGHTNESS[label], 0);
  return HEIGHT / 2 - lightness * (HEIGHT / 2 - 9);
}
