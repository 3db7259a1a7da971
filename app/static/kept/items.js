/**
 * Everything that is kept, as values with a place, a size and how to erase it: of this page, of this browser, and
 * of the program.
 */
import { forget, ours } from "../store.js";
import { text } from "../texts.js";

const COUNTED = ["sounds", "conversation", "voice", "corrections", "uploads"];
const ALONE = { "cache/train": "training", "cache/licences.jsonl": "licences" };

/** All of it; `about` is what the server says. The order is that in which it is shown. */
export function everything(about, { server, conversation, settings, consent }) {
  return [...ofPage(conversation), ...ofBrowser(settings, consent), ...ofServer(about, server, conversation, consent)];
}

/** What was said and answered as sound: in this page's memory alone. */
function ofPage({ exchanges }) {
  const sizes = exchanges.flatMap(({ own, stretches }) => [own?.size ?? 0, ...(stretches.length ? [total(stretches)] : [])]).filter(Boolean);
  if (!sizes.length) return [];
  const erase = async () => exchanges.forEach((exchange) => exchange.forgetSounds());
  return [item("sounds", "page", sizes.length, sizes.reduce((sum, size) => sum + size, 0), erase)];
}

function ofBrowser(settings, consent) {
  const resets = { "attune.settings": () => settings.reset(), "attune.corrections": () => consent.reset() };
  return ours().map(({ place, key, size }) =>
    item(key.replace("attune.", "own-"), "browser", 1, size, async () => {
      forget(place, key);
      resets[key]?.();
    }),
  );
}

function ofServer({ items }, server, conversation, consent) {
  const erasers = {
    conversation: async () => conversation.clear(),
    voice: async () => {
      const problems = await server.erase(["voice"], null);
      conversation.voiceErased();
      return problems;
    },
  };
  return items.map(({ id, place, name, count, size_bytes }) => {
    const erase = erasers[id] ?? (() => server.erase([id], consent.folder));
    const isNamed = COUNTED.includes(id) || id in ALONE;
    return { ...item(id, place, count, size_bytes, erase), isOfServer: true, ...(isNamed ? {} : { name }) };
  });
}

function item(id, place, count, size, erase) {
  return { id, place, size, erase, name: named(id, count), isOfServer: false };
}

function named(id, count) {
  return text(`kept.names.${ALONE[id] ?? id}${COUNTED.includes(id) && count === 1 ? "One" : ""}`, { count });
}

function total(stretches) {
  return stretches.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
