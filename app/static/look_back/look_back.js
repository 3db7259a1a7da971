/** The dialog to look back on a conversation, to keep it as a file, and to open one that was kept. */
import { make } from "../dom.js";
import { download } from "../download.js";
import { Message, button } from "../message.js";
import { text } from "../texts.js";
import { LARGEST_DOCUMENT, LARGEST_FILE, pack, unpack } from "./saved.js";

export class LookBack {
  /** Asked for what is kept, and where. */
  onkept = () => {};
  #dialog;
  #server;
  #conversation;
  #message = new Message();
  #withSound;

  constructor(dialog, server, conversation) {
    this.#dialog = dialog;
    this.#server = server;
    this.#conversation = conversation;
  }

  async open() {
    this.#message.hush();
    this.#withSound = make("input", { type: "checkbox", id: "attune-with-sound" });
    this.#dialog.replaceChildren(
      make("h2", { id: "attune-look-back-title", tabIndex: -1, autofocus: true }, text("lookBack.do")),
      this.#view(),
      this.#message.element,
      ...this.#saving(),
      this.#ending(),
    );
    this.#dialog.showModal();
    if (this.#isWorthIt) await this.#message.guarded(() => this.#show());
  }

  get #isWorthIt() {
    return this.#conversation.exchanges.some(({ hearing }) => !hearing.is_silence);
  }

  get #sounds() {
    return this.#conversation.exchanges.map(({ own }, place) => [place, own]).filter(([, own]) => own);
  }

  #view() {
    if (!this.#isWorthIt) return make("p", { class: "nothing" }, text("lookBack.nothing"));
    const frame = make("iframe", { title: text("lookBack.page") });
    // Nothing in it may run, ask or lead anywhere.
    frame.setAttribute("sandbox", "");
    return frame;
  }

  async #show() {
    const theme = document.body.classList.contains("dark") ? "dark" : "light";
    this.#dialog.querySelector("iframe").srcdoc = await this.#server.reflection(theme, today());
  }

  #saving() {
    if (!this.#conversation.exchanges.length) return [];
    const sounds = make("label", { class: "with-sound" }, this.#withSound, text("lookBack.withSound"));
    sounds.hidden = this.#sounds.length === 0;
    return [
      make(
        "div",
        { class: "saving" },
        ...(this.#isWorthIt ? [button("lookBack.savePage", () => this.#message.guarded(() => this.#savePage()))] : []),
        button("lookBack.save", () => this.#message.guarded(() => this.#save())),
        sounds,
      ),
    ];
  }

  #ending() {
    const chooser = make("input", { type: "file", accept: ".json,application/json", hidden: true });
    chooser.onchange = async () => {
      const [file] = chooser.files;
      if (file) await this.#message.guarded(() => this.#take(file));
      chooser.value = "";
    };
    return make(
      "div",
      { class: "actions" },
      button("lookBack.open", () => chooser.click(), "link"),
      chooser,
      button("lookBack.kept", () => this.#showKept(), "link"),
      button("close", () => this.#dialog.close(), "strong"),
    );
  }

  #showKept() {
    this.#dialog.close();
    this.onkept();
  }

  async #savePage() {
    const page = await this.#server.reflection("auto", today());
    download(`attune-look-back-${today()}.html`, new Blob([page], { type: "text/html" }));
  }

  async #save() {
    const sounds = this.#withSound.checked ? this.#sounds : [];
    const { file, left } = await pack(await this.#server.exported(), sounds);
    download(`attune-conversation-${today()}.json`, file);
    if (left) this.#message.say(text("lookBack.soundsLeft", { left }));
  }

  async #take(file) {
    if (file.size > LARGEST_FILE) return this.#message.say(text("lookBack.tooLarge", { limit: LARGEST_FILE / 2 ** 20 }));
    const { saved, sounds, isOurs } = await unpack(file);
    if (saved.size > LARGEST_DOCUMENT) return this.#message.say(text("lookBack.tooMuch", { limit: LARGEST_DOCUMENT / 2 ** 20 }));
    const bringBack = async () => {
      // The server says what else it is, before a running talk ends for it.
      if (!isOurs) await this.#server.bringBack(saved);
      await this.#conversation.bringBack(saved, sounds);
      this.#dialog.close();
    };
    if (!this.#conversation.exchanges.length) return bringBack();
    return this.#message.note(
      text("lookBack.instead"),
      button("lookBack.openIt", () => this.#message.guarded(bringBack)),
      button("lookBack.leaveIt", () => this.#message.hush()),
    );
  }
}

/** Where the person is. */
function today() {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
