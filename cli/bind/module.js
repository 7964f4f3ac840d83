'use strict';
// A header as a module: what it declares, what the compiler says of it, what the package takes, as text.

const ffi = require('../../index.js');
const { matcher } = require('../info.js');
const { count } = require('../table.js');
const { failure } = require('../usage.js');
const { readDeclarations } = require('./declarations.js');
const { Emitter } = require('./emit.js');
const { Entities } = require('./entities.js');
const { LeftOut } = require('./left-out.js');
const { listMacros, mayBeExpression, evaluate } = require('./macros.js');
const { Names } = require('./names.js');
const { Prober } = require('./probe.js');
const { resolveDeclared, resolveFields, resolveLayouts } = require('./resolve.js');
const { findLibrary, specifier, clashWithNode } = require('./target.js');
const { quote } = require('./text.js');
const { Types } = require('./types.js');
const { validate, tryFunction } = require('./validate.js');

/** The functions that a library can have. */
function exportable(nodes, leftOut) {
  // What the compiler has declared by itself is not of the header.
  return nodes
    .filter(({ name, isImplicit }) => !isImplicit && !name.startsWith('__builtin_'))
    .filter((node) => {
      if (node.storageClass !== 'static' && !(node.inline && node.storageClass !== 'extern')) return true;
      leftOut.add('functions that exist in the header only (static, inline)', node.name);
      return false;
    });
}

/** What the linker calls a function, where that is not its name. */
function linkName({ name, mangledName = name }) {
  const linked = process.platform === 'darwin' ? mangledName.replace(/^\x01?_/, '') : mangledName;
  return linked === name ? undefined : linked;
}

/** How C declares a function, as a line of its comment. */
function prototype({ name, type, inner = [], variadic }) {
  const parameters = inner
    .filter(({ kind }) => kind === 'ParmVarDecl')
    .map((parameter) => {
      const text = parameter.type.qualType;
      const label = parameter.name ?? '';
      return label === '' ? text : `${text}${text.endsWith('*') ? '' : ' '}${label}`;
    });
  const result = type.qualType.slice(0, type.qualType.indexOf('(')).trim();
  const list = [...parameters, ...(variadic ? ['...'] : [])].join(', ');
  return `\`${result}${result.endsWith('*') ? '' : ' '}${name}(${list})\``;
}

const parametersOf = ({ inner = [] }) =>
  inner.filter(({ kind }) => kind === 'ParmVarDecl').map(({ name }) => name ?? '');

/** Makes parameters that the user has named out or inout parameters. */
function passThrough(functions, patterns) {
  for (const [kind, pattern] of patterns) {
    const matches = matcher(pattern);
    let matched = 0;
    for (const { name, node, type } of functions) {
      if (type === undefined) continue;
      parametersOf(node).forEach((parameter, i) => {
        if (!matches(`${name}.${parameter}`) && !matches(`${name}.${i}`)) return;
        if (type.args[i].kind !== 'pointer') {
          throw failure(`--${kind} '${pattern}': ${name}.${parameter || i} is no pointer to a value of a known type`);
        }
        type.args[i] = { kind, of: type.args[i].to };
        matched += 1;
      });
    }
    if (matched === 0) throw failure(`--${kind} '${pattern}' matches no parameter`);
  }
}

