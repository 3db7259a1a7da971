/** The outline of a spoken turn: how loud it was, and over that how high. */
import { drawing, icon, make } from "../dom.js";
import { text } from "../texts.js";

const HEIGHT = 60;
/** Units of the drawing, which is stretched to the room there is; a column is one unit wide. */

const LEAST_OCTAVES = 1;
/** A voice that hardly moves is drawn as one. */

const MOST_LEAP_OCTAVES = 0.4;
/** No voice gets further from one column to the next: it began anew there, or its pitch was misheard. */

const FAINTEST = 0.03;
/** So much of every column is drawn, so that a pause is seen as one. */

/** `play` lets the turn be heard again, where the page still has its sound. */
export function waveform({ sound: { envelope, pitch_hz, usual }, duration_s }, play) {
  const usualHz = usual?.pitch_hz;
  const voiced = pitch_hz.filter(Boolean);
  const height = heights(usualHz ? [...voiced, usualHz] : voiced);
  const picture = drawing(
    "svg",
    {
      class: "waveform",
      viewBox: `0 0 ${envelope.length} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": described(duration_s, voiced),
    },
    drawing("path", { class: "loudness", d: envelope.map(column).join("") }),
    ...(usualHz ? [drawing("path", { class: "usual", d: `M0 ${height(usualHz)}H${envelope.length}` })] : []),
    drawing("path", { class: "melody", d: melody(pitch_hz, height) }),
  );
  const legend = [["loudness", text("look.loudness")], voiced.length && ["melody", text("look.melody")], usualHz && ["usual", text("look.usual")]]
    .filter(Boolean)
    .map(([name, meaning]) => make("li", {}, make("span", { class: `swatch ${name}`, ariaHidden: "true" }), meaning));
  return make(
    "div",
    { class: "outline" },
    play && make("button", { type: "button", class: "tool", title: text("replayOwn"), data: { do: "play-own" }, aria: { label: text("replayOwn") }, onclick: play }, icon("play")),
    picture,
    make("ul", { class: "legend", ariaHidden: "true" }, ...legend),
  );
}

function column(peak, place) {
  const half = (Math.max(peak, FAINTEST) * HEIGHT) / 2;
  return `M${place + 0.5} ${HEIGHT / 2 - half}V${HEIGHT / 2 + half}`;
}

/** Hz → how far down, as ears hear it: in octaves, with some air above and beneath. */
function heights(valuesHz) {
  const octaves = valuesHz.map(Math.log2);
  const [lowest, highest] = [Math.min(...octaves), Math.max(...octaves)];
  const middle = (lowest + highest) / 2;
  const span = 1.2 * Math.max(highest - lowest, LEAST_OCTAVES);
  return (hz) => ((middle - Math.log2(hz)) / span + 0.5) * HEIGHT;
}

/** A line with gaps where the voice has no pitch. */
function melody(pitchHz, height) {
  const step = (hz, place) => {
    if (!hz) return "";
    const point = `${place + 0.5} ${height(hz).toFixed(1)}`;
    const before = pitchHz[place - 1];
    const goesOn = before && Math.abs(Math.log2(hz / before)) < MOST_LEAP_OCTAVES;
    // A lone column is a dot, which a line of no length with round ends is.
    return goesOn ? `L${point}` : `M${point}h0`;
  };
  return pitchHz.map(step).join("");
}

function described(durationS, voicedHz) {
  const length = text("look.lasted", { seconds: durationS.toFixed(1) });
  if (!voicedHz.length) return length;
  const [low, high] = [Math.min(...voicedHz), Math.max(...voicedHz)].map(Math.round);
  return `${length} ${text("look.pitchBetween", { low, high })}`;
}
