'use strict';
// What every test file uses: the fixture, error checks, garbage collection, forced optimisation, child processes.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');
const ffi = require('../index.js');
const { TABLE } = require('../lib/errors.js');

const root = path.join(__dirname, '..');
/** The library of test/fixtures/. Where it was compiled for another system than this one's, a variable names it. */
const fixture =
  process.env.PINNED_FFI_TEST_FIXTURE ?? path.join(__dirname, 'fixtures', 'build', `libfixture.${ffi.suffix}`);

if (!fs.existsSync(fixture)) {
  throw new Error(
    `${path.relative(root, fixture)} is missing. Build it with "npm test", or by hand:\n` +
      `  mkdir -p test/fixtures/build && cc -std=gnu11 -O1 -shared -fPIC -o ${path.relative(root, fixture)} ` +
      'test/fixtures/fixture.c',
  );
}

const opened = [];

/** Opens the fixture with these declarations; gives its symbols. The library stays open until the process ends. */
function bind(symbols) {
  const library = ffi.dlopen(fixture, symbols);
  opened.push(library);
  return library.symbols;
}

/** One function of the fixture: bindOne('add_i32', ['i32', 'i32'], 'i32'). */
const bindOne = (name, args = [], returns = 'void', more = {}) => bind({ [name]: { args, returns, ...more } })[name];

/** The function throws an error of this code (or one of these), of the code's class, whose message matches. */
function throws(fn, code, message = /./) {
  const codes = [].concat(code);
  let returned;
  try {
    returned = fn();
  } catch (error) {
    assert.ok(error instanceof Error, `threw ${String(error)}, which is no Error`);
    assert.ok(codes.includes(error.code), `expected ${codes.join(' or ')}, threw ${error.code}: ${error.stack}`);
    assert.equal(
      Object.getPrototypeOf(error),
      TABLE[error.code].prototype,
      `${error.code} has the wrong class: ${error}`,
    );
    assert.match(error.message, message);
    return error;
  }
  // An object is not shown: it may be a Buffer over memory that cannot be read.
  const what = Object(returned) === returned ? `${typeof returned}` : String(returned);
  assert.fail(`expected ${codes.join(' or ')}, nothing was thrown: returned ${what}`);
}

/** What a function did, as a value that can be compared and posted: its result or its error's code. */
function outcome(fn) {
  try {
    const value = fn();
    return typeof value === 'object' && value !== null ? 'object' : value;
  } catch (error) {
    return error.code ?? `${error.name}: ${error.message}`;
  }
}

// The flags may come from the command line; set here they also work in a worker and in a child without it.
v8.setFlagsFromString('--expose-gc');
v8.setFlagsFromString('--allow-natives-syntax');
const collect = vm.runInNewContext('gc');

