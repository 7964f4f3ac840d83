'use strict';
// Compares the compiler's layout of each record with the package's: a record that differs is not declared.

const ffi = require('../../index.js');
const { exact } = require('./entities.js');
const { Unsupported } = require('./types.js');

/** A declaration of the real package for the layout of a type; throws Unsupported. */
function realOf(type) {
  switch (type.kind) {
    case 'scalar':
      return type.name;
    case 'array':
      return ffi.array(realOf(type.of), type.length);
    case 'entity':
      return realOfEntity(type.entity);
    case 'owned':
      return realOf(type.of);
    default:
      return 'ptr';
  }
}

function realOfEntity(entity) {
  if (entity.kind === 'enum') return entity.type;
  if (entity.kind !== 'record') return 'ptr';
  settle(entity);
  if (entity.fault !== undefined) throw new Unsupported(`${entity.c ?? entity.name}: ${entity.fault}`);
  return entity.real;
}

/** Finds the options under which the package lays a record out as C does; else `entity.fault` says what is wrong. */
function settle(entity) {
  if (entity.real !== undefined || entity.fault !== undefined) return;
  // A record that holds itself is nothing that C has; a fault of ours would not end.
  entity.fault = 'holds itself';
  try {
    entity.real = matching(entity);
    entity.fault = undefined;
  } catch (error) {
    if (!(error instanceof Unsupported) && !/^ERR_/.test(error.code ?? '')) throw error;
    entity.fault = error.message;
  }
}

function matching(entity) {
  const unsupported = entity.fields.find(({ fault }) => fault !== undefined);
  if (unsupported !== undefined) throw new Unsupported(`field ${unsupported.name}: ${unsupported.fault}`);
  if (entity.fields.length === 0) throw new Unsupported('it has no fields');
  const fields = Object.fromEntries(
    entity.fields.map(({ name, type, bits }) => [
      name,
      bits === undefined ? realOf(type) : { type: realOf(type), bits },
    ]),
  );
  const { align } = entity.layout;
  /** @type {{ packed?: number, align?: number }[]} */
  const wanted = [{}, ...(align === undefined ? [] : [{ align }])];
  if (!entity.isUnion)
    for (const packed of [1, 2, 4, 8]) wanted.push({ packed }, ...(align === undefined ? [] : [{ packed, align }]));
  const make = entity.isUnion ? ffi.union : ffi.struct;
  let different = '';
  for (const options of wanted) {
    const real = make(fields, { ...options, name: entity.name });
    const difference = differenceOf(entity, real);
    if (difference === undefined) {
      entity.options = options;
      return real;
    }
    different ||= difference;
  }
  throw new Unsupported(`no declaration has C's layout: ${different}`);
}

/** The first difference between a type of the package and the compiler's layout; undefined without one. */
function differenceOf({ fields, layout }, real) {
  if (layout.size !== undefined && layout.size !== real.size) return `${layout.size} bytes instead of ${real.size}`;
  if (layout.align !== undefined && layout.align !== real.align)
    return `aligned to ${layout.align} instead of ${real.align}`;
  for (const { name, bits } of fields) {
    const at = layout.offsets[name];
    if (bits !== undefined) {
      const [found, wanted] = [bitsOf(real, name), layout.bits?.[name]];
      if (wanted !== undefined && (found.first !== wanted.first || found.width !== wanted.width)) {
        return `the bits of ${name} lie elsewhere`;
      }
    } else if (at !== undefined && at !== ffi.offsetof(real, name))
      return `${name} is at ${at} instead of ${ffi.offsetof(real, name)}`;
  }
  return undefined;
}

/**
 * Where the bits of a bitfield are: the first, counted from the record's start, how many, and the value that sets them.
 */
function bitsOf(real, name) {
  for (const value of [-1, 1, true]) {
    const view = real.alloc();
    const ones = allOnes(view, name, value);
    if (ones === undefined) continue;
    const memory = [...ffi.toBuffer(ffi.ptr(view), 0, real.size)];
    const set = memory.flatMap((byte, i) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => i * 8 + bit),
    );
    return { value: ones, first: set[0], width: set.length };
  }
  throw new Unsupported(`the bits of ${name} cannot be set`);
}

// A signed field has all bits set by -1; an unsigned one by the largest value that it takes.
function allOnes(view, name, value) {
  try {
    view[name] = value;
    if (value !== 1) return value;
    for (let bits = 64n; bits > 0n; bits -= 1n) {
      try {
        const most = exact(2n ** bits - 1n);
        view[name] = most;
        return most;
      } catch (error) {
        if (error.code !== 'ERR_OUT_OF_RANGE') throw error;
      }
    }
    return undefined;
  } catch (error) {
    if (/^ERR_(OUT_OF_RANGE|INVALID_ARG)/.test(error.code ?? '')) return undefined;
    throw error;
  }
}

module.exports = { settle, realOf, bitsOf };
