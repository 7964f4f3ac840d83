'use strict';
// Texts at addresses. Where there are fast calls, a short one of ASCII is read straight from optimised code; every
// other one, every error among it, is left to what the caller passes.

const { compile } = require('../codegen/compile.js');
const { TURN, state, textOfLength } = require('../call/fast-texts.js');
const { PAUSE, loader } = require('./loader.js');

/** Each has separate source, so that V8 sees a constant target. */
const source = (isIndirect) => `(address, read) => {
  if (pause !== 0) pause -= 1;
  else if (typeof address === 'number' && address >= 4096 && isSafeInteger(address)) {
    const turn = state[${TURN}] = state[${TURN}] + 1 & 0x7fffffff;
    const length = loadText(address, ${isIndirect}, text);
    if (length === undefined) pause = ${PAUSE};
    else if (length === -1) return null;
    else if (length >= 0) {
      const value = textOfLength(length);
      if (state[${TURN}] === turn) return value;
    }
  }
  return read(address);
}`;

const plain = (address, read) => read(address);
const otherwise = () => ({ textAt: plain, textBehind: plain });

/**
 * The functions that read the text at an address, and the text whose address is there: (address, read) => text, where
 * `read` reads any text. NULL there is null; at NULL, `read` is called.
 */
const { textAt, textBehind } =
  loader === null
    ? otherwise()
    : compile(
        'read text',
        'loadText, text, state, textOfLength, isSafeInteger',
        `'use strict'; let pause = 0; return { textAt: ${source(0)}, textBehind: ${source(1)} };`,
        [loader.loadText, loader.text, state, textOfLength, Number.isSafeInteger],
        otherwise,
      );

module.exports = { textAt, textBehind };
