/** The dialog in which a person agrees that corrections are kept, and says where. */
import { make } from "../dom.js";
import { text } from "../texts.js";

const STORED = ["storedSound", "storedWords", "storedLabels", "storedName"];

export class Asking {
  #dialog;
  #consent;

  constructor(dialog, consent) {
    this.#dialog = dialog;
    this.#consent = consent;
  }

  /** About that corrected turn, and those to come. Closing it without an answer decides nothing. */
  open(exchange) {
    const { about, folder, speaker } = this.#consent;
    const where = field("folder", folder ?? about.suggestion, { required: true, autocomplete: "off", spellcheck: false });
    const who = field("speaker", speaker || text("kept.me"), { maxLength: 60, autocomplete: "off" });
    const message = make("div", { class: "message", role: "alert", hidden: true });
    const form = make(
      "form",
      {},
      make("p", { class: "hint" }, text("kept.asking")),
      make("ul", { class: "stored" }, ...STORED.map((key) => make("li", {}, text(`kept.${key}`)))),
      where.element,
      make("p", { class: "hint beneath" }, text("kept.folderHint")),
      who.element,
      message,
      make(
        "div",
        { class: "actions" },
        make("button", { type: "button", class: "quiet", onclick: () => this.#refuse() }, text("kept.doNotKeep")),
        make("button", { class: "strong" }, text("kept.keepThem")),
      ),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      message.hidden = true;
      try {
        await this.#consent.give(where.input.value, who.input.value.trim(), exchange);
        this.#dialog.close();
      } catch (error) {
        message.replaceChildren(make("p", {}, text(error.message)));
        message.hidden = false;
      }
    };
    this.#dialog.replaceChildren(make("h2", { id: "attune-consent-title", tabIndex: -1, autofocus: true }, text("kept.askTitle")), form);
    // The button that opened it is gone once there is an answer.
    this.#dialog.onclose = () => exchange.user.querySelector('.choice[aria-pressed="true"]')?.focus();
    this.#dialog.showModal();
  }

  #refuse() {
    this.#consent.refuse();
    this.#dialog.close();
  }
}

function field(name, value, properties) {
  const input = make("input", { id: `attune-kept-${name}`, value, ...properties });
  const element = make("div", { class: "field" }, make("label", { htmlFor: input.id }, text(`kept.${name}`)), input);
  return { input, element };
}
