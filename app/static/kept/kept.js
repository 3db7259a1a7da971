/** The dialog "What is kept, and where": every thing with its size, each to be erased, or all of it. */
import { make } from "../dom.js";
import { Message, button } from "../message.js";
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
  #message = new Message();
  #actions = make("div", { class: "actions" });
  #items = [];
  /** What the server says; null where it does not. */
  #about = null;

  /** `parts`: server, conversation, settings, consent. */
  constructor(dialog, parts) {
    this.#dialog = dialog;
    this.#parts = parts;
  }

  async open() {
    this.#dialog.replaceChildren(
      make("h2", { id: "attune-kept-title", tabIndex: -1, autofocus: true }, text("kept.title")),
      this.#list,
      make("div", { class: "bottom" }, this.#message.element, this.#actions),
    );
    this.#list.replaceChildren(make("p", { class: "hint" }, text("kept.looking")));
    this.#close();
    this.#dialog.onclose = () => {};
    this.#dialog.showModal();
    await this.#look();
  }

  /** Ask anew, and show what there is: of this page and this browser in any case. */
  async #look() {
    const { server, consent } = this.#parts;
    let about = null;
    await this.#message.guarded(async () => {
      await consent.refresh();
      about = await server.kept(consent.folder);
    });
    this.#about = about;
    this.#items = everything(this.#about, this.#parts);
    this.#list.replaceChildren(
      make("p", { class: "hint" }, text(this.#intro)),
      ...PLACES.map((place) => this.#place(place)).filter(Boolean),
    );
    this.#offerAll();
  }

  get #intro() {
    if (!this.#about) return "kept.introAlone";
    return this.#about.is_private ? "kept.intro" : "kept.introHosted";
  }

  #place(place) {
    const { consent } = this.#parts;
    const items = this.#items.filter((item) => item.place === place);
    if (!items.length && (place !== "corrections" || !this.#about)) return null;
    const { is_private, paths } = this.#about ?? {};
    const path = place === "corrections" ? consent.folder : paths?.[place];
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
    if (!this.#about.is_private) {
      const exchanges = withSound(conversation.exchanges);
      const take = () => this.#message.guarded(() => downloadCorrections(this.#parts.server, consent, exchanges));
      return exchanges.length ? [told("hostedSome"), button("kept.download", take)] : [told("hostedNone")];
    }
    if (consent.isGiven) {
      const withdraw = button("kept.withdraw", () => this.#withdraw(withdraw));
      return [told("given"), withdraw];
    }
    if (!consent.isRefused) return [told("undecided")];
    const again = button("kept.again", () => this.#message.guarded(() => this.#reconsider()));
    return [told("refused"), ...(this.#kept ? [told("stay")] : []), again];
  }

  /** The item of those that were kept, where there are some. */
  get #kept() {
    return this.#items.find(({ id }) => id === "corrections");
  }

  async #reconsider() {
    this.#parts.consent.reconsider();
    await this.#erased([], "kept.asked");
  }

  /** No more saving; what there is goes or stays. */
  #withdraw(pressed) {
    const there = this.#kept;
    const stop = async (isDeleted) => {
      await this.#parts.consent.refuse();
      await this.#erased(isDeleted ? await there.erase() : [], isDeleted ? "kept.withdrawnDeleted" : "kept.withdrawn");
    };
    const does = (isDeleted) => () => this.#message.guarded(() => stop(isDeleted));
    if (!there) return does(false)();
    const choice = make(
      "div",
      { class: "choice-of", role: "group", aria: { label: text("kept.withdraw") } },
      button("kept.stopDelete", does(true)),
      button("kept.stopLeave", does(false)),
    );
    pressed.replaceWith(choice);
    return choice.firstChild.focus();
  }

  async #erase(item) {
    await this.#message.guarded(async () => this.#erased((await item.erase()) ?? [], "kept.erased"));
  }

  /** Something is gone, or decided: show what there is now, and leave the keyboard about where it was. */
  async #erased(problems, sentence) {
    const place = this.#buttons.indexOf(document.activeElement);
    await this.#look();
    this.#tell(problems, sentence);
    (this.#buttons[Math.min(place, this.#buttons.length - 1)] ?? this.#title).focus();
  }

  get #buttons() {
    return [...this.#list.querySelectorAll("button")];
  }

  get #title() {
    return this.#dialog.querySelector("h2");
  }

  #offerAll() {
    // Without the server it would not be everything.
    const isAll = this.#about && this.#items.length;
    this.#close(isAll ? button("kept.eraseAll", () => this.#confirmAll(), "link alarming") : null);
  }

  #confirmAll() {
    const sure = make("p", { tabIndex: -1 }, text(this.#about.is_private ? "kept.sure" : "kept.sureHosted"));
    this.#actions.replaceChildren(
      sure,
      button("kept.no", () => this.#offerAll(), "quiet"),
      button("kept.yes", () => this.#message.guarded(() => this.#eraseAll()), "strong alarming"),
    );
    sure.focus();
  }

  async #eraseAll() {
    const { conversation, settings, consent } = this.#parts;
    const ids = this.#items.filter(({ isOfServer }) => isOfServer).map(({ id }) => id);
    await conversation.forget();
    // Else what is still to be saved would come after it.
    await consent.refuse();
    const problems = await consent.erase(ids);
    consent.reset();
    settings.reset();
    for (const { place, key } of ours()) forget(place, key);
    this.#list.replaceChildren();
    this.#tell(problems, "kept.allErased");
    this.#close();
    this.#title.focus();
    // The next is a new person, for the page as well.
    this.#dialog.onclose = () => location.reload();
  }

  #close(before = null) {
    this.#actions.replaceChildren(...(before ? [before] : []), button("close", () => this.#dialog.close(), "strong"));
  }

  #tell(problems, sentence) {
    if (problems.length) this.#message.say(...problems);
    else this.#message.note(text(sentence));
  }
}

function told(key) {
  return make("p", {}, text(`kept.${key}`));
}

function readable(bytes) {
  const [unit, name] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]].find(([least]) => bytes >= least) ?? [1, "B"];
  const value = bytes / unit;
  return `${value < 10 && unit > 1 ? value.toFixed(1) : Math.round(value)} ${name}`;
}
