'use strict';
// Functions that only the header has: inline functions, and macros with parameters. A C function for each calls it; the
// module compiles those by cc() when it is loaded.

const fs = require('node:fs');
const path = require('node:path');
const { searchDirectories } = require('../../lib/library/search.js');
const { Patterns } = require('./patterns.js');
const { tryFunction } = require('./validate.js');

const PREFIX = 'pinned_ffi_';
const INLINE = 'functions that exist in the header only (static, inline); --inline binds them';
const MACROS = 'macros with parameters; --inline binds those that call a function, or have a prototype';

const UNCALLABLE = 'macros that a function cannot call';

/** A type as C writes it before a name, whatever the type is. */
const typeOf = (spelling) => `__typeof__(${spelling})`;

const spellingOf = (clang, type) => clang.spellingOf(type);

// ---- macros ---------------------------------------------------------------------------------------------------------

/** The parts of a list between its outermost commas. */
function splitArguments(text) {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    if (depth < 0) break;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

/** A macro's parameters and the text that it stands for; undefined for one with `...`. */
function parseMacro(body) {
  const [, list, text] = /^\(([^)]*)\)\s*(.*)$/s.exec(body) ?? [];
  if (list === undefined || list.includes('...')) return undefined;
  return {
    parameters: list
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean),
    text,
  };
}

