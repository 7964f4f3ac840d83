'use strict';
// Makes the text of a module for a header: the declarations that the package supports and the library exports.

const path = require('node:path');
const { RETURNS_TWICE } = require('../../lib/call/returns-twice.js');
const { count } = require('../table.js');
const { failure } = require('../usage.js');
const { Emitter } = require('./emit.js');
const { emitC } = require('./emit-c.js');
const { LeftOut } = require('./left-out.js');
const { readModel } = require('./read.js');
const { shimModule } = require('./shims.js');
const { findLibrary, clashWithNode } = require('./target.js');
const { validate, tryFunction } = require('./validate.js');

const LACKING = 'what the library does not export';

/** Moves declarations that the package refuses, or that the library lacks, to the list of those left out. */
function select({ functions, globals, entities }, exports, leftOut) {
  const has = (symbol) => exports === undefined || exports.has(symbol);
  const kept = functions.filter((each) => {
    if (each.type !== undefined) tryFunction(each.type);
    const isTwice = RETURNS_TWICE.has(each.linkName ?? each.name);
    const fault = each.fault ?? each.type.fault ?? (isTwice ? 'it returns twice: call it in C (cc)' : undefined);
    if (!has(each.linkName ?? each.name)) leftOut.add(LACKING, each.name);
    else if (fault !== undefined)
      leftOut.add('functions that cannot be called, or have types without a counterpart', each.name, fault);
    else return true;
    return false;
  });
  const variables = globals.filter(({ name, type, fault }) => {
    const reason =
      fault ??
      (type.kind === 'incomplete' || type.kind === 'fn' ? 'nothing is known of its memory' : type.entity?.fault);
    if (!has(name)) leftOut.add(LACKING, name);
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

/** Every constant under a name of the module: macros, enumerators. */
function nameConstants(constants, entities, names) {
  const seen = new Set();
  const claim = (each) => ({ ...each, exportName: names.claim(each.name) });
  const isNew = ({ name }) => !seen.has(name) && seen.add(name);
  for (const entity of entities.of('enum')) entity.exported = entity.members.filter(isNew).map(claim);
  return constants.filter(isNew).map(claim);
}

/** The library, unless the header has nothing of one. */
function targetOf(model, { lib, packages }) {
  const symbols = [
    ...model.functions.map(({ name, linkName }) => linkName ?? name),
    ...model.globals.map(({ name }) => name),
  ];
  if (symbols.length === 0 && lib === undefined) return undefined;
  const hints = [...packages, ...model.libraries];
  const preferred = model.aliases.map(({ of }) => of);
  return findLibrary({ wanted: lib, header: model.header, hints, functions: symbols, preferred });
}

/** The message for a header without any declaration that can be bound. */
function nothingBound({ header, named }, leftOut) {
  // ft2build.h of freetype2 names forty: freetype.h is the one that is meant most likely.
  const folder = path.basename(path.dirname(header));
  const first = named.find((each) => folder.includes(path.basename(each.header, '.h'))) ?? named[0];
  return failure(
    `nothing of ${header} can be bound.\n` +
      (first === undefined
        ? 'If it only includes others, name them, or their folder, by --also.\n'
        : `It names other headers by macros: ${first.macro} is ${first.header}. Bind that one.\n`) +
      leftOut.text(),
  );
}

/**
 * @param {any} request what bind.js has read from the command line
 * @returns {Promise<{ text: string, notes: string }>} the module, and what stderr gets
 */
async function bindHeader(request) {
  const { clang, format, progress, version, output, hints, shown } = request;
  const leftOut = new LeftOut();
  const model = readModel(request, leftOut);
  validate(model.entities.all);
  hints.apply(model);
  progress.step('bind: the library');
  const target = targetOf(model, request);
  const { kept, variables } = select(model, target?.exports, leftOut);
  const deepbind = target === undefined ? undefined : clashWithNode(target);
  const shims = shimModule({ clang, model, target }, leftOut);
  const isEmpty = [kept, variables, model.constants, shims.functions, model.entities.of('enum')].every(
    ({ length }) => length === 0,
  );
  if (isEmpty) throw nothingBound(model, leftOut);
  progress.step('bind: writing');
  const constants = nameConstants(model.constants, model.entities, model.names);
  hints.report(leftOut);
  const globals = variables.map((each) => ({ ...each, exportName: model.names.claim(each.name) }));
  const bound = new Map([...kept, ...globals].map(({ name, exportName }) => [name, exportName]));
  const aliases = model.aliases
    .filter(({ of }) => bound.has(of))
    .map(({ name, of }) => ({ exportName: model.names.claim(name), of: bound.get(of) }));
  const emit = (found) => (format.isText ? emitC(found) : new Emitter(format).module(found));
  const text = emit({
    title: [
      `Made by pinned-ffi ${version} from ${shown} for ${process.platform}-${process.arch} (${clang.version}).`,
      'Do not change it: run `pinned-ffi bind` again.',
    ],
    names: model.names,
    constants,
    entities: model.entities.all,
    functions: kept,
    aliases,
    globals,
    library: target?.name,
    output,
    shims,
    deepbind,
    leftOut: leftOut.comment(),
  });
  const done =
    `bind: ${count(kept.length + shims.functions.length, 'function')}, ${count(model.entities.all.length, 'type')}, ` +
    `${count(constants.length, 'constant')}${output === undefined ? '' : ` in ${output}`}`;
  const notes = [...model.notes, target?.note, done].filter((note) => note !== undefined);
  const warning = target?.warning === undefined ? '' : `bind: warning: ${target.warning}\n`;
  return {
    text,
    notes: `${notes.map((note) => `${note.replace(/^(?!bind: )/, 'bind: ')}\n`).join('')}${leftOut.text()}${warning}`,
  };
}

module.exports = { bindHeader };
