/** What a corrected turn ends with: the invitation to keep the correction, or where it is kept. */
import { make } from "../dom.js";
import { button } from "../message.js";
import { text } from "../texts.js";
import { Asking } from "./asking.js";
import { downloadCorrections, withSound } from "./pack.js";

export class Offer {
  /** The person wants to see what is kept. */
  onkept = () => {};
  #consent;
  #server;
  #conversation;
  #asking;
  /** The newest element of each exchange. */
  #shown = new Map();

  constructor(dialog, consent, server, conversation) {
    this.#consent = consent;
    this.#server = server;
    this.#conversation = conversation;
    this.#asking = new Asking(dialog, consent);
  }

  /** The element for that exchange, which changes with the decision. */
  of(exchange) {
    const element = make("div", { class: "keep", ariaLive: "polite" });
    this.#shown.set(exchange, element);
    this.#draw(exchange, element);
    this.#guarded(exchange, element, () => this.#consent.refresh());
    return element;
  }

  /** Something has changed. */
  show() {
    for (const [exchange, element] of this.#shown) {
      if (element.isConnected) this.#draw(exchange, element);
      else this.#shown.delete(exchange);
    }
  }

  #draw(exchange, element) {
    const content = this.#content(exchange, element);
    // What says the same stays: it has been read out, and the keyboard may be in it.
    if (content.map(({ textContent }) => textContent).join("") !== element.textContent) replace(exchange, element, content);
  }

  #content(exchange, element) {
    const { about, isGiven, isRefused, folder } = this.#consent;
    if (!about) return [];
    if (isGiven && this.#consent.isKept(exchange)) return [said("keptIn", { folder }), button("kept.title", () => this.onkept(), "link")];
    if (isRefused || this.#consent.isPending(exchange)) return [];
    if (!exchange.own) return [said("noSound")];
    const does = (work) => () => this.#guarded(exchange, element, work);
    if (!about.is_private) return [said("takeAlong"), button("kept.download", does(() => this.#download()))];
    if (isGiven) return [said("notYet"), button("kept.keepToo", does(() => this.#consent.add(exchange)))];
    return [
      said("ask"),
      button("kept.choose", () => this.#asking.open(exchange)),
      button("kept.refuse", () => this.#consent.refuse(), "link"),
    ];
  }

  #download() {
    return downloadCorrections(this.#server, this.#consent, withSound(this.#conversation.exchanges));
  }

  async #guarded(exchange, element, work) {
    try {
      await work();
    } catch (error) {
      replace(exchange, element, [make("p", { class: "failed" }, text(error.message))]);
    }
  }
}

/** The keyboard goes to the choice above where the button that it was on is gone. */
function replace(exchange, element, content) {
  const isFocused = element.contains(document.activeElement);
  element.replaceChildren(...content);
  if (isFocused) exchange.user.querySelector('.choice[aria-pressed="true"]')?.focus();
}

function said(key, values) {
  return make("p", {}, text(`kept.${key}`, values));
}
