/** The dialog "What is kept, and where": every thing with its size, each to be erased, or all of it. */
import { make } from "../dom.js";
import { forget, ours } from "../store.js";
import { text } from "../texts.js";
import { downloadCorrections, withSound } from "./pack.js";
import { everything } from "./items.js";

const PLACES = ["page", "browser", "memory", "corrections", "uploads", "cache"];
/** From the nearest to the farthest. */

export class Kept {
  #dialog;
  #parts;
  #list = make("div", { class: "things" });
  #message = make("div", { class: "message", hidden: true });
  #actions = make("div", { class: "actions" });
  #items = [];

  /** `parts`: server, conversation, settings, consent. */
  constructor(dialog, parts) {
    this.#dialog = dialog;
    this.#parts = parts;
  }

  async open() {
    this.#dialog.replaceChildren(
      make("h2", { id: "attune-kept-title", tabIndex: -1, autofocus: true }, text("kept.title")),
      this.#list,
      make("div", { class: "bottom" }, this.#message, this.#actions),
    );
    this.#list.replaceChildren(make("p", { class: "hint" }, text("kept.looking")));
    this.#hush();
    this.#close();
    this.#dialog.onclose = () => {};
    this.#dialog.showModal();
    await this.#guarded(() => this.#look());
  }

  /** Ask anew, and show what there is. */
  async #look() {
    const { consent } = this.#parts;
    await consent.refresh();
    this.#items = everything(consent.about, this.#parts);
    this.#list.replaceChildren(
      make("p", { class: "hint" }, text(consent.about.is_private ? "kept.intro" : "kept.introHosted")),
      ...PLACES.map((place) => this.#place(place)).filter(Boolean),
    );
    this.#offerAll();
  }

  #place(place) {
    const { consent } = this.#parts;
    const items = this.#items.filter((item) => item.place === place);
    if (!items.length && place !== "corrections") return null;
    const path = place === "corrections" ? consent.folder : consent.about.paths[place];
    const { is_private } = consent.about;
    return make(
      "section",
      { data: { place } },
      make("h3", {}, text(`kept.places.${place === "memory" && !is_private ? "memoryHosted" : place}`)),
      path && is_private ? make("p", { class: "path" }, path) : null,
      ...(place === "corrections" ? this.#decision() : []),
      items.length ? make("ul", {}, ...items.map((item) => this.#row(item))) : null,
      place === "cache" ? make("p", { class: "hint" }, text("kept.cacheHint")) : null,
    );
  }

  #row(item) {
    const erase = make("button", { type: "button", class: "quiet", aria: { label: text("kept.eraseThat", { name: item.name }) } }, text("kept.erase"));
    erase.onclick = () => this.#erase(item);
    return make("li", {}, make("span", { class: "what" }, item.name), make("span", { class: "size" }, readable(item.size)), erase);
  }

  /** What was decided about corrections, and the way to decide otherwise. */
  #decision() {
    const { consent, conversation } = this.#parts;
    if (!consent.about.is_private) {
      const exchanges = withSound(conversation.exchanges);
      const label = text("kept.download");
      const onclick = () => this.#guarded(() => downloadCorrections(this.#parts.server, consent, exchanges));
      return exchanges.length
        ? [make("p", {}, text("kept.hostedSome")), make("button", { type: "button", class: "quiet side", onclick }, label)]
        : [make("p", {}, text("kept.hostedNone"))];
    }
    const state = consent.isGiven ? "given" : consent.isRefused ? "refused" : "undecided";
    const said = make("p", {}, text(`kept.${state}`));
    if (state === "undecided") return [said];
    const again = () => this.#guarded(() => this.#reconsider());
    const change = state === "given" ? button("withdraw", () => this.#withdraw(change)) : button("again", again);
    return [said, change];
  }

  async #reconsider() {
    this.#parts.consent.reconsider();
    await this.#erased([], "kept.asked");
  }

  /** No more saving; what there is goes or stays. */
  #withdraw(pressed) {
    const { consent } = this.#parts;
    const there = this.#items.find(({ id }) => id === "corrections");
    const stop = async (isDeleted) => {
      consent.refuse();
      await this.#erased(isDeleted ? await there.erase() : [], isDeleted ? "kept.withdrawnDeleted" : "kept.withdrawn");
    };
    if (!there) return this.#guarded(() => stop(false));
    const choice = make(
      "div",
      { class: "choice-of", role: "group", aria: { label: text("kept.withdraw") } },
      button("stopDelete", () => this.#guarded(() => stop(true))),
      button("stopLeave", () => this.#guarded(() => stop(false))),
    );
    pressed.replaceWith(choice);
    return choice.firstChild.focus();
  }

  async #erase(item) {
    await this.#guarded(async () => this.#erased((await item.erase()) ?? [], "kept.erased"));
  }

  /** Something is gone, or decided: show what there is now, and leave the keyboard about where it was. */
  async #erased(problems, sentence) {
    const place = this.#buttons.indexOf(document.activeElement);
    await this.#look();
    this.#say(problems, text(sentence));
    (this.#buttons[Math.min(place, this.#buttons.length - 1)] ?? this.#title).focus();
  }

  get #buttons() {
    return [...this.#list.querySelectorAll("button")];
  }

  get #title() {
    return this.#dialog.querySelector("h2");
  }

  #offerAll() {
    const all = make("button", { type: "button", class: "link alarming", onclick: () => this.#confirmAll() }, text("kept.eraseAll"));
    this.#close(this.#items.length ? all : null);
  }

  #confirmAll() {
    const sure = make("p", { tabIndex: -1 }, text(this.#parts.consent.about.is_private ? "kept.sure" : "kept.sureHosted"));
    this.#actions.replaceChildren(
      sure,
      make("button", { type: "button", class: "quiet", onclick: () => this.#offerAll() }, text("kept.no")),
      make("button", { type: "button", class: "strong alarming", onclick: () => this.#guarded(() => this.#eraseAll()) }, text("kept.yes")),
    );
    sure.focus();
  }

  async #eraseAll() {
    const { server, conversation, settings, consent } = this.#parts;
    const ids = this.#items.filter(({ isOfServer }) => isOfServer).map(({ id }) => id);
    await conversation.forget();
    const problems = await server.erase(ids, consent.folder);
    consent.reset();
    settings.reset();
    for (const { place, key } of ours()) forget(place, key);
    this.#list.replaceChildren();
    this.#say(problems, text("kept.allErased"));
    this.#close();
    this.#title.focus();
    // The next is a new person, for the page as well.
    this.#dialog.onclose = () => location.reload();
  }

  #close(before = null) {
    const close = make("button", { type: "button", class: "strong", onclick: () => this.#dialog.close() }, text("close"));
    this.#actions.replaceChildren(...(before ? [before] : []), close);
  }

  async #guarded(work) {
    this.#hush();
    try {
      await work();
    } catch (error) {
      this.#say([text(error.message)], "");
    }
  }

  #hush() {
    this.#message.hidden = true;
  }

  #say(problems, sentence) {
    this.#message.classList.toggle("is-calm", problems.length === 0);
    this.#message.role = problems.length ? "alert" : "status";
    const lines = problems.length ? problems : [sentence];
    this.#message.replaceChildren(make("div", {}, ...lines.map((line) => make("p", {}, line))));
    this.#message.hidden = false;
  }
}

function button(key, onclick) {
  return make("button", { type: "button", class: "quiet side", onclick }, text(`kept.${key}`));
}

function readable(bytes) {
  const [unit, name] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]].find(([least]) => bytes >= least) ?? [1, "B"];
  const value = bytes / unit;
  return `${value < 10 && unit > 1 ? value.toFixed(1) : Math.round(value)} ${name}`;
}
