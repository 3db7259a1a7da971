/** The fixed texts of the page in the chosen language. */
import en from "./texts/en.js";

export const languages = { en };

let texts = en;

/** Choose the language and write it into everything that carries a data-text, -label, -title or -placeholder. */
export function translate(root, language) {
  texts = { ...en, ...languages[language] };
  root.lang = language in languages ? language : "en";
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = text(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", text(node.dataset.label));
  for (const node of root.querySelectorAll("[data-title]")) node.title = text(node.dataset.title);
  for (const node of root.querySelectorAll("[data-placeholder]")) node.placeholder = text(node.dataset.placeholder);
}

/** The text of a key ("feelings.sad"), with {names} filled in. */
export function text(key, values = {}) {
  const found = key.split(".").reduce((part, name) => part?.[name], texts) ?? key;
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
