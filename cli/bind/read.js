'use strict';
// Everything that a header says, as what a module may declare.

const fs = require('node:fs');
const path = require('node:path');
const { count } = require('../table.js');
const { Cursor } = require('./clang.js');
const { inclusionsOf, readDeclarations } = require('./declarations.js');
const { Entities } = require('./entities.js');
const { readFurther, readHeader } = require('./headers.js');
const { Evaluator, evaluate, mayBeExpression } = require('./macros.js');
const { Names } = require('./names.js');
const { ownership, realPath } = require('./ownership.js');
const { resolveDeclared, resolveFields } = require('./resolve.js');
const { findShims } = require('./shims.js');
const { Types } = require('./types.js');

const EXTERN = 2;

/** The linker's name of a function, where it differs from the one in C. */
function linkNameOf(clang, { name, cursor }) {
  const mangled = clang.text(clang.c.clang_Cursor_getMangling(cursor)).replace(/^\x01/, '');
  const linked = process.platform === 'darwin' ? mangled.replace(/^_/, '') : mangled;
  return linked === name || linked === '' ? undefined : linked;
}

/** The names of a function's parameters; empty where C gives none. */
function parametersOf(clang, cursor) {
  const number = clang.c.clang_Cursor_getNumArguments(cursor);
  return Array.from({ length: Math.max(0, number) }, (_, i) =>
    clang.spelling(clang.c.clang_Cursor_getArgument(cursor, i)),
  );
}

