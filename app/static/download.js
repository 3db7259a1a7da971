/** A file that was made on this page, into the person's own downloads. */
import { make } from "./dom.js";

export function download(name, file) {
  const url = URL.createObjectURL(file);
  make("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
