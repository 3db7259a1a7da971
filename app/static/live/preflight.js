/** The screen before the first word: every check with its state, and the remedy for what is not in order. */
import { icon, make } from "../dom.js";
import { text } from "../texts.js";
import { Blocked } from "./line.js";
import { CHECKS, close, prepare } from "./prepare.js";

const FAILS = {
  micInsecure: "secure",
  micFramed: "secure",
  micDenied: "microphone",
  micMissing: "microphone",
  micBusy: "microphone",
  outputBlocked: "output",
  liveBlocked: "network",
};
/** Which check each obstacle belongs to. */

const HEARD_DB = -45;

export class Preflight {
  #dialog;
  #found = {};
  #rows = make("ul", { class: "checks" });
  #remedy = make("p", { class: "remedy", role: "alert" });

  constructor(dialog) {
    this.#dialog = dialog;
  }

  /** Open what a talk needs, without a screen; `hint(key)` is called for what only makes it worse. Throws as `prepare`. */
  async pass(settings, begin, hint) {
    this.#found = {};
    return prepare(settings, begin, (check, state, detail) => {
      this.#found[check] = { state, detail };
      if (state === "poor") hint(detail);
    });
  }

  /** Show what stands in the way of what was tried last. */
  explain(obstacle, again) {
    this.#failed(obstacle);
    this.#open(make("button", { type: "button", class: "strong", onclick: () => this.#dialog.close() || again() }, text("tryAgain")));
  }

  /** Check everything while the person looks on, and show the microphone's level until they have seen enough. */
  async show(settings, begin) {
    this.#found = {};
    this.#remedy.textContent = "";
    const note = (check, state, detail) => {
      this.#found[check] = { state, detail };
      if (state === "poor") this.#remedy.textContent = text(detail);
      this.#draw();
    };
    const level = make("meter", { min: -60, max: 0, value: -60, aria: { label: text("checks.level") } });
    this.#open(level);
    try {
      const parts = await prepare(settings, begin, note);
      note("level", "waiting", text("levelTry"));
      parts.microphone.onframe = (_, value) => {
        level.value = value;
        if (value > HEARD_DB && this.#found.level.state === "waiting") note("level", "ok");
      };
      parts.microphone.ondead = () => note("level", "poor", "levelDead");
      if (this.#dialog.open) this.#dialog.addEventListener("close", () => close(parts), { once: true });
      else close(parts);
    } catch (error) {
      this.#failed(error instanceof Blocked ? "liveBlocked" : error.message);
      this.#draw();
    }
  }

  #failed(obstacle) {
    this.#remedy.replaceChildren(text(obstacle));
    if (obstacle === "micFramed") this.#remedy.append(" ", make("a", { href: location.href, target: "_blank", rel: "noopener" }, text("openOwnTab")));
    // Else it is a sentence of the server's.
    this.#found[FAILS[obstacle] ?? "network"] = { state: "failed" };
  }

  #open(control) {
    this.#draw();
    this.#dialog.replaceChildren(
      make("h2", { id: "attune-preflight-title" }, text("checkTitle")),
      this.#rows,
      this.#remedy,
      make("div", { class: "actions" }, control, make("button", { type: "button", class: "quiet", onclick: () => this.#dialog.close() }, text("close"))),
    );
    this.#dialog.showModal();
  }

  #draw() {
    this.#rows.replaceChildren(...CHECKS.map((check) => row(check, this.#found[check])));
  }
}

function row(check, { state, detail } = { state: "waiting" }) {
  const note = state !== "poor" && detail ? detail : text(`found.${state}`);
  return make("li", { data: { found: state } }, icon(state), make("b", {}, text(`checks.${check}`)), make("span", {}, note));
}
