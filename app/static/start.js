/** The first start: what is being fetched, and what the program then stands on. */
import { make } from "./dom.js";
import { text } from "./texts.js";

/** Fill `place` from a status event. */
export function showStart(place, status) {
  place.hidden = status.phase === "ready";
  if (status.phase === "failed") {
    place.replaceChildren(make("h3", {}, text("startFailed")), make("p", {}, status.problem));
  } else if (status.downloads.length) {
    place.replaceChildren(make("h3", {}, text("startTitle")), make("p", {}, text("startFirst")), ...status.downloads.map(download));
  } else {
    place.replaceChildren(make("h3", {}, text("startTitle")), make("p", {}, text("startLoading")));
  }
}

/** What the engine is made of, and how to get each better part. */
export function standing({ reason, notices, parts }) {
  const made = ["ears", "mind", "voice"].map((part) => make("li", {}, make("b", {}, text(part)), parts[part] || text("none")));
  return [
    make("p", {}, reason),
    make("ul", { class: "parts" }, ...made),
    ...notices.map(({ part, message }) => make("p", { class: "notice" }, make("b", {}, part), message)),
  ];
}

/** The same, closed, for the empty page. */
export function showStanding(place, engine) {
  place.hidden = !engine;
  if (!engine) return;
  const title = text(engine.notices.length ? "runningLess" : "runningOn");
  place.replaceChildren(make("summary", {}, title), ...standing(engine));
}

function download({ name, done_bytes, total_bytes, source }) {
  const mb = (bytes) => Math.round(bytes / 1e6);
  const label = text("startDownload", { name, done: mb(done_bytes), total: mb(total_bytes), source });
  return make("label", { class: "download" }, make("span", {}, label), make("progress", { value: done_bytes, max: total_bytes }));
}
