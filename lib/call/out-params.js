'use strict';
// Out parameters: each is fenced memory for the duration of the call. The call returns { returns, out: [...] }.

const { maybeThen } = require('./maybe-then.js');
const { placeInexact } = require('../exact-numbers.js');
const { retain } = require('../types/aggregate.js');
const { release } = require('../memory/retained.js');
const { readAddress } = require('../types/pointers.js');
const { spelled } = require('../types/registry.js');
const { alloc } = require('../memory/alloc.js');

/** @typedef {import('../types/registry.js').TypeDescriptor} TypeDescriptor */
/** @typedef {import('../types/registry.js').Parameter} Parameter */

/**
 * A function that takes the values of all parameters but out().
 * @param {{ args: TypeDescriptor[], parameters: Parameter[], loose: boolean, varargs?: boolean }} types
 * @param {Function} call takes all arguments
 * @param {string} name
 * @param {(name: string, expected: number, received: number) => Error} wrongCount
 */
function withOutParams({ args, parameters, loose, varargs }, call, name, wrongCount) {
  const expected = args.filter((descriptor) => descriptor.outParam !== 'out').length;
  const cells = args.flatMap((descriptor) => (descriptor.outParam ? [{ descriptor: descriptor.target }] : []));
  const caller = (...values) => {
    const isRight = values.length === expected || (varargs && values.length > expected);
    if (!loose && !isRight) throw wrongCount(name, expected, values.length);
    const retainedAll = [];
    const views = cells.map(({ descriptor }) => {
      const cell = alloc(descriptor.size, { align: descriptor.align });
      return new DataView(cell.buffer, cell.byteOffset, descriptor.size);
    });
    const end = () => retainedAll.forEach(release);
    const before = views.map(() => null);
    const read = ({ descriptor }, i) => {
      // A text that C has left as it was is the caller's.
      const isOwn = descriptor.isOwned && readAddress(views[i], 0) === before[i];
      try {
        return isOwn ? descriptor.readUnfreed(views[i], 0) : descriptor.read(views[i], 0);
      } catch (error) {
        throw placeInexact(error, name, `out[${i}]`);
      }
    };
    const fail = (error) => {
      end();
      // C may have given a text that says why, which has to be freed as well.
      if (!isRead && cells.some(({ descriptor }) => descriptor.isOwned)) addTexts(error, cells, read);
      throw error;
    };
    let isRead = false;
    try {
      const all = [];
      let next = 0;
      let cell = 0;
      args.forEach((descriptor, index) => {
        if (!descriptor.outParam) return void all.push(values[next++]);
        const view = views[cell++];
        if (descriptor.outParam === 'inout')
          fill(
            descriptor.target,
            view,
            values[next++],
            retainedAll,
            name,
            spelled(parameters[index].label, descriptor.targetType, descriptor.target),
          );
        if (descriptor.target.isOwned) before[cell - 1] = readAddress(view, 0);
        all.push(view);
      });
      // The pairs of a variadic function.
      if (varargs) for (; next < values.length; next += 1) all.push(values[next]);
      return maybeThen(
        call(...all),
        (returns) => {
          end();
          isRead = true;
          return { returns, out: cells.map(read) };
        },
        fail,
      );
    } catch (error) {
      return fail(error);
    }
  };
  return Object.defineProperty(caller, 'length', { value: expected });
}

/** Frees the texts of a call that has failed; the error of a failure of C has them as `out`. */
function addTexts(error, cells, read) {
  const texts = [];
  for (let i = 0; i < cells.length; i += 1) {
    if (!cells[i].descriptor.isOwned) continue;
    try {
      texts.push(read(cells[i], i));
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
