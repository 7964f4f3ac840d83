'use strict';
// Facts that a header cannot express, from the options of the command line: which parameters are results, what is text,
// who frees what, which results are failures. What does not fit is listed.

const { tryDeclaration } = require('./validate.js');
const { Patterns } = require('./patterns.js');
const { isScalar, scalar } = require('./types.js');

/** The options, with what each is about. */
const HINTS = ['out', 'inout', 'text', 'number', 'length', 'free', 'owner', 'fails', 'errno', 'threads', 'leaf'];

/** @type {Map<string, string>} */
const WIDE = new Map(
  /** @type {[string, string][]} */ ([
    ...['int64_t', 'ssize_t', 'intptr_t', 'ptrdiff_t', 'long long'].map((name) => [name, 'i64_number']),
    ...['uint64_t', 'size_t', 'uintptr_t', 'unsigned long long'].map((name) => [name, 'u64_number']),
    ...(process.platform === 'win32'
      ? [
          ['long', 'i32'],
          ['unsigned long', 'u32'],
        ]
      : [
          ['long', 'i64_number'],
          ['unsigned long', 'u64_number'],
        ]),
  ]),
);

/** A type as text, where it is a pointer to characters. */
const asText = (type) => (isScalar(type, 'ptr') && type.isCharacters ? scalar('cstring') : undefined);

/**
 * A type whose 64-bit integers are numbers: itself, or what it points to, holds, takes or returns. Undefined if it has
 * none. Named types, such as structs, are not searched.
 */
function asNumber(type) {
  switch (type?.kind) {
    case 'scalar':
      return WIDE.has(type.name) ? scalar(/** @type {string} */ (WIDE.get(type.name))) : undefined;
    case 'pointer':
      return within(type, 'to');
    case 'array':
    case 'out':
    case 'inout':
      return within(type, 'of');
    case 'fn': {
      const args = type.args.map((arg) => asNumber(arg) ?? arg);
      const returns = asNumber(type.returns) ?? type.returns;
      const isSame = returns === type.returns && args.every((arg, i) => arg === type.args[i]);
      return isSame ? undefined : { ...type, args, returns };
    }
    default:
      return undefined;
  }
}

function within(type, key) {
  const changed = asNumber(type[key]);
  return changed === undefined ? undefined : { ...type, [key]: changed };
}

const isAddress = (type) =>
  type.kind === 'pointer' || isScalar(type, 'ptr') || (type.kind === 'entity' && type.entity.kind === 'opaque');

const isReturned = (type) => type.kind === 'out' || type.kind === 'inout';

class Hints {
  #patterns;
  #faults = new Map();

  /** @param {Record<string, string[]>} options by their names */
  constructor(options) {
    this.#patterns = Object.fromEntries(HINTS.map((name) => [name, new Patterns(options[name] ?? [])]));
  }

  /** Whether pointers to a typedef of that name are text. */
  isTextType = (name) => this.#patterns.text.select(name) !== undefined;

  #misfit(option, { text }, name, reason) {
    const key = `--${option} '${text}'`;
    if (!this.#faults.has(key)) this.#faults.set(key, new Map());
    const byReason = this.#faults.get(key);
    byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }

  /** Applies every hint to the declarations. */
  apply({ functions, entities, globals }) {
    const known = functions.filter(({ type }) => type !== undefined);
    for (const each of known) {
      this.#passThrough(each);
      this.#change(each, 'text', asText, 'no pointer to characters');
      this.#change(each, 'number', asNumber);
      this.#lengths(each);
      this.#results(each);
    }
    for (const entity of entities.all) this.#changeEntity(entity);
    for (const each of globals) this.#changeGlobal(each);
    this.#owners(entities);
  }

  /** Lists what did not fit. */
  report(leftOut) {
    const group = 'options that do not fit';
    for (const [option, reasons] of this.#faults) {
      for (const [reason, names] of reasons) leftOut.add(group, option, `${names.join(', ')}: ${reason}`);
    }
    for (const name of HINTS)
      this.#patterns[name].unused.forEach((text) => leftOut.add(group, `--${name} '${text}'`, 'it matches nothing'));
  }

  // ---- parameters, results, fields ----------------------------------------------------------------------------------

  /** Makes parameters that the user has named out or inout parameters. */
  #passThrough({ name, parameters, type }) {
    for (const option of ['out', 'inout']) {
      if (this.#patterns[option].isEmpty) continue;
      parameters.forEach((parameter, i) => {
        const found = this.#patterns[option].select(`${name}.${parameter}`, `${name}.${i}`);
        if (found === undefined || isReturned(type.args[i])) return;
        if (type.args[i].kind === 'pointer') type.args[i] = { kind: option, of: type.args[i].to };
        else this.#misfit(option, found, `${name}.${parameter || i}`, 'no pointer to a value of a known type');
      });
    }
  }

