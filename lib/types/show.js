'use strict';
// The text of values and types in console.log, util.inspect, the REPL and JSON. Values are read with care: a pointer
// that leads nowhere must not end the process that prints it.

const { hex, typeNameOf } = require('../errors.js');
const access = require('../memory/access.js');
const { isOfHost } = require('../memory/hosts.js');
const { readAddress } = require('./pointers.js');
const { decodeText, endOf, textElements } = require('./text-units.js');

/** As many elements and fields are shown; util.inspect has the same limit. */
const MOST_SHOWN = 100;

/** A text that is printed without quotes. */
class Shown {
  constructor(text) {
    this.text = text;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return this.text;
  }
}

const bytesAt = (data, at, size) => new Uint8Array(data.buffer, data.byteOffset + at, size);

/** The text of an array of characters; undefined for other elements. */
function textOfArray(descriptor, data, at) {
  const found = textElements(descriptor.element, descriptor.elementType);
  return found?.isText ? decodeText(bytesAt(data, at, descriptor.size), found.encoding) : undefined;
}

// ---- util.inspect ---------------------------------------------------------------------------------------------------

const ENCODINGS = { __proto__: null, 1: 'utf8', 2: 'utf16', 4: 'utf32' };

/** The text at any address; undefined where there is none for certain. Long texts are cut. */
function shownText(address, unit) {
  const all = access.shownBytes(address);
  if (all === undefined) return undefined;
  const isCut = endOf(all, unit) === all.length;
  return `${decodeText(all, ENCODINGS[unit])}${isCut ? '...' : ''}`;
}

/** The text of a value. Reading that of an isolated library throws where its process does not have the memory. */
const textAt = (descriptor, address, data, at) =>
  shownText(address, descriptor.unit ?? 1) ?? (isOfHost(address) ? descriptor.read(data, at) : undefined);

/** A value; an integer that is too large for its type is a BigInt. */
function readSafely(descriptor, data, at) {
  if (descriptor.readBig === undefined) return descriptor.read(data, at);
  const big = descriptor.readBig(data, at);
  return Number.isSafeInteger(Number(big)) ? Number(big) : big;
}

/** A value in memory, to print. Of a union any field may be garbage: the memory that it points to is not looked at. */
function shownAt(descriptor, data, at, isCertain) {
  if (descriptor.fields !== undefined) return shownFields(descriptor, data, at, isCertain);
  if (descriptor.element !== undefined) return shownElements(descriptor, data, at, isCertain);
  if (descriptor.isText) {
    const address = readAddress(data, at);
    const text = isCertain && address !== null ? textAt(descriptor, address, data, at) : undefined;
    return address === null ? null : (text ?? new Shown(`<${hex(address)}>`));
  }
  if (descriptor.isFunction) return new Shown(`<${hex(readAddress(data, at))}>`);
  if (descriptor.opaque !== undefined && !isCertain) return new Shown(`<${hex(readAddress(data, at))}>`);
  return readSafely(descriptor, data, at);
}

function shownFields(descriptor, data, at, isCertain) {
  const shown = {};
  for (const { key, offset, descriptor: part } of descriptor.fields) {
    shown[key] = shownAt(part, data, at + offset, isCertain && !descriptor.isUnion);
  }
  return shown;
}

/** The number of elements; of a flexible array what its count says. */
const lengthOf = (descriptor, data, at) => descriptor.lengthAt?.(data, at) ?? descriptor.length;

function shownElements(descriptor, data, at, isCertain) {
  const text = textOfArray(descriptor, data, at);
  if (text !== undefined) return text;
  const { element } = descriptor;
  const length = lengthOf(descriptor, data, at);
  const shown = [];
  const count = length > MOST_SHOWN ? MOST_SHOWN - 1 : length;
  for (let i = 0; i < count; i += 1) shown.push(shownAt(element, data, at + i * element.size, isCertain));
  if (length > count) shown.push(new Shown(`... ${length - count} more`));
  return shown;
}

/**
 * A live view as util.inspect shows it.
 * @param {() => ({ data: DataView, at: number } | undefined)} memory
 */
