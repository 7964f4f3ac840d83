'use strict';
// Attributes: __attribute__((...)), [[...]], _Alignas(...), __declspec(...) and asm("...") labels.

/**
 * Takes an attribute, if one is next, into `attributes`: `packed`, `align`, `mode`, `unsupported`, and `label`, the
 * name of a function in the library. Others change nothing here.
 * @param {InstanceType<typeof import('./parser.js').Parser>} parser
 * @param {Record<string, any>} attributes
 * @returns {boolean} whether there was one
 */
function takeAttribute(parser, attributes) {
  const { tokens } = parser;
  const token = tokens.peek();
  if (tokens.is('[') && tokens.is('[', 1)) {
    tokens.next();
    takeList(parser, tokens.next(), ']', attributes, takeStandard);
    tokens.expect(']', 'at the end of [[');
    return true;
  }
  if (token.kind !== 'word') return false;
  switch (token.text) {
    case '__attribute__':
    case '__attribute': {
      tokens.next();
      tokens.expect('(', 'after __attribute__');
      takeList(parser, tokens.expect('(', 'after __attribute__('), ')', attributes, takeGnu);
      tokens.expect(')', 'at the end of __attribute__');
      return true;
    }
    case '__declspec':
      tokens.next();
      takeList(parser, tokens.expect('(', 'after __declspec'), ')', attributes, takeDeclspec);
      return true;
    case '_Alignas':
    case 'alignas':
      tokens.next();
      takeAlignas(parser, token, attributes);
      return true;
    case 'asm':
    case '__asm__':
    case '__asm':
      tokens.next();
      takeLabel(parser, token, attributes);
      return true;
    default:
      return false;
  }
}

/** Takes attributes up to the closing token. `take` takes one by its name. */
function takeList(parser, open, close, attributes, take) {
  const { tokens } = parser;
  while (!tokens.is(close)) {
    const token = tokens.next();
    if (token.kind === 'end') throw tokens.fault(open, `'${open.text}' has no '${close}'`);
    take(parser, token, attributes);
    // The arguments of one that changes nothing.
    if (tokens.is('(')) tokens.skipGroup(tokens.next(), ')');
  }
  tokens.next();
}

/** `gnu::packed`, `gnu::aligned(16)`. The attributes of the standard change no layout. */
function takeStandard(parser, token, attributes) {
  const { tokens } = parser;
  if (!tokens.is('::')) return;
  tokens.next();
  const name = tokens.next();
  if (/^(?:__)?(?:gnu|clang)(?:__)?$/.test(token.text)) takeGnu(parser, name, attributes);
}

function takeGnu(parser, token, attributes) {
  const name = token.text.replace(/^__|__$/g, '');
  if (name === 'packed') attributes.packed = true;
  else if (name === 'mode') attributes.mode = takeMode(parser, token);
  else if (name === 'vector_size')
    attributes.unsupported = { reason: '__attribute__((vector_size)) has no counterpart', at: token.at };
  else if (name === 'aligned') attributes.align = takeAligned(parser);
}

/** `__declspec(align(16))` of compilers for Windows. */
function takeDeclspec(parser, token, attributes) {
  if (token.text === 'align' && parser.tokens.is('('))
    attributes.align = Math.max(attributes.align ?? 0, takeAligned(parser));
}

function takeAlignas(parser, token, attributes) {
  const { tokens } = parser;
  tokens.expect('(', `after ${token.text}`);
  const at = tokens.peek();
  const align = parser.startsType()
    ? parser.alignOf(parser.typeName(), at)
    : Number(parser.expressions.evaluate().value);
  tokens.expect(')', `after ${token.text}`);
  checkAlign(tokens, at, align);
  attributes.align = Math.max(attributes.align ?? 0, align);
}

/** 0 changes nothing. */
function checkAlign(tokens, at, align) {
  if (align < 0 || !Number.isInteger(Math.log2(align || 1)))
    throw tokens.fault(at, `an alignment of ${align}, which is no power of two`);
}

/** `asm("name")` */
function takeLabel(parser, token, attributes) {
  const { tokens } = parser;
  const open = tokens.expect('(', `after ${token.text}`);
  let label = '';
  while (tokens.peek().kind === 'string') label += parser.textOf(tokens.next());
  if (label !== '') attributes.label = label;
  tokens.skipGroup(open, ')');
}

/** The bytes of the integer of mode(...); NaN if it has no counterpart. */
const MODES = { QI: 1, byte: 1, HI: 2, SI: 4, DI: 8, word: 8, pointer: 8, unwind_word: 8 };

function takeMode({ tokens }, token) {
  tokens.expect('(', 'after mode');
  const { text } = tokens.next();
  tokens.expect(')', 'after mode(');
  return { bytes: MODES[text.replace(/^__|__$/g, '')] ?? NaN, at: token.at };
}

/** The number of aligned(n); without one it is the largest alignment of the machine. */
function takeAligned(parser) {
  const { tokens } = parser;
  if (!tokens.accept('(')) return 16;
  const at = tokens.peek();
  const align = Number(parser.expressions.evaluate().value);
  checkAlign(tokens, at, align);
  tokens.expect(')', 'after aligned(');
  return align;
}

module.exports = { takeAttribute };