  #change({ name, parameters, type }, option, change, reason) {
    const patterns = this.#patterns[option];
    if (patterns.isEmpty) return;
    const replace = (found, place, before, set) => {
      if (found === undefined) return;
      const after = change(before);
      if (after !== undefined) set(after);
      else if (reason !== undefined && !isScalar(before, 'cstring')) this.#misfit(option, found, place, reason);
    };
    replace(patterns.select(name), name, type.returns, (after) => (type.returns = after));
    type.args.forEach((arg, i) => {
      const place = `${name}.${parameters[i] || i}`;
      const found = patterns.select(place, `${name}.${i}`);
      if (isReturned(arg)) replace(found, place, arg.of, (after) => (type.args[i] = { ...arg, of: after }));
      // An integer that is passed may be a number anyway.
      else if (option === 'text' || arg.kind !== 'scalar')
        replace(found, place, arg, (after) => (type.args[i] = after));
    });
  }

  /** Fields of structs, and parameters and results of function pointers that have a name. */
  #changeEntity(entity) {
    for (const [option, change] of Object.entries({ text: asText, number: asNumber })) {
      const patterns = this.#patterns[option];
      if (patterns.isEmpty) continue;
      for (const field of entity.kind === 'record' ? entity.fields : []) {
        const after =
          field.type !== undefined && patterns.select(`${entity.name}.${field.name}`) ? change(field.type) : undefined;
        if (after !== undefined) field.type = after;
      }
      if (entity.kind !== 'alias' || entity.type.kind !== 'fn') continue;
      const { type } = entity;
      type.args = type.args.map((arg, i) => (patterns.select(`${entity.name}.${i}`) && change(arg)) || arg);
      if (patterns.select(entity.name)) type.returns = change(type.returns) ?? type.returns;
    }
  }

  /** A variable whose values are numbers. */
  #changeGlobal(each) {
    if (each.type !== undefined && this.#patterns.number.select(each.name))
      each.type = asNumber(each.type) ?? each.type;
  }

  /** `PATTERN=PARAMETER`: a parameter that counts the bytes of another. */
  #lengths(each) {
    const { name, parameters, type } = each;
    if (this.#patterns.length.isEmpty) return;
    parameters.forEach((parameter, i) => {
      const found = this.#patterns.length.select(`${name}.${parameter}`, `${name}.${i}`);
      if (found === undefined) return;
      const place = `${name}.${parameter || i}`;
      const counted = /^\d+$/.test(found.value) ? Number(found.value) : parameters.indexOf(found.value);
      if (counted < 0 || counted >= parameters.length) {
        this.#misfit('length', found, place, `${name} has no parameter ${found.value}`);
        return;
      }
      this.#try('length', found, place, each, () => (type.args[i] = { ...type.args[i], lengthOf: counted }));
    });
  }

  // ---- functions ----------------------------------------------------------------------------------------------------

  #results(each) {
    const { name, type } = each;
    for (const option of ['errno', 'threads', 'leaf']) {
      const found = this.#patterns[option].select(name);
      if (found !== undefined)
        this.#try(option, found, name, each, () => (type.options = { ...type.options, [option]: true }));
    }
    const fails = this.#patterns.fails.select(name);
    if (fails?.value === 'nonzero' && isAddress(type.returns))
      this.#misfit('fails', fails, name, 'its result is no number');
    else if (fails !== undefined)
      this.#try(
        'fails',
        fails,
        name,
        each,
        () => (type.options = { ...type.options, fails: fails.value ?? 'negative' }),
      );
    const free = this.#patterns.free.select(name);
    if (free !== undefined && free.value !== undefined) {
      if (asText(type.returns) !== undefined || isScalar(type.returns, 'cstring'))
        type.returns = { kind: 'owned', of: scalar('cstring'), free: free.value };
      else this.#misfit('free', free, name, 'its result is no text');
    } else if (free !== undefined) this.#frees(free, each);
  }

  /** A function that ends the handle it is passed first. */
  #frees(found, { name, type }) {
    const first = type.args.find((arg) => arg.kind === 'entity' && arg.entity.kind === 'opaque');
    if (first === undefined) this.#misfit('free', found, name, 'it takes no handle');
    else first.entity.free = [...(first.entity.free ?? []), name];
  }

  /** `TYPE=OWNER`: handles that end with others. */
  #owners(entities) {
    if (this.#patterns.owner.isEmpty) return;
    const handles = entities.of('opaque');
    for (const entity of handles) {
      const found = this.#patterns.owner.select(entity.name);
      if (found === undefined) continue;
      const owner = handles.find(({ name }) => name === found.value);
      if (owner === undefined || owner === entity || owns(entity, owner))
        this.#misfit('owner', found, entity.name, `${found.value} is no other handle that could own it`);
      else entity.owner = owner;
    }
  }

  /** Makes a change to a function that the package may refuse: then it is taken back and listed. */
  #try(option, found, place, { type }, change) {
    const before = { args: [...type.args], options: type.options };
    change();
    const fault = tryDeclaration(type);
    if (fault === undefined) return;
    Object.assign(type, before);
    this.#misfit(option, found, place, fault);
  }
}

/** Whether an entity owns another one, at any distance. */
function owns(entity, other) {
  for (let owner = other; owner !== undefined; owner = owner.owner) if (owner === entity) return true;
  return false;
}

module.exports = { Hints, HINTS };
