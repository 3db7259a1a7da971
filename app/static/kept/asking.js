/** The dialog in which a person agrees that corrections are kept, and says where. */
import { make } from "../dom.js";
import { Message, button } from "../message.js";
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
    const message = new Message();
    const answers = [button("kept.doNotKeep", () => this.#refuse(), "quiet"), make("button", { class: "strong" }, text("kept.keepThem"))];
    // Closed while it is being saved, the dialog has no answer.
    const closing = new AbortController();
    const form = make(
      "form",
      {},
      make("p", { class: "hint" }, text("kept.asking")),
      make("ul", { class: "stored" }, ...STORED.map((key) => make("li", {}, text(`kept.${key}`)))),
      where.element,
      make("p", { class: "hint beneath" }, text("kept.folderHint")),
      who.element,
      message.element,
      make("div", { class: "actions" }, ...answers),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      const enable = (isOn) => answers.forEach((each) => (each.disabled = !isOn));
      enable(false);
      await message.guarded(async () => {
        await this.#consent.give(where.input.value, who.input.value.trim(), exchange, closing.signal);
        if (!closing.signal.aborted) this.#dialog.close();
      });
      enable(true);
      where.input.focus();
    };
    this.#dialog.replaceChildren(make("h2", { id: "attune-consent-title", tabIndex: -1, autofocus: true }, text("kept.askTitle")), form);
    this.#dialog.onclose = () => {
      closing.abort();
      // The button that opened it is gone once there is an answer.
      exchange.user.querySelector('.choice[aria-pressed="true"]')?.focus();
    };
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
