/** Corrections leave as a file, where no folder of this computer can be written to. */
import { download } from "../download.js";

/** Of those exchanges, the corrected ones whose sound the page has. */
export function withSound(exchanges) {
  return exchanges.filter(({ own, hearing }) => own && hearing.correction);
}

export async function downloadCorrections(server, { speaker }, exchanges) {
  const sounds = exchanges.map(({ key, own }) => [key, own]);
  download("attune-corrections.zip", await server.packCorrections(speaker, sounds));
}