/** The types of a macro's parameters, from the functions that it passes them to; undefined where one stays unknown. */
function parameterTypes(clang, { parameters, text }, functions) {
  const found = new Map();
  for (const [call, name] of text.matchAll(/(\w+)\s*\(/g)) {
    const cursor = functions.get(name);
    if (cursor === undefined) continue;
    const type = clang.c.clang_getCursorType(cursor);
    const args = splitArguments(text.slice(text.indexOf(call) + call.length));
    args.slice(0, Math.max(0, clang.c.clang_getNumArgTypes(type))).forEach((arg, i) => {
      const bare = arg.replace(/^\((\w+)\)$/, '$1');
      if (parameters.includes(bare) && !found.has(bare))
        found.set(bare, spellingOf(clang, clang.c.clang_getArgType(type, i)));
    });
  }
  return parameters.every((each) => found.has(each)) ? parameters.map((each) => found.get(each)) : undefined;
}

/** A C declaration of a function that would call a macro, with % for its name. */
function macroQuestion(clang, [name, { body }], functions) {
  const macro = parseMacro(body);
  const types = macro && parameterTypes(clang, macro, functions);
  if (types === undefined || (types.length === 0 && !/\w+\s*\(/.test(macro.text))) return undefined;
  const values = types.map((type) => `*(${typeOf(type)} *)0`).join(', ');
  const list = types.map((type, i) => `${typeOf(type)} ${macro.parameters[i]}`).join(', ');
  return { macro: name, name, text: `${typeOf(`${name}(${values})`)} %(${list || 'void'});` };
}

/** A prototype that the user gives for a macro. */
function givenQuestion(prototype) {
  const name = /(\w+)\s*\(/.exec(prototype)?.[1] ?? '';
  return { macro: name, name, text: `${prototype.replace(/;\s*$/, '').replace(/(\w+)(\s*\()/, '%$2')};` };
}

// ---- which ----------------------------------------------------------------------------------------------------------

/**
 * The functions and macros to bind, as [name, cursor of a declaration]; the others are listed.
 * @param {object} request
 * @param {any} request.clang
 * @param {any} request.evaluator
 * @param {any[]} request.inline
 * @param {any[]} request.macros
 * @param {any[]} request.functions
 * @param {string[]} request.selected patterns of names, and prototypes of macros
 */
function findShims({ clang, evaluator, inline, macros, functions, selected }, leftOut) {
  const isPrototype = (text) => text.includes('(');
  const given = selected.filter(isPrototype).map(givenQuestion);
  const patterns = new Patterns(selected.filter((text) => !isPrototype(text)));
  const shims = [];
  for (const [name, cursor] of inline) {
    if (patterns.select(name) !== undefined) shims.push([name, cursor]);
    else leftOut.add(INLINE, name);
  }
  const callable = new Map([...functions, ...inline]);
  const asked = [...given];
  for (const macro of macros) {
    if (given.some(({ name }) => name === macro[0])) continue;
    const question = patterns.select(macro[0]) === undefined ? undefined : macroQuestion(clang, macro, callable);
    if (question === undefined) leftOut.add(MACROS, macro[0]);
    else asked.push(question);
  }
  if (asked.length > 0) {
    const { found } = evaluator.keep(asked);
    asked.forEach(({ name }, i) => {
      if (found.has(i)) shims.push([name, found.get(i)]);
      else leftOut.add(UNCALLABLE, name);
    });
  }
  for (const text of patterns.unused)
    leftOut.add('options that do not fit', `--inline '${text}'`, 'it matches nothing');
  return shims;
}

// ---- the C file -----------------------------------------------------------------------------------------------------

/** The C function that calls an inline function or a macro. */
function sourceOf(clang, { name, cursor }) {
  const { c } = clang;
  const type = c.clang_getCursorType(cursor);
  const returns = spellingOf(clang, c.clang_getResultType(type));
  const types = Array.from({ length: c.clang_getNumArgTypes(type) }, (_, i) =>
    spellingOf(clang, c.clang_getArgType(type, i)),
  );
  const list = types.map((each, i) => `${typeOf(each)} a${i}`).join(', ');
  const call = `${name}(${types.map((_, i) => `a${i}`).join(', ')})`;
  return `${typeOf(returns)} ${PREFIX}${name}(${list || 'void'}) { ${returns === 'void' ? '' : 'return '}${call}; }\n`;
}

/** Whether C can write the types of a function. */
function isWritable(clang, { cursor }) {
  const { c } = clang;
  const type = c.clang_getCursorType(cursor);
  const types = Array.from({ length: c.clang_getNumArgTypes(type) }, (_, i) => c.clang_getArgType(type, i));
  return [c.clang_getResultType(type), ...types].every(
    (each) => !/\((unnamed|anonymous)/.test(spellingOf(clang, each)),
  );
}

/** The library as the linker finds it: by its name where a file for linking is installed, else by its path. */
function linkedAs({ name, library }) {
  const { own, standard } = searchDirectories();
  const isLinkable = [...own, ...standard].some((folder) => fs.existsSync(path.join(folder, `lib${name}.so`)));
  return isLinkable || library === undefined ? name : path.resolve(library.path);
}

/** The shims whose C functions compile: a macro may be a statement, or assembly. */
function compiling(functions, clang, evaluator, leftOut) {
  if (functions.length === 0) return functions;
  const questions = functions.map((each) => ({
    macro: '__STDC__',
    text: sourceOf(clang, each).trimEnd().replace(`${PREFIX}${each.name}`, '%'),
  }));
  const { found } = evaluator.ask(questions);
  return functions.filter(({ name }, i) => {
    if (!found.has(i)) leftOut.add(UNCALLABLE, name);
    return found.has(i);
  });
}

/**
 * @returns {{ functions: object[], source: string, options: Record<string, unknown> }} what the module
 *   passes to cc()
 */
function shimModule({ clang, model, target }, leftOut) {
  const known = model.shimmed.filter((each) => {
    if (each.type !== undefined) tryFunction(each.type);
    const fault =
      each.fault ??
      each.type.fault ??
      (each.type.varargs ? 'it has further arguments, which a C function cannot pass on' : undefined) ??
      (isWritable(clang, each) ? undefined : 'it has types without a name');
    if (fault !== undefined) leftOut.add('functions of the header that cannot be bound', each.name, fault);
    return fault === undefined;
  });
  const functions = compiling(known, clang, model.evaluator, leftOut);
  const source = `${model.include}\n${functions.map((each) => sourceOf(clang, each)).join('')}`;
  const options = {
    ...(target === undefined ? {} : { library: linkedAs(target) }),
    flags: [...clang.own, '-w'],
  };
  const named = functions.map((each) => ({
    ...each,
    linkName: `${PREFIX}${each.name}`,
    exportName: model.names.claim(each.name),
  }));
  return { functions: named, source, options };
}

module.exports = { findShims, shimModule };
