'use strict';
// A child process of the fuzzer: runs the inputs FROM to TO of a seed, or one input that is given as JSON, and holds
// each to the rule: it works, or it throws an error of the table, or what its own code has thrown.
//   node test/fuzz/shard.js PROGRESS-FILE SEED FROM TO | - JSON | show SEED INDEX
// The number of the input that is running is always in the progress file: a crash is told by it.

const fs = require('node:fs');
const { types } = require('node:util');
const { makeRandom } = require('../helpers.js');
const { TABLE } = require('../../lib/errors.js');
const { inputOf, surface } = require('./surface.js');
const { chooser } = require('./specs.js');
const { World, THROWN_TEXT } = require('./world.js');

/** What the engine throws in the name of an object of the user. */
const BY_ENGINE =
  /proxy that has been revoked|on proxy|private member|Receiver must be an instance of class|Class constructor|is not a constructor|is not extensible|^'caller', 'callee', and 'arguments' properties may not be accessed/;
/**
 * Where the engine makes a number of an object, as `wrap: true` asks: the object's own conversions, or none, may throw.
 */
const CONVERTING = /^ +at resolve \(.*coerce\.js:/m;
/** Where a field is read that is named as a getter of views, of a proxy of a view: the getter throws. */
const READING = /called on incompatible receiver.*\n +at .*\n +at \w+ \(pinned-ffi:koffi\/write:/;
const counts = { inputs: 0, returned: 0, refused: 0, thrown: 0, codes: {} };

/** Why what was thrown must not be; undefined where it may. */
function fault(error, world) {
  if (error === THROWN_TEXT || world.thrown.has(error)) return undefined;
  if (!types.isNativeError(error)) return `threw ${typeof error}, which is no Error`;
  const { code } = error;
  if (code === undefined && error instanceof TypeError && BY_ENGINE.test(error.message)) return undefined;
  // Of another realm it is another TypeError.
  if (code === undefined && (CONVERTING.test(error.stack) || READING.test(error.stack))) return undefined;
  if (typeof error.syscall === 'string' && error.code !== undefined) return undefined;
  if (!Object.hasOwn(TABLE, code)) return `threw ${error.stack}, whose code ${String(code)} is not in the table`;
  if (code === 'ERR_FFI_INTERNAL') return `threw ${error.stack}`;
  if (Object.getPrototypeOf(error) !== TABLE[code].prototype)
    return `threw ${error.stack}, of another class than ${code}`;
  return undefined;
}

class Fault extends Error {}

/** Each input has a generator of its own, so that it can be made alone. */
const inputNumber = (seed, index) => inputOf(chooser(makeRandom(Math.imul(Number(seed), 0x9e3779b1) + Number(index))));

/** Defines a key on Object.prototype for the length of a call. */
function polluted(pollution, run) {
  if (pollution === undefined) return run();
  const [key, value] = pollution;
  Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true, enumerable: true });
  try {
    return run();
  } finally {
    delete Object.prototype[key];
  }
}

function judge(error, world) {
  const reason = fault(error, world);
  if (reason !== undefined) throw new Fault(reason);
  const isOfUser = error === THROWN_TEXT || world.thrown.has(error);
  counts[isOfUser ? 'thrown' : 'refused'] += 1;
  if (!isOfUser) counts.codes[error.code] = (counts.codes[error.code] ?? 0) + 1;
}

/** Runs one input; a Promise where it is asynchronous. Throws or rejects with a Fault. */
function attempt({ row, specs, pollute }, world) {
  world.reset();
  const { run, tame } = surface[row];
  // The guard refuses addresses that are not mapped, on Linux alone.
  const isTame = tame === true && !(process.env.PINNED_FFI_GUARD === '1' && process.platform === 'linux');
  try {
    const values = specs.map((spec) => world.make(spec, isTame));
    const pollution = pollute && [pollute[0], world.make(pollute[1], true)];
    const result = polluted(pollution, () => run(world, ...values));
    if (!types.isPromise(result)) return void (counts.returned += 1);
    return result.then(
      () => {
        counts.returned += 1;
      },
      (error) => judge(error, world),
    );
  } catch (error) {
    return void judge(error, world);
  }
}

async function main(progress, seed, ...rest) {
  const file = fs.openSync(progress, 'w');
  const place = Buffer.alloc(8);
  const note = (index) => {
    place.writeDoubleLE(index);
    fs.writeSync(file, place, 0, 8, 0);
  };
  // Enough for what arrays inside arrays are converted by.
  Error.stackTraceLimit = 40;
  const world = new World();
  process.on('warning', () => {});
  const isGiven = seed === '-';
  const [from, to] = isGiven ? [0, 1] : rest.map(Number);
  for (let index = from; index < to; index++) {
    note(index);
    const input = isGiven ? JSON.parse(rest[0]) : inputNumber(seed, index);
    try {
      const pending = attempt(input, world);
      if (pending !== undefined) await pending;
      counts.inputs += 1;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      console.log(JSON.stringify({ fault: error.message, index, input }));
      process.exit(3);
    }
    if (index % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(JSON.stringify(counts));
}

const [progress, ...rest] = process.argv.slice(2);
if (rest[0] === 'show') console.log(JSON.stringify(inputNumber(rest[1], rest[2])));
else main(progress, ...rest);