/** The declaration of a parameter in C: the name of a function pointer or an array stands inside of its type. */
function declarator(type, name) {
  if (name === '') return type;
  if (/\(\*+\)/.test(type)) return type.replace(/\(\*+/, (stars) => `${stars}${name}`);
  if (/\[/.test(type)) return type.replace(/ ?\[/, ` ${name}[`);
  return `${type}${type.endsWith('*') ? '' : ' '}${name}`;
}

/** The declaration of a function in C. */
function prototypeOf(clang, { name, cursor }) {
  const { c } = clang;
  const type = c.clang_getCursorType(cursor);
  const spelling = (each) => clang.spellingOf(each);
  const parameters = parametersOf(clang, cursor).map((parameter, i) =>
    declarator(spelling(c.clang_getCursorType(c.clang_Cursor_getArgument(cursor, i))), parameter),
  );
  const list = [...parameters, ...(c.clang_isFunctionTypeVariadic(type) !== 0 ? ['...'] : [])].join(', ');
  return declarator(spelling(c.clang_getResultType(type)), `${name}(${list || 'void'})`);
}

/** The constants among the macros of the header, and those that stand for a function or a variable. */
function constantsOf(evaluator, macros, names, variables, leftOut) {
  const candidates = [];
  for (const [name, { isFunction, body }] of macros) {
    if (isFunction || body === '' || names.has(body)) continue;
    if (mayBeExpression(body)) candidates.push(name);
    else leftOut.add('macros that are no constants', name);
  }
  const { constants, references, others } = evaluate(evaluator, candidates, variables.size > 0);
  const aliases = [...references]
    .filter(([name, of]) => !names.has(name) && !constants.has(name) && (names.has(of) || variables.has(of)))
    .map(([name, of]) => ({ name, of }));
  const isAlias = new Set(aliases.map(({ name }) => name));
  others
    .filter((name) => !names.has(name) && !isAlias.has(name))
    .forEach((name) => leftOut.add('macros that are no constants', name));
  return { constants: [...constants].map(([name, value]) => ({ name, value })), aliases };
}

/**
 * @param {Record<string, any>} request
 * @param {InstanceType<typeof import('./left-out.js').LeftOut>} leftOut
 */
function readModel(request, leftOut) {
  const { clang, name, folders, also, prefixes, hints, progress } = request;
  const isWanted = (each) => prefixes.length === 0 || prefixes.some((prefix) => each.startsWith(prefix));
  progress.step('bind: reading the declarations');
  const first = readHeader(clang, name, folders);
  const { header, roots, libraries, notes } = first;
  const further = also([...roots, path.dirname(header)]);
  const included = new Set([header, ...inclusionsOf(clang, first.cursors).map(({ to }) => to)].map(realPath));
  const missing = further.filter((file) => fs.statSync(file).isFile() && !included.has(realPath(file)));
  const { cursors, include } = missing.length === 0 ? first : readFurther(clang, first, missing);
  const isOwn = ownership({ header, roots, also: further, inclusions: inclusionsOf(clang, cursors) });
  const declarations = readDeclarations(clang, cursors, isOwn);
  const wanted = (map) => [...map].filter(([each]) => isWanted(each));

  const names = new Names();
  const declared = wanted(declarations.functions);
  const exported = new Map(declared.map(([each]) => [each, names.claim(each)]));
  const entities = new Entities(clang, declarations, names, isOwn);
  const types = new Types(clang, entities, hints.isTextType);
  progress.step(`bind: ${count(declared.length, 'function')}: types`);
  const describe = (each) => ({
    ...each,
    parameters: parametersOf(clang, each.cursor),
    prototype: prototypeOf(clang, each),
    linkName: linkNameOf(clang, each),
  });
  const functions = resolveDeclared(clang, types, entities, declared)
    .map(describe)
    .map((each) => ({ ...each, exportName: exported.get(each.name) }));
  const inline = wanted(declarations.inline);
  const evaluator = new Evaluator(clang, include);
  const known = new Set([...declarations.functions.keys(), ...declarations.inline.keys()]);
  const macros = wanted(declarations.macros);
  // A macro of a function's name is another way to write that function.
  const callable = macros.filter(([each, { isFunction }]) => isFunction && !known.has(each));
  const shims = findShims(
    { clang, evaluator, inline, macros: callable, functions: declared, selected: request.inline },
    leftOut,
  );
  const shimmed = resolveDeclared(clang, types, entities, shims).map(describe);
  const externals = wanted(declarations.variables).filter(
    ([, cursor]) => clang.c.clang_Cursor_getStorageClass(cursor) === EXTERN,
  );
  const globals = resolveDeclared(clang, types, entities, externals);
  const constants = [];
  if (prefixes.length === 0) for (const tag of declarations.tags) declareTag(clang, tag, entities, constants);
  resolveFields(clang, types, entities);
  progress.step(`bind: ${count(macros.length, 'macro')}: values`);
  const evaluated = constantsOf(evaluator, macros, known, new Set(externals.map(([each]) => each)), leftOut);
  constants.push(...evaluated.constants);
  // `#define SDL_BlitSurface SDL_UpperBlit`: another name of a function.
  const aliases = macros
    .filter(([each, { body }]) => exported.has(body) && !known.has(each))
    .map(([each, { body }]) => ({ name: each, of: body }))
    .concat(evaluated.aliases);
  // `#define FT_FREETYPE_H <freetype/freetype.h>`
  const named = macros
    .filter(([, { body }]) => /^[<"].*\.h[>"]$/.test(body))
    .map(([macro, { body }]) => ({ macro, header: body.slice(1, -1) }));
  return {
    header,
    named,
    include,
    libraries,
    notes,
    functions,
    aliases,
    shimmed,
    globals,
    constants,
    entities,
    names,
    evaluator,
  };
}

/** Types of the header that nothing refers to are declared, too; an enum without a name is constants. */
function declareTag(clang, cursor, entities, constants) {
  const type = clang.c.clang_getCursorType(cursor);
  const isComplete = clang.c.clang_Type_getSizeOf(type) >= 0n;
  if (!isComplete) return;
  const isNameless = clang.text(clang.c.clang_getTypeSpelling(type)).includes('(');
  if (!isNameless) entities.ofTag(cursor);
  else if (cursor.kind === Cursor.enum) constants.push(...entities.enumeratorsOf(cursor));
}

module.exports = { readModel };
