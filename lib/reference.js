'use strict';
// pointer, out, inout: pointers that know what they point to.

const { DeclaredType, sharedBy, keyOf } = require('./declared');
const { makeError, wrongValue, describe, place } = require('./errors');
const { byteLengthOf, isView } = require('./memory/array-buffer');
const { byName, typeOf, writeMemory } = require('./types');

const base = byName.get('ptr');

/** The row that a pointer points to: now, or when it is first needed, where the type is given by a function. */
function targetOf(type, where) {
  if (typeof type !== 'function') {
    const row = typeOf(type, where);
    return () => row;
  }
  let row;
  return () => (row ??= typeOf(type(), where));
}

/** A pointer to a value of a type. A view that is passed has to hold one: its bytes are counted before C is entered. */
function pointer(type) {
  const target = targetOf(type, 'pointer: type');
  const row = typeof type === 'function'
    ? pointerRow(target, 'pointer')
    : sharedBy(['pointer', keyOf(target())], () => pointerRow(target, `pointer(${target().name})`));
  return Object.freeze(new DeclaredType(row));
}

function pointerRow(target, name) {
  const row = {
    ...base,
    name,
    key: `pointer ${nextKey()}`,
    write(view, at, value, owner, position) {
      if (isView(value) && byteLengthOf(value) < target().size) {
        throw makeError('ERR_OUT_OF_RANGE', `${place(owner, position)} needs at least ${target().size} bytes `
          + `(${target().name}), received ${describe(value)}`);
      }
      return writeMemory(view, at, value, row, owner, position);
    },
  };
  return row;
}

let keys = 0;
const nextKey = () => (keys += 1);

const parameter = (kind) => (type) => {
  const row = typeOf(type, `${kind}: type`);
  if (row.name === 'void' || row.argumentOnly) {
    throw wrongValue(`${kind}: type`, 'a type that has values in memory', row.name);
  }
  return Object.freeze(new DeclaredType(sharedBy([kind, keyOf(row)], () => ({
    ...base,
    name: `${kind}(${row.name})`,
    key: `${kind} ${nextKey()}`,
    argumentOnly: 'it is a parameter of a function',
    passes: kind,
    target: row,
  }))));
};

/** A parameter through which C gives a value back: the call returns it, and nobody passes it. */
const out = parameter('out');

/** A parameter through which C takes a value and gives one back. */
const inout = parameter('inout');

module.exports = { pointer, out, inout };
