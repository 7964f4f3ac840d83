'use strict';
// Ends the handles that a call frees, and assigns the handles that it returns to their owners.

const { maybeThen } = require('./maybe-then.js');
const binding = require('../native/binding.js');
const { Handle } = require('../types/handle.js');

const freesIt = (handleType, names) => {
  for (let own = handleType; own !== undefined; own = own.base)
    if (names.some((name) => own.free.has(name))) return true;
  return false;
};

/**
 * The handles that calls under way have ended, innermost last, each with how many calls that free had gone in by then.
 */
const ended = [];

/**
 * The descriptor of an argument that a function frees: the handle ends when it is written. From then on no JavaScript
 * of the user's runs until C does.
 */
function freedDescriptor(descriptor, name) {
  const { freedDescriptors } = descriptor.opaque;
  if (!freedDescriptors.has(name)) {
    freedDescriptors.set(name, {
      __proto__: null,
      ...descriptor,
      key: `${descriptor.key} freed by ${name}`,
      write(view, at, value, owner, position) {
        descriptor.write(view, at, value, owner, position);
        if (value === null) return;
        Handle.end(value, name);
        ended.push({ handle: value, entered: binding.enteredFrees() });
      },
    });
  }
  return freedDescriptors.get(name);
}

const reviveAll = (all) => all.forEach(({ handle }) => Handle.revive(handle));

/**
 * The handles that a call has ended, from a place in `ended` on. None if C was not entered: then they are valid again.
 */
function takeEnded(from) {
  const own = ended.splice(from);
  if (own.length === 0 || own[0].entered !== binding.enteredFrees()) return own;
  reviveAll(own);
  return [];
}

/**
 * The function of some types; it ends the handles that it frees when it begins, because C may have freed them at any
 * time after. They are taken back where C was not entered, and where the declaration says of the result that the call
 * has failed.
 * @param {string[]} names what the function is known by
 */
function endHandles(types, names, make, check) {
  const frees = (descriptor) => descriptor.opaque !== undefined && freesIt(descriptor.opaque, names);
  if (!types.args.some(frees)) return make(types, false);
  const call = make(
    {
      ...types,
      args: types.args.map((descriptor) => (frees(descriptor) ? freedDescriptor(descriptor, names[0]) : descriptor)),
    },
    true,
  );
  const checked = (result, own) => {
    try {
      return check(result);
    } catch (error) {
      reviveAll(own);
      throw error;
    }
  };
  return (...values) => {
    const from = ended.length;
    let own;
    let returned;
    try {
      returned = call(...values);
    } finally {
      own = takeEnded(from);
    }
    return check === undefined ? returned : maybeThen(returned, (result) => checked(result, own));
  };
}

/**
 * Makes the handles that a bound function returns belong to the argument of their owner's type; `results` picks them.
 */
function adoptHandles(results, call) {
  if (!results.descriptors.some((descriptor) => descriptor.opaque?.owner)) return call;
  const adopt = (value, values) => {
    const { owner } = Handle.typeOfHandle(value) ?? {};
    const found = owner && values.find((argument) => Handle.isOf(argument, owner));
    if (found) Handle.own(value, found);
  };
  return (...values) => {
    return maybeThen(call(...values), (returned) => {
      results.of(returned).forEach((value) => adopt(value, values));
      return returned;
    });
  };
}

module.exports = { endHandles, adoptHandles };