/** Everything that the header says, asked of the compiler. */
async function read({ clang, header, isOwn, progress, prefixes }, leftOut) {
  const file = clang.write('header.h', `#include ${JSON.stringify(header)}\n`);
  const isWanted = (name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  progress.step('bind: preprocessing');
  const macros = [...(await listMacros(clang, file, isOwn))].filter(
    ([name, { body }]) => isWanted(name) && body !== '',
  );
  const prober = await Prober.of(clang, file);
  progress.step('bind: reading the declarations');
  const { declarations, status, errors } = await readDeclarations(clang, file, isOwn, (bytes) =>
    progress.update(`bind: reading the declarations, ${Math.round(bytes / 1e6)} MB`),
  );
  if (status !== 0) throw failure(`clang cannot read the header:\n${errors.trim()}`);

  const names = new Names();
  const functions = exportable(
    [...declarations.functions.values()].filter(({ name }) => isWanted(name)),
    leftOut,
  );
  const symbols = new Map(functions.map(({ name }) => [name, names.claim(name)]));
  const entities = new Entities(names, declarations.ownTypedefs);
  const types = new Types(declarations, entities);
  progress.step(`bind: ${count(functions.length, 'function')}: types`);
  const bound = await resolveDeclared(prober, types, functions);
  const variables = [...declarations.variables.values()].filter(
    (node) => node.storageClass === 'extern' && isWanted(node.name),
  );
  const globals = await resolveDeclared(prober, types, variables);
  const constants = [];
  if (prefixes.length === 0) for (const tag of declarations.ownTags) declareTag(tag, entities, constants);
  await resolveFields(prober, types, entities);
  progress.step(`bind: ${count(entities.all.length, 'type')}: layouts`);
  await resolveLayouts(prober, entities);
  progress.step(`bind: ${count(macros.length, 'macro')}: values`);
  constants.push(...(await constantsOf(prober, macros, leftOut)));
  return {
    functions: bound.map((each) => ({ ...each, exportName: symbols.get(each.name) })),
    globals,
    constants,
    entities,
    names,
  };
}

/** Types of the header that nothing refers to are declared, too; an enum without a name is constants. */
function declareTag(tag, entities, constants) {
  if (tag.name !== undefined) {
    if (tag.isComplete) entities.ofTag(tag);
    return;
  }
  if (tag.kind === 'enum')
    constants.push({ enumeration: entities.ofAnonymous(tag.node, undefined, 'anonymous').entity });
}

async function constantsOf(prober, macros, leftOut) {
  const candidates = [];
  for (const [name, { isFunction, body }] of macros) {
    if (isFunction) leftOut.add('macros with parameters', name);
    else if (mayBeExpression(body)) candidates.push(name);
    else leftOut.add('macros that are no constants', name);
  }
  const { constants, others } = await evaluate(prober, candidates);
  others.forEach((name) => leftOut.add('macros that are no constants', name));
  return [...constants].map(([name, value]) => ({ name, value }));
}

/** Enums without a name, taken apart; every constant under a name of the module. */
function nameConstants(constants, entities, names) {
  const plain = constants.flatMap((each) => {
    if (each.enumeration === undefined) return [each];
    entities.all.splice(entities.all.indexOf(each.enumeration), 1);
    return each.enumeration.members;
  });
  const seen = new Set();
  return plain
    .filter(({ name }) => !seen.has(name) && seen.add(name))
    .map((each) => ({ ...each, name: names.claim(each.name) }));
}

/** What the package refuses, and what the library lacks, goes to the list. */
function select({ functions, globals, entities }, exports, leftOut) {
  validate(ffi, entities.all);
  const has = (symbol) => exports === undefined || exports.has(symbol);
  const lacking = 'what the library does not export';
  const kept = functions.filter((each) => {
    if (each.type !== undefined) tryFunction(ffi, each.type);
    const fault = each.fault ?? each.type.fault;
    if (!has(linkName(each.node) ?? each.name)) leftOut.add(lacking, each.name);
    else if (fault !== undefined) leftOut.add('functions of types that have no counterpart', each.name, fault);
    else return true;
    return false;
  });
  const variables = globals.filter(({ name, type, fault }) => {
    const reason =
      fault ??
      (type.kind === 'incomplete' || type.kind === 'fn' ? 'nothing is known of its memory' : type.entity?.fault);
    if (!has(name)) leftOut.add(lacking, name);
    else if (reason !== undefined) leftOut.add('variables of types that have no counterpart', name, reason);
    else return true;
    return false;
  });
  for (const { kind, c, name, fault } of entities.all) {
    if (kind === 'record' && fault !== undefined)
      leftOut.add("structs and unions: pointers to them are 'ptr'", c ?? name, fault);
  }
  return { kept, variables };
}

/**
 * @returns {Promise<{ text: string, notes: string }>} the module, and what stderr gets
 */
async function bindHeader(request) {
  const { clang, header, typed, progress, version, lib, output, out, inout, shown } = request;
  const leftOut = new LeftOut();
  const found = await read(request, leftOut);
  passThrough(found.functions, [...out.map((each) => ['out', each]), ...inout.map((each) => ['inout', each])]);
  progress.step('bind: the library');
  const library = findLibrary(
    lib,
    header,
    found.functions.map(({ name }) => name),
  );
  const { kept, variables } = select(found, library.exports, leftOut);
  if (kept.length === 0 && found.constants.length === 0 && variables.length === 0) {
    throw failure(`nothing of ${header} can be bound.\n${leftOut.text()}`.trimEnd());
  }
  progress.step('bind: writing');
  const constants = nameConstants(found.constants, found.entities, found.names);
  const text = new Emitter(ffi, typed).module({
    title: [
      `Made by pinned-ffi ${version} from ${shown} for ${process.platform}-${process.arch} (${clang.version}).`,
      'Do not change it: run `pinned-ffi bind` again.',
    ],
    constants,
    entities: found.entities.all,
    functions: kept.map(({ name, exportName, node, doc, type }) => ({
      symbol: name,
      name: exportName,
      linkName: linkName(node),
      doc: [...doc, ...(doc.length > 0 ? [''] : []), prototype(node)],
      type,
    })),
    globals: variables.map(({ name, type, doc }) => ({ name: found.names.claim(name), symbol: name, type, doc })),
    library: specifier(library.name, output, quote),
    deepbind: clashWithNode(library),
    leftOut: leftOut.comment(),
  });
  const done =
    `bind: ${count(kept.length, 'function')}, ${count(found.entities.all.length, 'type')}, ` +
    `${count(constants.length, 'constant')}${output === undefined ? '' : ` in ${output}`}`;
  const warning = library.warning === undefined ? '' : `bind: warning: ${library.warning}\n`;
  return { text, notes: `${done}\n${warning}${leftOut.text()}` };
}

module.exports = { bindHeader };
