'use strict';
// Out parameters: each is fenced memory for the duration of the call. The call returns { returns, out: [...] }.

const { maybeThen } = require('./maybe-then.js');
const { retain } = require('../types/aggregate.js');
const { release } = require('../memory/retained.js');
const { spelled } = require('../types/registry.js');
const { alloc } = require('../memory/alloc.js');

/** @typedef {import('../types/registry.js').TypeDescriptor} TypeDescriptor */
/** @typedef {import('../types/registry.js').Parameter} Parameter */

/**
 * A function that takes the values of all parameters but out().
 * @param {{ args: TypeDescriptor[], parameters: Parameter[], loose: boolean }} types
 * @param {Function} call takes all arguments
 * @param {string} name
 * @param {(name: string, expected: number, received: number) => Error} wrongCount
 */
function withOutParams({ args, parameters, loose }, call, name, wrongCount) {
  const expected = args.filter((descriptor) => descriptor.outParam !== 'out').length;
  const cells = args.flatMap((descriptor) => (descriptor.outParam ? [{ descriptor: descriptor.target }] : []));
  const caller = (...values) => {
    if (!loose && values.length !== expected) throw wrongCount(name, expected, values.length);
    const retainedAll = [];
    const views = cells.map(({ descriptor }) => {
      const cell = alloc(descriptor.size, { align: descriptor.align });
      return new DataView(cell.buffer, cell.byteOffset, descriptor.size);
    });
    const end = () => retainedAll.forEach(release);
    const fail = (error) => {
      end();
      throw error;
    };
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
        all.push(view);
      });
      return maybeThen(
        call(...all),
        (returns) => {
          end();
          return { returns, out: cells.map(({ descriptor }, i) => descriptor.read(views[i], 0)) };
        },
        fail,
      );
    } catch (error) {
      return fail(error);
    }
  };
  return Object.defineProperty(caller, 'length', { value: expected });
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
