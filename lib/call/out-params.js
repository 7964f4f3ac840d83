'use strict';
// Out parameters: each is fenced memory during the call, which returns { returns, out: [...] }.

const { maybeThen } = require('./maybe-then.js');
const { placeInexact } = require('../exact-numbers.js');
const { retain } = require('../types/aggregate.js');
const { release } = require('../memory/retained.js');
const { readAddress } = require('../types/pointers.js');
const { hasNoAddress, spelled } = require('../types/registry.js');
const { alloc } = require('../memory/alloc.js');

/** @typedef {import('../types/registry.js').TypeDescriptor} TypeDescriptor */
/** @typedef {import('../types/registry.js').Parameter} Parameter */

/** The most bytes of cells that a function keeps for its next call. */
const MOST_KEPT = 4096;

/**
 * A function that takes the values of all parameters but out(). It keeps the memory of its parameters for the next
 * call, which nested and asynchronous calls do not wait for, unless C may have returned an address in it.
 * @param {{ args: TypeDescriptor[], parameters: Parameter[], result: TypeDescriptor, loose: boolean,
 *   varargs?: boolean }} types
 * @param {Function} call takes all arguments
 * @param {string} name
 * @param {(name: string, expected: number, received: number) => Error} wrongCount
 */
function withOutParams({ args, parameters, result, loose, varargs }, call, name, wrongCount) {
  const expected = args.filter((descriptor) => descriptor.outParam !== 'out').length;
  const targets = args.flatMap((descriptor) => (descriptor.outParam ? [descriptor.target] : []));
  const isKept = hasNoAddress(result) && targets.reduce((sum, { size }) => sum + size, 0) <= MOST_KEPT;
  /** @type {Cell[] | undefined} */
  let spare;

  const fillAll = (cells, values, retained) => {
    const all = [];
    let [next, cell] = [0, 0];
    for (let i = 0; i < args.length; i += 1) {
      if (!args[i].outParam) all.push(values[next++]);
      else {
        const { view, target } = cells[cell];
        if (args[i].outParam === 'inout') {
          const position = spelled(parameters[i].label, args[i].targetType, target);
          fill(target, view, values[next++], retained, name, position);
        }
        cells[cell++].begin();
        all.push(view);
      }
    }
    // The pairs of a variadic function.
    if (varargs) for (; next < values.length; next += 1) all.push(values[next]);
    return all;
  };

  /** Ends a call: releases what it has retained; its cells are for the next one. */
  const end = (cells, retained) => {
    retained.forEach(release);
    if (isKept) spare = cells;
  };

  const succeed = (cells, retained, returns) => {
    try {
      return { returns, out: cells.map((cell, i) => cell.read(name, i)) };
    } finally {
      end(cells, retained);
    }
  };

  const fail = (cells, retained, error) => {
    // C may have given a text that says why, which has to be freed as well.
    if (cells.some(({ target }) => target.isOwned)) addTexts(error, cells, name);
    end(cells, retained);
    throw error;
  };

  const caller = (...values) => {
    const isRight = values.length === expected || (varargs && values.length > expected);
    if (!loose && !isRight) throw wrongCount(name, expected, values.length);
    const cells = spare ?? targets.map((target) => new Cell(target));
    spare = undefined;
    cells.forEach((cell) => cell.clear());
    const retained = [];
    let returned;
    try {
      returned = call(...fillAll(cells, values, retained));
    } catch (error) {
      return fail(cells, retained, error);
    }
    return maybeThen(
      returned,
      (returns) => succeed(cells, retained, returns),
      (error) => fail(cells, retained, error),
    );
  };
  return Object.defineProperty(caller, 'length', { value: expected });
}

/** The fenced memory of a parameter. */
class Cell {
  /** The address of a text before the call, where C gives texts. */
  #before = null;

  /** @param {any} target */
  constructor(target) {
    const bytes = alloc(target.size, { align: target.align });
    this.target = target;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, target.size);
    this.isUsed = false;
  }

  /** C finds zeros, as in new memory. */
  clear() {
    if (this.isUsed) this.bytes.fill(0);
    this.isUsed = true;
    this.#before = null;
  }

  /** It has the value that C receives. */
  begin() {
    if (this.target.isOwned) this.#before = readAddress(this.view, 0);
  }

  /** The value after the call. A text that C has left as it was is the caller's. */
  read(name, index) {
    const { target, view } = this;
    try {
      const isCallers = target.isOwned && readAddress(view, 0) === this.#before;
      return isCallers ? target.readUnfreed(view, 0) : target.read(view, 0);
    } catch (error) {
      throw placeInexact(error, name, `out[${index}]`);
    }
  }
}

/** Frees the texts of a call that has failed; the error of a failure of C has them as `out`. */
function addTexts(error, cells, name) {
  const texts = [];
  for (let i = 0; i < cells.length; i += 1) {
    if (!cells[i].target.isOwned) continue;
    try {
      texts.push(cells[i].read(name, i));
    } catch {
      // C has left no text there. The caller has to learn of the failure itself.
      texts.push(null);
    }
  }
  if (Object.hasOwn(Object(error), 'result')) error.out = texts;
}

function fill(descriptor, view, value, retainedAll, name, position) {
  const resolved = descriptor.resolve ? descriptor.resolve(value, name, position) : value;
  const retained = retain(
    undefined,
    descriptor,
    view,
    0,
    descriptor.write(view, 0, resolved, name, position),
    name,
    position,
  );
  if (retained !== undefined) retainedAll.push(retained);
}

module.exports = { withOutParams };
