/**
 * "Somebody begins to speak", from levels alone and at once: the page lowers the reply before the server knows.
 *
 * Two loud frames of 20 ms in a row; what is loud follows the room, and the reply's echo in it, as they change.
 */

const ABOVE_DB = 12;
const LEAST_DB = -45;
const RISE_DB = 0.05;
/** Per frame: the floor follows a room that grows louder within seconds, and no voice. */
const LOUD_FRAMES = 2;
const QUIET_FRAMES = 10;

export class Onset {
  #floor = LEAST_DB - ABOVE_DB;
  #loud = 0;
  #quiet = QUIET_FRAMES;

  /** The level of a frame, in dB of full scale → whether somebody has just begun, after a fifth of a second of quiet. */
  feed(level) {
    const isLoud = level > this.#floor + ABOVE_DB;
    this.#floor = Math.max(LEAST_DB - ABOVE_DB, Math.min(level, this.#floor + RISE_DB));
    this.#loud = isLoud ? this.#loud + 1 : 0;
    if (!isLoud) this.#quiet += 1;
    if (this.#loud !== LOUD_FRAMES) return false;
    const isNew = this.#quiet >= QUIET_FRAMES;
    this.#quiet = 0;
    return isNew;
  }
}
