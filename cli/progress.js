'use strict';
// One line on stderr that names the slow step: on a terminal, or if an option asks for it.

class Progress {
  #isShown;
  #isTerminal = process.stderr.isTTY === true;
  #last = 0;

  /** @param {boolean | undefined} wanted whether it is shown where stderr is no terminal, too */
  constructor(wanted) {
    this.#isShown = wanted === true || this.#isTerminal;
  }

  /** A new step. */
  step(text) {
    if (!this.#isShown) return;
    process.stderr.write(this.#isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** Shows the progress of a step, at most ten times a second, and on a terminal only. */
  update(text) {
    if (!this.#isTerminal || Date.now() - this.#last < 100) return;
    this.#last = Date.now();
    this.step(text);
  }

  /** Takes the line away. */
  end() {
    if (this.#isTerminal) process.stderr.write('\r\x1b[K');
  }
}

module.exports = { Progress };
