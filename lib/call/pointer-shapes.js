'use strict';
// The arguments of a function in another process: in which direction their bytes are copied, and
// where they hold pointers, which must not be of memory that the other process does not have. As numbers:
// src/call/pointer_shapes.rs.

const { lazy } = require('../lazy.js');

// Few functions have arguments that could hold pointers.
const fields = lazy(() => require('../memory/pointer-fields.js'));

const FLOWS = { __proto__: null, in: 1, out: 2, inout: 3 };

/** The types that were met, each with its number, counted from 1. */
class Shapes {
  /** @type {Map<object, number>} */
  #numbers = new Map();
  /** @type {number[][]} */
  #all = [];

  /** The number of a type; 0 for one without pointers. */
  add(descriptor) {
    const known = this.#numbers.get(descriptor);
    if (known !== undefined) return known;
    const pointers = fields().pointersOf(descriptor);
    if (pointers.length === 0) return 0;
    const number = this.#all.push([]);
    // Before the types that its pointers lead to, which may lead back.
    this.#numbers.set(descriptor, number);
    const pairs = pointers.flatMap(({ offset, target }) => [offset, target === undefined ? 0 : this.add(target)]);
    this.#all[number - 1] = [descriptor.size, pointers.length, ...pairs];
    return number;
  }

  get words() {
    return this.#all.flat();
  }
}

/** The type of an argument's value, if that is an aggregate, or of the value that it points to. */
const typeBehind = (descriptor) => {
  if (descriptor.fields !== undefined || descriptor.isArray) return descriptor;
  return descriptor.pointee?.() ?? (descriptor.outParam === 'inout' ? descriptor.target : undefined);
};

/** The shapes of a signature; undefined for one without pointers to aggregates. */
function describe({ args, parameters }) {
  const shapes = new Shapes();
  const types = args.map((descriptor) => {
    const type = typeBehind(descriptor);
    return type === undefined ? 0 : shapes.add(type);
  });
  const flows = parameters.map(({ flow }) => (flow === undefined ? 0 : FLOWS[flow]));
  if (![...flows, ...types].some((number) => number > 0)) return undefined;
  return { flows, types: shapes.words, arguments: types };
}

/** The same, kept with the signature. */
function shapesOf(signature) {
  return (signature.shapes ??= { made: describe(signature) }).made;
}

module.exports = { shapesOf };