/** Collects garbage and lets finalizers run, until `done()` says so; fails after some seconds. */
async function gc(done = null) {
  const end = Date.now() + 10_000;
  for (let i = 0; done === null ? i < 4 : !done(); i++) {
    assert.ok(Date.now() < end, 'garbage collection did not lead to what the test waits for');
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    if (i > 8) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

let natives;
// Compiled when first used, for a process may forbid code generation from strings.
const getNatives = () =>
  (natives ??= {
    prepare: new Function('fn', '%PrepareFunctionForOptimization(fn)'),
    optimizeNext: new Function('fn', '%OptimizeFunctionOnNextCall(fn)'),
    status: new Function('fn', 'return %GetOptimizationStatus(fn)'),
  });

let optimizedBits = 0;

function force(fn, warmUp) {
  const { prepare, optimizeNext, status } = getNatives();
  prepare(fn);
  for (let i = 0; i < 100; i++) warmUp();
  optimizeNext(fn);
  warmUp();
  return status(fn);
}

/** Has V8 compile `fn`, a plain JS function, with its optimising compiler; `warmUp` calls it. Whether it did. */
function tryOptimize(fn, warmUp = fn, attempts = 1) {
  if (optimizedBits === 0) {
    const reference = (a, b) => a + b;
    // Bit 0 says "is a function", those from 7 on what V8 is about to do; the others of a known optimised function
    // differ from one V8 to the next. An earlier tier, which may get in between, has a lower bit.
    const statuses = Array.from({ length: 5 }, () => force(reference, () => reference(1, 2)) & 0b1111110);
    optimizedBits = Math.max(...statuses);
  }
  // What a collection clears just then is gathered again by the next attempt.
  let status = 0;
  for (let i = 0; i < attempts && (status & optimizedBits) !== optimizedBits; i++) status = force(fn, warmUp);
  return (status & optimizedBits) === optimizedBits;
}

/** A process whose flags say what is optimised, nothing or everything early: `npm run test:call-paths` has some. */
const isOptimisedByFlags = ['--no-opt', '--always-sparkplug'].some((flag) => process.execArgv.includes(flag));

/** The same, and fails if V8 did not though it may. */
function optimize(fn, warmUp = fn) {
  if (isOptimisedByFlags) return void force(fn, warmUp);
  assert.ok(tryOptimize(fn, warmUp, 10), `V8 did not optimise ${fn.name}`);
}

/** Whether `fn`, which was optimised, still is: V8 discards code that is wrong for what it meets. */
function staysOptimized(fn) {
  return isOptimisedByFlags || (getNatives().status(fn) & optimizedBits) === optimizedBits;
}

const defaultTimeout = 60_000;

/**
 * Runs a file of the repository or, with `code`, a script in a child Node. A crash does not reject: see `signal`. A
 * script has these helpers and the package, unless it is bare.
 */
function run({ code, file, args = [], flags = [], env = {}, timeout = defaultTimeout, isBare = false }) {
  const helpers = isBare ? '' : `const h = require(${JSON.stringify(__filename)}); const { ffi } = h;`;
  const prelude = `'use strict'; ${helpers}\n`;
  const script = file === undefined ? ['-e', prelude + code] : [path.join(root, file)];
  const environment = { ...process.env, ...env };
  // Set by the test runner for its own children; these are not.
  delete environment.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, ...script, ...args], { cwd: root, env: environment });
    const streams = { stdout: '', stderr: '' };
    for (const name of Object.keys(streams)) {
      child[name].setEncoding('utf8').on('data', (chunk) => (streams[name] += chunk));
    }
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeout);
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ code: exitCode, signal: late ? `timeout after ${timeout} ms` : signal, ...streams });
    });
  });
}

/** Runs a script in a child that must end by itself with this exit code; gives its standard output, trimmed. */
async function runs(code, { exit = 0, ...options } = {}) {
  const result = await run({ code, ...options });
  assert.deepEqual(
    { code: result.code, signal: result.signal },
    { code: exit, signal: null },
    `the child's stderr:\n${result.stderr}\nits stdout:\n${result.stdout}`,
  );
  return result.stdout.trim();
}

/** A new folder, which is removed once the tests of the file or the suite have run. */
function makeFolder(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  // Not for scripts in child processes, which load these helpers as well.
  const { after } = require('node:test');
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A detached view of `size` bytes. */
function makeDetached(size = 8) {
  const view = new Uint8Array(size);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  assert.equal(view.byteLength, 0);
  return view;
}

/** Defines keys on Object.prototype while `fn` runs. */
function polluted(properties, fn) {
  try {
    for (const [key, value] of Object.entries(properties)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true, enumerable: true });
    }
    return fn();
  } finally {
    for (const key of Object.keys(properties)) delete Object.prototype[key];
  }
}

/** A small seeded generator (mulberry32) of numbers in [0, 1); tests print the seed. */
function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

module.exports = {
  ffi,
  root,
  fixture,
  bind,
  bindOne,
  throws,
  outcome,
  gc,
  collect,
  optimize,
  tryOptimize,
  staysOptimized,
  run,
  runs,
  makeFolder,
  makeDetached,
  polluted,
  makeRandom,
};
