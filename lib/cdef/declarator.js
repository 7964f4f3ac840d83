'use strict';
// Declarators: what stands around a name, inside out. `*`, `[n]`, `(parameters)` and parentheses, to any depth.

const { takeAttribute } = require('./attributes.js');
const { CONVENTIONS, QUALIFIERS } = require('./names.js');
const { parseSpecifiers, startsType, takeMark } = require('./specifiers.js');
const { pointerTo, asConst, decayed, isVoid, describeType } = require('./types.js');

/** More stars, brackets and parentheses around one name than any program has. */
const MOST_PARTS = 64;
/** C has no more elements than bytes. */
const MOST_ELEMENTS = 2n ** 32n - 1n;

/**
 * The declarator at the next tokens.
 * @param {InstanceType<typeof import('./parser.js').Parser>} parser
 * @param {'parameter' | 'alone' | 'type' | 'name'} place whether a name may stand there, may stand in a text that is
 *   nothing but a type, must not, or must
 * @returns {{ name?: any, apply: (type: any) => any, attributes: Record<string, any> }} `apply` makes the type of the
 *   name
 */
function parseDeclarator(parser, place) {
  parser.enter();
  try {
    return declarator(parser, place);
  } finally {
    parser.leave();
  }
}

function declarator(parser, place) {
  const { tokens } = parser;
  const attributes = { __proto__: null };
  const pointers = takePointers(parser, attributes);
  let inner;
  let name;
  if (tokens.is('(') && isNested(parser)) {
    tokens.next();
    inner = parseDeclarator(parser, place);
    tokens.expect(')', 'after the declarator');
  } else if (tokens.peek().kind === 'word' && place !== 'type' && !startsQualifier(tokens)) {
    name = tokens.next();
  }
  const suffixes = [];
  for (;;) {
    while (takeAttribute(parser, attributes) || (place === 'name' && suffixes.length > 0 && takeMacro(parser))) {
      /* one attribute after the other */
    }
    const suffix = takeSuffix(parser, place, inner === undefined && suffixes.length === 0);
    if (suffix === undefined) break;
    suffixes.unshift(suffix);
    if (suffixes.length > MOST_PARTS) throw tokens.fault(tokens.peek(), `more than ${MOST_PARTS} arrays around a name`);
  }
  const apply = (type) => {
    let result = type;
    for (const isConst of pointers) result = isConst ? asConst(pointerTo(result)) : pointerTo(result);
    for (const suffix of suffixes) result = suffix(result);
    return inner === undefined ? result : inner.apply(result);
  };
  return { name: inner?.name ?? name, apply, attributes: { __proto__: null, ...attributes, ...inner?.attributes } };
}

/** Takes a macro of the C library's headers behind a prototype, such as __THROW or __nonnull ((1)). */
function takeMacro({ tokens }) {
  const token = tokens.peek();
  if (token.kind !== 'word' || !token.text.startsWith('__')) return false;
  tokens.next();
  if (tokens.is('(')) tokens.skipGroup(tokens.next(), ')');
  return true;
}

const startsQualifier = (tokens) => QUALIFIERS.has(tokens.peek().text) || CONVENTIONS.has(tokens.peek().text);

/** The stars at the next tokens: for each whether the pointer is const. */
function takePointers(parser, attributes) {
  const { tokens } = parser;
  const pointers = [];
  for (;;) {
    const { text, kind } = tokens.peek();
    if (kind === 'punctuation' && text === '*') {
      tokens.next();
      pointers.push(false);
      if (pointers.length > MOST_PARTS)
        throw tokens.fault(tokens.peek(), `more than ${MOST_PARTS} pointers around a name`);
    } else if (kind === 'word' && (QUALIFIERS.has(text) || CONVENTIONS.has(text))) {
      tokens.next();
      if (text === 'const' && pointers.length > 0) pointers[pointers.length - 1] = true;
    } else if (!takeAttribute(parser, attributes) && !(kind === 'word' && takeMark(parser, {}))) {
      return pointers;
    }
  }
}

/** Whether the parenthesis at the next token is around a declarator, rather than around parameters. */
function isNested(parser) {
  const { tokens } = parser;
  let at = 1;
  while (CONVENTIONS.has(tokens.peek(at).text) || QUALIFIERS.has(tokens.peek(at).text)) at += 1;
  const { kind, text } = tokens.peek(at);
  if (kind === 'punctuation') return text === '*' || text === '(' || text === '[';
  if (kind !== 'word' || text === '__attribute__') return text === '__attribute__';
  const before = tokens.position;
  tokens.position = before + 1;
  const isType = startsType(parser);
  tokens.position = before;
  return !isType && at === 1;
}

