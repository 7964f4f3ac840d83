'use strict';
// Runs signatures in a separate process, for a call path and a mode of the engine: see matrix.js. The job is read
// from a file that is named, or from standard input: { seed, libraries: [{ path, ids, signatures? }], wraps, rounds,
// optimizeEvery }. Writes lines:
//   > ID            begins with a signature: where it crashes, this was the last one
//   ! JSON          a mismatch: { id, message, declaration }
//   = JSON          the end: { calls, callbacks, optimized, tried }

const fs = require('node:fs');
const { ffi, makeRandom, tryOptimize } = require('../helpers.js');
const {
  makeSignature,
  declarationOf,
  callbackOf,
  declarationText,
  constantsOf,
  inCallback,
  TURNS,
  MOST_ARGUMENTS,
} = require('./signature.js');
const { makeValue, spell, sumOf, assertSame, typeOf } = require('./trees.js');

const job = JSON.parse(fs.readFileSync(process.argv[2] ?? 0, 'utf8'));
const say = (line) => fs.writeSync(1, `${line}\n`);
const figures = { calls: 0, callbacks: 0, optimized: 0, tried: 0 };

/** JavaScript calls C: what C got of each argument, and what came back. */
function checkCalls(signature, f, state, random, wrap) {
  const { args, fixed = args.length } = signature;
  const constants = constantsOf(signature);
  const once = (turn) => {
    const values = args.map((tree) => makeValue(random, tree));
    const passed = values.map((value, i) => {
      const spelled = spell(random, args[i], value, wrap && i < fixed);
      return i < fixed ? spelled : [typeOf(args[i]), spelled];
    });
    state.fill(0);
    state[MOST_ARGUMENTS] = turn;
    const result = f(...passed);
    figures.calls += 1;
    values.forEach((value, i) => {
      if (state[i] !== sumOf(args[i], value) >>> 0) throw new Error(`C got another argument ${i}`);
    });
    assertSame(result, constants[turn].result, 'the result is another');
  };
  return (rounds) => {
    for (let round = 0; round < rounds; round += 1) once(round % TURNS);
  };
}

/** C calls JavaScript: what the function got, and what C got of its result. */
function checkCallbacks(signature, ask, state, random, wrap) {
  const { args, returns } = signature;
  const constants = constantsOf(signature);
  let [got, given] = [];
  const callback = new ffi.JSCallback(
    (...values) => {
      got = values;
      return given;
    },
    callbackOf(signature, wrap),
  );
  try {
    for (let round = 0; round < job.rounds; round += 1) {
      const turn = round % TURNS;
      const value = returns === undefined ? undefined : makeValue(random, returns);
      given = returns === undefined ? undefined : spell(random, returns, value, wrap);
      state[MOST_ARGUMENTS] = turn;
      const sum = ask(callback);
      figures.callbacks += 1;
      args.forEach((tree, i) =>
        assertSame(
          got[i],
          constants[turn].args[i],
          `the callback got another argument ${i} (${inCallback(tree).kind})`,
        ),
      );
      if (got.length !== args.length) throw new Error(`the callback got ${got.length} arguments`);
      if (returns !== undefined && sum !== sumOf(returns, value) >>> 0)
        throw new Error('C got another result of the callback');
    }
  } finally {
    callback.close();
  }
}

function check(path, id, signature, wrap) {
  const isVariadic = signature.fixed !== undefined;
  const { symbols, close } = ffi.dlopen(path, {
    get_state: { returns: 'ptr' },
    [`f_${id}`]: declarationOf(signature, wrap),
    ...(isVariadic ? {} : { [`ask_${id}`]: { args: ['function'], returns: 'u32' } }),
  });
  const state = new Uint32Array(ffi.toArrayBuffer(symbols.get_state(), 0, 4 * (MOST_ARGUMENTS + 1)));
  const random = makeRandom(signature.seed ^ (wrap ? 0x7f4a7c15 : 0x1b873593));
  const f = symbols[`f_${id}`];
  const call = checkCalls(signature, f, state, random, wrap);
  call(job.rounds);
  if (job.optimizeEvery > 0 && id % job.optimizeEvery === 0) {
    figures.tried += 1;
    figures.optimized += tryOptimize(f, () => call(1)) ? 1 : 0;
    call(job.rounds);
  }
  if (!isVariadic) checkCallbacks(signature, symbols[`ask_${id}`], state, random, wrap);
  close();
}

for (const { path, ids, signatures } of job.libraries) {
  ids.forEach((id, i) => {
    say(`> ${id}`);
    const signature = signatures?.[i] ?? makeSignature(job.seed, id);
    for (const wrap of job.wraps) {
      try {
        check(path, id, signature, wrap);
      } catch (error) {
        const message = `${wrap ? 'with wrap: true: ' : ''}${error.message.split('\n')[0]}`;
        say(`! ${JSON.stringify({ id, wrap, message, declaration: declarationText(signature) })}`);
      }
    }
  });
}
say(`= ${JSON.stringify(figures)}`);
