'use strict';
// Random texts for the parser of C text: words in any order, and valid declarations with random changes. Each is parsed
// and converted, or refused with a position.
//   node test/cdef/fuzz.js [--count 1000000] [--seed 7]

const assert = require('node:assert/strict');
const { parseArgs } = require('node:util');
const { ffi, makeRandom } = require('../helpers.js');
const { makeDeclarations } = require('./declarations.js');

const WORDS = [
  'int',
  'char',
  '*',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ';',
  ',',
  'struct',
  'union',
  'enum',
  'typedef',
  'const',
  'a',
  'b',
  'f',
  '...',
  '=',
  ':',
  '1',
  '0x',
  'void',
  'unsigned',
  'long',
  '__attribute__',
  '((packed))',
  '_Alignas',
  'sizeof',
  '#define A ',
  '\n',
  '"x"',
  "'c'",
  '?',
  '-',
  '~',
  '_Out_',
  '_Free_',
  'extern "C"',
  '/*',
  '*/',
  '//',
  '\\\n',
  '\\',
  '\\u00e9',
  'é',
  '\ufeff',
  '#pragma pack(push, 1)\n',
  '#pragma pack(pop)\n',
  'typeof(',
  '_Atomic',
  'static_assert',
  'complex',
  'class',
  '__int128',
  'mode(QI)',
  'size_t',
  'FILE',
  'double',
  ' ',
  '[[',
  '#',
  '<<',
  '.5',
  '\0',
  '\u2028',
  '__proto__',
  'constructor',
  'toString',
  '_Static_assert(1)',
  '__int128',
  '_Complex',
  'long double',
  '__attribute__((mode(DI)))',
  '__attribute__((aligned(32)))',
  'static inline',
  '__THROW',
  '[0]',
  '[]',
  '#pragma GCC',
  'short',
  'signed',
];

/** A text of words. */
function makeWords(random, pick) {
  let text = '';
  for (let length = 1 + Math.floor(random() * 24); length > 0; length -= 1)
    text += `${pick(WORDS)}${random() < 0.7 ? ' ' : ''}`;
  return text;
}

/** A valid text with some changes: a part is left out, put elsewhere, or becomes another word or character. */
function makeChanged(random, pick, valid) {
  let text = valid;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes -= 1) {
    const at = Math.floor(random() * text.length);
    const way = random();
    if (way < 0.3) text = text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 8));
    else if (way < 0.6) text = text.slice(0, at) + pick(WORDS) + text.slice(at);
    else if (way < 0.8) text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    else text = text.slice(0, at) + text.slice(Math.floor(random() * text.length));
  }
  return text;
}

/** Whether the text, and each of its declarations, is understood. Anything but an error with a position is thrown. */
function isUnderstood(text) {
  try {
    const set = ffi.cdef(text);
    void set.constants;
    let isWhole = true;
    for (const part of [set.types, set.symbols]) {
      for (const name of Object.keys(part)) {
        try {
          void part[name];
        } catch (error) {
          checkError(error, text);
          isWhole = false;
        }
      }
    }
    return isWhole;
  } catch (error) {
    checkError(error, text);
    return false;
  }
}

function checkError(error, text) {
  assert.equal(error.code, 'ERR_FFI_DECLARATION_INVALID', `${JSON.stringify(text)}: ${error.stack}`);
  assert.ok(error.line >= 1 && error.column >= 1, error.message);
}

/** Tries random texts; gives how many were refused, in whole or in part. */
function fuzz({ count, seed }) {
  const random = makeRandom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  let refused = 0;
  for (let i = 0; i < count; i += 1) {
    const text = random() < 0.5 ? makeWords(random, pick) : makeChanged(random, pick, makeDeclarations(seed, i).text);
    if (!isUnderstood(text)) refused += 1;
  }
  return { texts: count, refused };
}

if (require.main === module) {
  const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
  const { count = 1_000_000, seed = Date.now() % 2 ** 31 } = values;
  console.log(`seed ${seed}`);
  console.log(fuzz({ count: Number(count), seed: Number(seed) }));
}

module.exports = { fuzz };