function inspectView(descriptor, memory, { depth, options, inspect }) {
  const { name } = descriptor;
  if (depth < 0) return options.stylize(`[${name}]`, 'special');
  const deeper = { ...options, depth: options.depth === null ? null : depth };
  try {
    const found = memory();
    if (found === undefined) return `${name} <memory that is not mapped>`;
    return `${name} ${inspect(shownAt(descriptor, found.data, found.at, true), deeper)}`;
  } catch (error) {
    // The buffer was transferred, for instance. Printing is the last thing that should throw.
    return `${name} <${error.message}>`;
  }
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

const exactNumber = (big) =>
  big <= BigInt(Number.MAX_SAFE_INTEGER) && big >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(big) : String(big);

/** Whether an address is known not to be that of a text: its memory ends before the text does. */
function leadsNowhere(address, unit) {
  if (address === null || isOfHost(address)) return false;
  if (!access.isReadable(address, 1)) return true;
  const bytes = access.shownBytes(address);
  return bytes !== undefined && bytes.length < access.MOST_SHOWN && endOf(bytes, unit) === bytes.length;
}

/** A value in memory as JSON has it. Texts of a union, and those that are not mapped, are addresses. */
function jsonOf(descriptor, data, at, isCertain = true) {
  if (descriptor.fields !== undefined) {
    const entries = descriptor.fields.map(({ key, offset, descriptor: part }) => [
      key,
      jsonOf(part, data, at + offset, isCertain && !descriptor.isUnion),
    ]);
    return Object.fromEntries(entries);
  }
  if (descriptor.element !== undefined) {
    const { element } = descriptor;
    const length = lengthOf(descriptor, data, at);
    return Array.from({ length }, (_, i) => jsonOf(element, data, at + i * element.size, isCertain));
  }
  const isAddress =
    descriptor.isFunction ||
    (!isCertain && (descriptor.isText || descriptor.opaque !== undefined)) ||
    (descriptor.isText && leadsNowhere(readAddress(data, at), descriptor.unit ?? 1));
  const value = isAddress ? readAddress(data, at) : readSafely(descriptor, data, at);
  return typeof value === 'bigint' ? exactNumber(value) : value;
}

// ---- types ----------------------------------------------------------------------------------------------------------

const bytes = (size) => `${size} ${size === 1 ? 'byte' : 'bytes'}`;

function describeFields({ fields, isUnion, name, size }) {
  const keyword = isUnion ? 'union' : 'struct';
  const shown = fields.slice(0, MOST_SHOWN).map(({ key, type, descriptor }) => `${key}: ${type ?? descriptor.name}`);
  if (fields.length > MOST_SHOWN) shown.push(`... ${fields.length - MOST_SHOWN} more`);
  return `${name === keyword ? '' : `${name} `}{ ${shown.join(', ')} } ${bytes(size)}`;
}

/** A type as util.inspect shows it: `struct Point { x: f64, y: f64 } 16 bytes`. */
function describeType(descriptor) {
  const { name, size } = descriptor;
  if (descriptor.fields !== undefined)
    return `${descriptor.isUnion ? 'union' : 'struct'} ${describeFields(descriptor)}`;
  if (descriptor.opaque !== undefined) return `opaque ${name} ${bytes(size)}`;
  if (descriptor.members !== undefined) {
    const members = Object.entries(descriptor.members).slice(0, MOST_SHOWN);
    return `enumeration ${name} { ${members.map(([key, value]) => `${key}: ${value}`).join(', ')} } ${bytes(size)}`;
  }
  return descriptor.shown === undefined ? `${name} ${bytes(size)}` : `${name} ${descriptor.shown}`;
}

/** The types of a function, as `(ptr, size_t) => int`. */
const describeSignature = (parameters, result) =>
  `(${parameters.map(({ label, descriptor }) => typeNameOf(descriptor, label)).join(', ')}) => ${result}`;

module.exports = { inspectView, jsonOf, textOfArray, describeType, describeSignature };
