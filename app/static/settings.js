/** What the person prefers, kept in this browser only, and the dialog to change it. */
import { make } from "./dom.js";
import { standing } from "./start.js";
import { keep, recall } from "./store.js";
import { languages, text } from "./texts.js";

const KEY = "attune.settings";
const DEFAULTS = {
  language: "en",
  aloud: true,
  voice: "",
  speed: 1,
  mode: "free",
  hears_while_speaking: true,
  end: "",
  patience: "normal",
  input: "",
  output: "",
  profile: "",
  llm_url: "",
  llm_model: "",
};
const MODES = ["free", "push", "record"];
/** Times the usual silence. */
const PATIENCE = { quick: 0.7, normal: 1, relaxed: 1.8 };
const SWITCHES = ["aloud", "hears_while_speaking"];
const PROFILES = ["", "mini", "standard", "blsp-emo-7b"];
const ENGINE_KEYS = ["profile", "llm_url", "llm_model"];

export class Settings {
  #dialog;
  #status = null;

  constructor(dialog) {
    this.#dialog = dialog;
    this.values = { ...DEFAULTS, ...recall("local", KEY) };
    this.onchange = () => {};
    this.onchoose = () => {};
    this.oncheck = () => {};
    this.onkept = () => {};
  }

  /** The newest status of the program. */
  show(status) {
    this.#status = status;
  }

  /** Profile and mind as chosen in this browser; empty strings leave it to how the program was started. */
  get choice() {
    return Object.fromEntries(ENGINE_KEYS.map((key) => [key, this.values[key]]));
  }

  /** How many times the usual silence ends a turn. */
  get patience() {
    return PATIENCE[this.values.patience] ?? 1;
  }

  /** Whether another engine was chosen here than the one that was started. */
  get wantsOther() {
    const { choice } = this;
    const isChosen = ENGINE_KEYS.some((key) => choice[key]);
    return Boolean(this.#status?.may_choose) && isChosen && ENGINE_KEYS.some((key) => choice[key] !== this.#status.choice[key]);
  }

  /** As for a new person. */
  reset() {
    this.values = { ...DEFAULTS };
    this.onchange();
  }

  open() {
    const form = make("form", { method: "dialog" }, ...this.#fields());
    form.onsubmit = () => this.#save(new FormData(form));
    this.#dialog.replaceChildren(make("h2", { id: "attune-settings-title", tabIndex: -1, autofocus: true }, text("settings")), form);
    this.#dialog.showModal();
  }

  #fields() {
    const { values } = this;
    const voices = ["", ...(this.#status?.engine?.voices ?? [])];
    const ends = this.#status?.engine?.ends ?? [];
    const mayChoose = Boolean(this.#status?.may_choose);
    const hint = mayChoose ? "mindHint" : "notYours";
    return [
      make("p", { class: "hint" }, text("settingsKept"), " ", make("button", { type: "button", class: "link", onclick: () => this.#showKept() }, text("kept.title"))),
      field("language", select("language", Object.entries(languages).map(([code, { language }]) => [code, language]), values)),
      field("aloud", toggle("aloud", values)),
      field("voice", select("voice", voices.map((name) => [name, name || text("own")]), values)),
      field("speed", make("input", { type: "range", name: "speed", min: 0.7, max: 1.5, step: 0.1, value: values.speed })),
      make("h3", {}, text("talking")),
      field("mode", select("mode", MODES.map((name) => [name, text(`modes.${name}`)]), values)),
      field("hears_while_speaking", toggle("hears_while_speaking", values)),
      ...ending(ends, values),
      field("patience", select("patience", Object.keys(PATIENCE).map((name) => [name, text(`patiences.${name}`)]), values)),
      ...["input", "output"].filter(canChoose).map((kind) => field(kind, devices(kind, values))),
      make("p", { class: "hint" }, make("button", { type: "button", class: "link", onclick: () => this.#check() }, text("checkNow"))),
      make("h3", {}, text("engine")),
      make("div", { class: "hint" }, ...(this.#status?.engine ? standing(this.#status.engine) : [])),
      field("profile", select("profile", PROFILES.map((name) => [name, name || text("asStarted")]), values, !mayChoose)),
      field("llm_model", make("input", { name: "llm_model", value: values.llm_model, placeholder: "Qwen/Qwen2.5-1.5B-Instruct", disabled: !mayChoose })),
      field("llm_url", make("input", { name: "llm_url", type: "url", value: values.llm_url, placeholder: "http://localhost:11434/v1", disabled: !mayChoose })),
      make("p", { class: "hint" }, text(hint)),
      make("p", { class: "hint" }, make("button", { type: "button", class: "link", onclick: () => this.#showApi() }, text("api"))),
      make(
        "div",
        { class: "actions" },
        make("button", { type: "button", class: "quiet", onclick: () => this.#dialog.close() }, text("cancel")),
        make("button", { class: "strong" }, text("save")),
      ),
    ];
  }

  #check() {
    this.#dialog.close();
    this.oncheck();
  }

  #showKept() {
    this.#dialog.close();
    this.onkept();
  }

  /** Gradio's own page about the named endpoints; its button is in the footer that we do not show. */
  #showApi() {
    this.#dialog.close();
    document.querySelector("footer .show-api").click();
  }

  #save(form) {
    const before = JSON.stringify(this.choice);
    const given = Object.fromEntries(form);
    // The default stays one that the program may change.
    if (given.end === this.#status?.engine?.ends[0]) given.end = "";
    const switches = Object.fromEntries(SWITCHES.map((name) => [name, form.has(name)]));
    this.values = { ...this.values, ...given, ...switches, speed: Number(given.speed) };
    keep("local", KEY, this.values);
    this.onchange();
    if (JSON.stringify(this.choice) !== before) this.onchoose();
  }
}

function field(name, control) {
  control.id = `attune-${name}`;
  return make("div", { class: "field" }, make("label", { htmlFor: control.id }, text(`fields.${name}`)), control);
}

/** What ends a turn, and in one line what that goes by. */
function ending(ends, values) {
  const chooser = select("end", ends.map((name) => [name, text(`ends.${name}`)]), values);
  const hint = make("p", { class: "hint beneath" });
  const explain = () => (hint.textContent = chooser.value && text(`endHints.${chooser.value}`));
  chooser.onchange = explain;
  explain();
  return [field("end", chooser), hint];
}

function toggle(name, values) {
  return make("input", { type: "checkbox", name, checked: values[name] });
}

/** Not every browser lets a page choose where it sounds. */
function canChoose(kind) {
  return Boolean(navigator.mediaDevices) && (kind === "input" || "setSinkId" in AudioContext.prototype);
}

/** Browsers name the devices once the microphone has been allowed. */
function devices(kind, values) {
  const chooser = select(kind, [["", text("deviceDefault")]], values);
  navigator.mediaDevices.enumerateDevices().then((found) => {
    const named = found.filter((device) => device.kind === `audio${kind}` && device.label && device.deviceId !== "default");
    chooser.append(...named.map(({ deviceId, label }) => make("option", { value: deviceId, selected: deviceId === values[kind] }, label)));
  });
  return chooser;
}

function select(name, options, values, disabled = false) {
  return make(
    "select",
    { name, disabled },
    ...options.map(([value, label]) => make("option", { value, selected: value === values[name] }, label)),
  );
}
