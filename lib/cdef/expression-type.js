'use strict';
// The type of an expression, for typeof(...) and sizeof(...): that of a declared name, a constant, a string, a cast,
// and of what `&`, `*`, `[]`, `.` and `->` make of them. Other expressions are constant integers.

const { bytesOf } = require('./expression.js');
const { isFloat, named } = require('./tokens.js');
const { decayed, describeType, pointerTo, scalar } = require('./types.js');

/** The type of the expression at the next tokens, up to the closing parenthesis. */
function typeOfExpression(parser) {
  const { tokens } = parser;
  const before = tokens.position;
  parser.enter();
  const type = unary(parser);
  parser.leave();
  if (type !== undefined && tokens.is(')')) return type;
  tokens.position = before;
  return integerOf(parser.expressions.evaluate());
}

/** The type of the operand of a sizeof without parentheses. */
function typeOfOperand(parser) {
  const { tokens } = parser;
  const before = tokens.position;
  const type = unary(parser);
  if (type !== undefined) return type;
  tokens.position = before;
  return integerOf(parser.expressions.evaluateUnary());
}

/** The type of a constant. */
const integerOf = ({ bits, isUnsigned }) =>
  scalar(
    `${isUnsigned ? 'unsigned ' : ''}${bits === 32 ? 'int' : process.platform === 'win32' ? 'long long' : 'long'}`,
  );

/** undefined of an expression that may be a constant one. */
function unary(parser) {
  const { tokens } = parser;
  const token = tokens.peek();
  if (tokens.accept('&')) {
    const type = unary(parser);
    return type && pointerTo(type);
  }
  if (tokens.accept('*')) return pointee(parser, token, unary(parser));
  if (tokens.is('(')) {
    const before = tokens.position;
    tokens.next();
    if (!parser.startsType()) tokens.position = before;
    else {
      const type = parser.typeName();
      tokens.expect(')', 'after the type');
      skipOperand(parser);
      return type;
    }
  }
  return postfix(parser, primary(parser));
}

/** Skips what is cast: nothing of it matters. */
function skipOperand(parser) {
  if (unary(parser) === undefined) parser.expressions.evaluateUnary();
}

function primary(parser) {
  const { tokens, scope } = parser;
  const token = tokens.peek();
  if (tokens.accept('(')) {
    const type = unary(parser);
    return type !== undefined && tokens.accept(')') ? type : undefined;
  }
  if (token.kind === 'string') return { kind: 'array', of: scalar('char'), length: bytesOf(tokens, tokens.next()) };
  if (isFloat(token)) {
    tokens.next();
    return scalar(/f$/i.test(token.text) ? 'float' : 'double');
  }
  if (token.kind !== 'word') return undefined;
  const declared = scope.variable(token.text) ?? scope.function(token.text);
  if (declared !== undefined) tokens.next();
  return declared?.type;
}

function postfix(parser, start) {
  const { tokens } = parser;
  let type = start;
  for (;;) {
    const token = tokens.peek();
    if (type === undefined) return undefined;
    if (tokens.accept('[')) {
      tokens.skipGroup(token, ']');
      type = pointee(parser, token, type);
    } else if (tokens.accept('.')) type = member(parser, tokens.next(), type);
    else if (tokens.is('-') && tokens.is('>', 1)) {
      tokens.next();
      tokens.next();
      type = member(parser, tokens.next(), pointee(parser, token, type));
    } else return type;
  }
}

function pointee({ tokens }, token, type) {
  if (type === undefined) return undefined;
  const pointer = decayed(type);
  if (pointer.kind !== 'pointer') throw tokens.fault(token, `${describeType(type)} is no pointer`);
  return pointer.to;
}

function member({ tokens }, name, type) {
  if (name.kind !== 'word') throw tokens.fault(name, `expected the name of a member, found ${named(name)}`);
  const found = type.kind === 'record' ? memberOf(type.record, name.text) : undefined;
  if (found === undefined) throw tokens.fault(name, `${describeType(type)} has no member ${name.text}`);
  return found;
}

/** The type of a member, which may be one of an anonymous member. */
function memberOf({ fields }, name) {
  for (const field of fields ?? []) {
    if (field.name === name) return field.type;
    const within =
      field.name === undefined && field.type.kind === 'record' ? memberOf(field.type.record, name) : undefined;
    if (within !== undefined) return within;
  }
  return undefined;
}

module.exports = { typeOfExpression, typeOfOperand };