/** One `[n]` or `(parameters)`: a function from the type of the element or result to the whole. */
function takeSuffix(parser, place, isFirst) {
  const { tokens } = parser;
  const open = tokens.peek();
  if (tokens.accept('[')) {
    const isVariable = isVariableLength(parser);
    const length = takeLength(parser, isVariable || (place === 'parameter' && isFirst), open);
    return (of) => ({ ...arrayOf(parser, open, of, length, isVariable), isVariable });
  }
  if (!tokens.accept('(')) return undefined;
  const { parameters, isVariadic, isUnspecified = false } = parseParameters(parser);
  return (returns) => {
    if (returns.kind === 'array' || returns.kind === 'function')
      throw tokens.fault(open, `a function returns no ${returns.kind}`);
    return { kind: 'function', parameters, isVariadic, isUnspecified, returns };
  };
}

function arrayOf(parser, open, of, length, isVariable) {
  const { tokens } = parser;
  if (of.kind === 'function')
    throw tokens.fault(open, 'an array of functions; declare an array of pointers to functions');
  // Manual pages write `void buf[.count]`.
  if (isVoid(of) && !isVariable) throw tokens.fault(open, 'an array of void');
  if (of.kind === 'array' && of.length === null && !of.isVariable)
    throw tokens.fault(open, `an array of ${describeType(of)}, whose length is not known`);
  return { kind: 'array', of, length };
}

/**
 * Whether the length between brackets is that of a variable-length array: it names a parameter before it, or is `*`.
 */
function isVariableLength({ tokens, parameterNames }) {
  if (parameterNames === undefined) return false;
  if (tokens.is('.') || (tokens.is('*') && tokens.is(']', 1))) return true;
  for (let i = 0; ; i += 1) {
    const { kind, text } = tokens.peek(i);
    if (kind === 'end' || (kind === 'punctuation' && text === ']')) return false;
    if (kind === 'word' && parameterNames.has(text)) return true;
  }
}

/** The length between brackets; null where there is none, or where it does not count. */
function takeLength(parser, isIgnored, open) {
  const { tokens } = parser;
  if (tokens.accept(']')) return null;
  if (isIgnored) {
    tokens.skipGroup(open, ']');
    return null;
  }
  const at = tokens.peek();
  const { value } = parser.expressions.evaluate();
  if (value < 0n || value > MOST_ELEMENTS) throw tokens.fault(at, `an array of ${value} elements`);
  tokens.expect(']', 'after the length of the array');
  return Number(value);
}

/** What C++ has behind the type or the name of a parameter. */
const OF_CPP = {
  __proto__: null,
  '&': 'a reference is C++; C has a pointer: declare `*`, if the function is `extern "C"`',
  '&&': 'a reference is C++; C has a pointer: declare `*`, if the function is `extern "C"`',
  '=': 'a default value is C++; leave it out',
};

/** The parameters behind an opening parenthesis, with the closing one. */
function parseParameters(parser) {
  const { tokens } = parser;
  const parameters = [];
  if (tokens.accept(')')) return { parameters, isVariadic: false, isUnspecified: true };
  if (tokens.is('void') && (tokens.is(')', 1) || tokens.peek(1).kind === 'end')) {
    tokens.next();
    tokens.expect(')', 'after the parameters');
    return { parameters, isVariadic: false };
  }
  const outer = parser.parameterNames;
  parser.parameterNames = new Set(outer);
  for (;;) {
    const isVariadic = tokens.accept('...') !== undefined;
    if (!isVariadic) parameters.push(parseParameter(parser));
    if (isVariadic || tokens.is(')')) {
      tokens.expect(')', "after '...'");
      parser.parameterNames = outer;
      return { parameters, isVariadic };
    }
    const { kind, text } = tokens.peek();
    if (kind === 'punctuation' && OF_CPP[text] !== undefined) throw tokens.fault(tokens.peek(), OF_CPP[text]);
    tokens.expect(',', "or ')' after a parameter");
  }
}

function parseParameter(parser) {
  const { tokens } = parser;
  const at = tokens.peek();
  const { type, marks, storage, threadStorage } = parseSpecifiers(parser);
  const wrong = threadStorage ?? (storage?.text === 'register' ? undefined : storage);
  if (wrong !== undefined) throw tokens.fault(wrong, `a parameter has no storage class such as '${wrong.text}'`);
  const { name, apply } = parseDeclarator(parser, 'parameter');
  if (name !== undefined) parser.parameterNames.add(name.text);
  const whole = decayed(apply(type));
  if (isVoid(whole)) throw tokens.fault(at, 'a parameter of type void');
  return { name: name?.text, type: whole, marks, at };
}

/** A type without a name, such as that of a cast; a name in it is not looked at. */
function parseTypeName(parser) {
  const { type } = parseSpecifiers(parser);
  return parseDeclarator(parser, 'type').apply(type);
}

module.exports = { parseDeclarator, parseTypeName };
