'use strict';
// The constants of a text that are no enumerators: the values of #define and of constant variables.

const { isFloat } = require('./tokens.js');
const { exact, isInteger } = require('./types.js');

/** The tokens that end the groups of an initializer. */
const CLOSING = { __proto__: null, '{': '}', '(': ')', '[': ']' };

/** The value of a macro: a text, a number of floating point, or an integer. */
function constantIn(parser) {
  const { tokens } = parser;
  if (tokens.peek().kind === 'string') {
    let text = '';
    while (tokens.peek().kind === 'string') text += parser.textOf(tokens.next());
    return text;
  }
  return acceptFloat(tokens) ?? exact(parser.expressions.evaluate().value);
}

/** Takes a number of floating point, `-1.5` or `(1.5)`, if one is next. */
function acceptFloat(tokens) {
  const before = tokens.position;
  const isParenthesized = tokens.accept('(') !== undefined;
  const sign = tokens.accept('-') ? -1 : 1;
  if (isFloat(tokens.peek())) {
    const { text } = tokens.next();
    if (isParenthesized) tokens.expect(')', 'after the number');
    return sign * Number(text.replace(/[fFlL]+$/, '').replaceAll("'", ''));
  }
  tokens.position = before;
  return undefined;
}

/**
 * Takes the value of a variable. `static const int NAME = value` is a constant, as is a number of floating point that
 * is written as one. Of other variables the value is ignored; no library has those that are static.
 */
function takeInitializer(parser, name, type, { isLocal, isConstant }) {
  const { tokens, scope } = parser;
  const isConst = type.isConst === true || isConstant;
  if (isConst && isInteger(type)) {
    scope.constants.set(name.text, exact(parser.castTo(type, parser.expressions.evaluate().value, name).value));
    scope.variables.delete(name.text);
    return;
  }
  const value = isConst && type.kind === 'scalar' ? acceptFloat(tokens) : undefined;
  if (value !== undefined) scope.constants.set(name.text, value);
  if (value !== undefined || isLocal) scope.variables.delete(name.text);
  while (!tokens.is(';') && !tokens.is(',') && tokens.peek().kind !== 'end') {
    const open = tokens.next();
    if (open.kind === 'punctuation' && CLOSING[open.text] !== undefined) tokens.skipGroup(open, CLOSING[open.text]);
  }
}

module.exports = { constantIn, takeInitializer };
