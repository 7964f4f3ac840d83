'use strict';
// The live log of calls: PINNED_FFI_TRACE=log prints each call on stderr with its arguments, its result and its time,
// as ltrace does. Without it, functions are bound as they are.

const { Buffer } = require('node:buffer');
const fs = require('node:fs');
const path = require('node:path');
const { types, inspect } = require('node:util');
const { threadId } = require('node:worker_threads');
const { describe } = require('../errors.js');
const { typeOf } = require('../types/registry.js');

// ---- Lines ----------------------------------------------------------------------------------------------------------

const STDERR = 2;
/** The number of attempts to write to a full pipe before the text is dropped: the program must not hang. */
const MOST_TRIES = 1000;

/** Writes at once, so that the last line is there when the call crashes. */
function write(text) {
  let rest = Buffer.from(text);
  for (let tries = 0; rest.length > 0 && tries < MOST_TRIES; tries += 1) {
    try {
      rest = rest.subarray(fs.writeSync(STDERR, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
  }
}

const prefix = threadId === 0 ? '' : `[worker ${threadId}] `;
/** The calls under way, the innermost last, and the one whose line has no end yet. */
const underWay = [];
let open;

/** Ends the line of a call in which something else is printed. */
function interrupt() {
  if (open === undefined) return;
  open = undefined;
  write(' <unfinished ...>\n');
}

const indentation = () => prefix + '  '.repeat(underWay.length);

function print(line) {
  interrupt();
  write(`${indentation()}${line}\n`);
}

/** A call begins: its line ends with what it returns, unless another begins first. */
function begin(name, values) {
  const call = { name, start: process.hrtime.bigint() };
  interrupt();
  write(`${indentation()}${name}(${values})`);
  underWay.push(call);
  open = call;
  return call;
}

function end(call, outcome) {
  const time = timeSince(call.start);
  // Calls that an exception has skipped are over as well.
  while (underWay.length > 0 && underWay.pop() !== call);
  if (open === call) write(` ${outcome} ${time}\n`);
  else {
    interrupt();
    write(`${indentation()}<... ${call.name} resumed> ${outcome} ${time}\n`);
  }
  open = undefined;
}

const NS_PER_MS = 1e6;
const timeSince = (start) => `<${(Number(process.hrtime.bigint() - start) / NS_PER_MS).toFixed(3)} ms>`;

// ---- Values ---------------------------------------------------------------------------------------------------------

const MOST_CHARACTERS = 64;
const MOST_ELEMENTS = 8;
const DEPTH = 2;

const shortened = (text) =>
  text.length > MOST_CHARACTERS ? `${JSON.stringify(text.slice(0, MOST_CHARACTERS))}...` : JSON.stringify(text);

const ADDRESSES = new Set(['ptr', 'function', 'cstring', 'utf16', 'wstring', 'buffer']);
const holdsAddress = (descriptor) => descriptor?.isPointerLike === true || ADDRESSES.has(descriptor?.name);
const hex = (address) => `0x${address.toString(16)}`;

/** A value as C has it: an address in hexadecimal, text in quotes. Runs no code of the value's, but a `ptr` of ours. */
function show(value, descriptor) {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return holdsAddress(descriptor) ? hex(value) : String(value);
    case 'string':
      return shortened(value);
    case 'function':
      return `[function ${nameOf(value)}]`;
    case 'object':
      return value === null ? 'NULL' : showObject(value, descriptor);
    default:
      return typeof value === 'boolean' ? String(value) : describe(value);
  }
}

function nameOf(fn) {
  const name = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' && name !== '' ? name : '(anonymous)';
}

const isPlain = (value) => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

function showObject(value, descriptor) {
  if (types.isProxy(value)) return '[a Proxy]';
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `[${describe(value).replace(/^an? /, '')}]`;
  if (Array.isArray(value)) return showList(value, descriptor);
  if (isPlain(value)) {
    return inspect(value, {
      customInspect: false,
      depth: DEPTH,
      breakLength: Infinity,
      maxArrayLength: MOST_ELEMENTS,
      maxStringLength: MOST_CHARACTERS,
    });
  }
  return showInstance(value);
}

function showList(values, descriptor) {
  const shown = values.slice(0, MOST_ELEMENTS).map((value) => show(value, descriptor));
  return `[${shown.join(', ')}${values.length > MOST_ELEMENTS ? ', ...' : ''}]`;
}

/** A JSCallback, a handle, a view: its class and its address. */
function showInstance(value) {
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? 'object';
  let address;
  try {
    address = value.ptr;
  } catch {
    // A getter of the user's.
  }
  return typeof address === 'number' || typeof address === 'bigint' ? `[${name} ${hex(address)}]` : `[${name}]`;
}

/** The extra argument of a variadic function, a pair of a type and a value. */
function showExtra(pair, name) {
  if (!Array.isArray(pair) || pair.length !== 2) return show(pair);
  try {
    return show(pair[1], typeOf(pair[0], name));
  } catch {
    return show(pair[1]);
  }
}

/** The result, and the values of out parameters. */
function showResult(value, spec) {
  const { types: declared, hasOutParams } = spec;
  if (!hasOutParams) return `= ${showReturned(value, declared.result)}`;
  const targets = declared.args.flatMap((descriptor) => (descriptor.outParam ? [descriptor.target] : []));
  const out = value.out.map((each, i) => show(each, targets[i]));
  return `= ${showReturned(value.returns, declared.result)}, out: [${out.join(', ')}]`;
}

const showReturned = (value, descriptor) => (descriptor.name === 'void' ? 'void' : show(value, descriptor));

/** The thrown value, in one line. */
function showThrown(error) {
  if (!types.isNativeError(error)) return `threw ${show(error)}`;
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  const [first] = String(message).split('\n');
  return `threw ${typeof code === 'string' && !first.startsWith(code) ? `${code}: ` : ''}${first}`;
}

// ---- Functions ------------------------------------------------------------------------------------------------------

/**
 * The patterns of `log:NAMES`: names of functions with `*` for any characters; those behind `!` are left out.
 * @param {string[]} patterns none means all
 */
function makeFilter(patterns) {
  const regular = (pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  const excluded = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => regular(pattern.slice(1)));
  const included = patterns.filter((pattern) => !pattern.startsWith('!')).map(regular);
  const matches = (list, names) => list.some((pattern) => names.some((name) => pattern.test(name)));
  return (...names) => (included.length === 0 || matches(included, names)) && !matches(excluded, names);
}

/** The file of a library, for the start of a line. */
function libraryOf({ native }) {
  const quoted = /^"(.*)"$/.exec(native.name);
  return quoted === null ? '' : `${path.basename(quoted[1])}: `;
}

let promises = 0;

/** Follows a Promise, so that its outcome is printed. The one that is returned has the same outcome. */
function follow(promise, name, start, spec) {
  promises += 1;
  const title = `${name} (promise ${promises})`;
  return [
    promises,
    promise.then(
      (value) => {
        print(`${title} ${showResult(value, spec)} ${timeSince(start)}`);
        return value;
      },
      (error) => {
        print(`${title} ${showThrown(error)} ${timeSince(start)}`);
        throw error;
      },
    ),
  ];
}

/** Runs a call and prints it: a line, or two where the call nests others. */
function inLog(title, spec, shown, run) {
  const line = begin(title, shown.join(', '));
  let outcome = '';
  try {
    const result = run();
    if (!types.isPromise(result)) {
      outcome = showResult(result, spec);
      return result;
    }
    const [number, promise] = follow(result, title, line.start, spec);
    outcome = `= promise ${number}`;
    return promise;
  } catch (error) {
    outcome = showThrown(error);
    throw error; // node-do-not-add-exception-line
  } finally {
    end(line, outcome);
  }
}

/**
 * A bound function that prints its calls.
 * @param {Function} call
 * @param {import('./bind.js').BoundFunction} boundFunction
 * @param {string} kind what stands behind the name: '' or '.async'
 */
function logged(call, { name, spec, lifetime }, kind = '') {
  const title = `${libraryOf(lifetime)}${name}${kind}`;
  const passed = spec.types.args.filter((descriptor) => descriptor.outParam !== 'out');
  const shown = (value, i) => (i < passed.length ? show(value, passed[i].target ?? passed[i]) : showExtra(value, name));
  const caller = (...values) => inLog(title, spec, values.map(shown), () => call(...values));
  return Object.defineProperties(caller, { name: { value: call.name }, length: { value: call.length } });
}

/**
 * A function that C calls, which prints its calls.
 * @param {Function} callback
 * @param {{ args: import('../types/registry.js').TypeDescriptor[], result:
 *   import('../types/registry.js').TypeDescriptor }} types
 */
function loggedCallback(callback, { args, result }) {
  const title = `callback ${nameOf(callback)}`;
  const spec = { types: { result }, hasOutParams: false };
  return (...values) =>
    inLog(
      title,
      spec,
      values.map((value, i) => show(value, args[i])),
      () => callback(...values),
    );
}

module.exports = { logged, loggedCallback, makeFilter, nameOf };
