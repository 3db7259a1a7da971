/** The screen before the first word: every check with its state, and the remedy for what is not in order. */
import { icon, make } from "../dom.js";
import { text } from "../texts.js";
import { Blocked } from "./line.js";
import { HEARD_DB } from "./microphone.js";
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

const WRONG = ["failed", "poor"];
const QUIETEST_DB = -60;

export class Preflight {
  #dialog;
  /** What each check has found; `detail` is a key of the fixed texts, or what is to be shown as it is. */
  #found = {};
  #rows = make("ul", { class: "checks" });
  #level = make("meter", { min: QUIETEST_DB, max: 0, aria: { label: text("checks.level") } });
  #remedy = make("p", { class: "remedy", role: "alert" });
  #told = "";
  #go = make("button", { type: "button", class: "strong" });

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
  explain(obstacle, talk) {
    this.#fail(obstacle);
    this.#open(talk);
  }

  /** Check everything while the person looks on, and show the microphone's level until they have seen enough. */
  async show(settings, begin, talk) {
    this.#found = {};
    this.#open(talk);
    const note = (check, state, detail) => {
      this.#found[check] = { state, detail };
      this.#draw();
    };
    try {
      const parts = await prepare(settings, begin, note);
      if (this.#dialog.open) this.#dialog.addEventListener("close", () => close(parts), { once: true });
      else close(parts);
      this.#watch(parts.microphone, note);
    } catch (error) {
      this.#fail(error instanceof Blocked ? "liveBlocked" : error.message);
      this.#draw();
    }
  }

  /** Whether the microphone hears somebody, only time can tell. */
  #watch(microphone, note) {
    if (this.#found.level.state === "ok") note("level", "waiting", text("levelTry"));
    this.#level.value = QUIETEST_DB;
    let isHeard = false;
    microphone.onframe = (_, level) => {
      this.#level.value = level;
      if (isHeard || level < HEARD_DB) return;
      isHeard = true;
      note("level", "ok");
    };
    microphone.ondead = () => note("level", "poor", "levelDead");
    microphone.onfaint = () => note("level", "poor", "levelFaint");
  }

  /** `obstacle` is a key of the fixed texts, or a sentence of the server's. */
  #fail(obstacle) {
    this.#found[FAILS[obstacle] ?? "network"] = { state: "failed", detail: obstacle };
  }

  #open(talk) {
    this.#draw();
    this.#go.onclick = () => this.#dialog.close() || talk();
    this.#dialog.replaceChildren(
      make("h2", { id: "attune-preflight-title" }, text("checkTitle")),
      this.#rows,
      this.#remedy,
      make(
        "div",
        { class: "actions" },
        make("button", { type: "button", class: "quiet", onclick: () => this.#dialog.close() }, text("close")),
        this.#go,
      ),
    );
    this.#dialog.showModal();
    this.#go.focus();
  }

  #draw() {
    const rows = CHECKS.map((check) => row(check, this.#found[check]));
    if (this.#found.network?.state === "ok") rows[CHECKS.indexOf("level")].lastChild.prepend(this.#level);
    this.#rows.replaceChildren(...rows);
    const wrong = Object.values(this.#found).filter(({ state }) => WRONG.includes(state));
    this.#go.textContent = text(wrong.some(({ state }) => state === "failed") ? "tryAgain" : "talkNow");
    const remedy = wrong.map(({ detail }) => text(detail)).join(" ");
    // An alert is read out whenever it is written.
    if (remedy === this.#told) return;
    this.#told = remedy;
    this.#remedy.replaceChildren(remedy);
    if (this.#found.secure?.detail === "micFramed") this.#remedy.append(" ", ownTab());
  }
}

function row(check, { state, detail } = { state: "waiting" }) {
  const note = WRONG.includes(state) || !detail ? text(`found.${state}`) : detail;
  const isUnseen = state === "waiting" && !detail;
  const told = make("span", {}, make("span", { class: isUnseen ? "hidden-text" : "" }, note));
  return make("li", { data: { found: state } }, icon(state), make("b", {}, text(`checks.${check}`)), told);
}

/** The way out of a page around this one that keeps the microphone to itself. */
export function ownTab() {
  return make("a", { href: location.href, target: "_blank", rel: "noopener" }, text("openOwnTab"));
}
