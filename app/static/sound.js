/** The reply's sound as values: 16-bit samples at 24 kHz. */

export const RATE_HZ = 24000;

/** The `pcm` of a speech event → samples. */
export function decodePcm(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Int16Array(bytes.buffer);
}

/** Several stretches → one WAV file. */
export function wav(stretches, rateHz = RATE_HZ) {
  const size = 2 * stretches.reduce((sum, samples) => sum + samples.length, 0);
  const header = new DataView(new ArrayBuffer(44));
  const ascii = (at, word) => [...word].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  ascii(0, "RIFF");
  header.setUint32(4, 36 + size, true);
  ascii(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rateHz, true);
  header.setUint32(28, rateHz * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  ascii(36, "data");
  header.setUint32(40, size, true);
  return new Blob([header, ...stretches], { type: "audio/wav" });
}
