'use strict';
// Deaths of isolated libraries: at every message, by every signal in every state, by exit() in every place.

const assert = require('node:assert/strict');
const os = require('node:os');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { fuzz } = require('../fuzz/isolation.js');
const { gc, outcome, run, runs, throws } = require('../helpers.js');
const {
  ffi,
  library,
  open,
  sleep,
  stop,
  until,
  untilNow,
  isGone,
  descriptorsOf,
  resources,
  untilNoMoreThan,
} = require('./helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const skip = onlyOn('isolation');
const { JSCallback } = ffi;
const { signals } = os.constants;

const i32 = { args: ['i32'], returns: 'i32' };
const calls = {
  add: { args: ['i32', 'i32'], returns: 'i32' },
  each: { args: ['i32', 'function'], returns: 'i32' },
  make_text: { args: ['i32'], returns: 'cstring' },
  call_in_threads: { args: ['i32', 'i32', 'function'], returns: 'i32', threads: true },
};

const isDeath = (error) => error.code === 'ERR_FFI_LIBRARY_DIED';

/** Callbacks that end with a test. */
function callbackOf(t, callback, type = i32) {
  const made = new JSCallback(callback, type);
  t.after(() => made.close());
  return made;
}

/** Runs a script until it has ended, by a death or well. Every Promise that it has made is settled afterwards. */
async function outcomeOf(script) {
  const promises = [];
  let end;
  try {
    script(promises);
  } catch (error) {
    end = error;
  }
  for (const { reason } of await Promise.allSettled(promises)) end ??= reason;
  if (end !== undefined && !isDeath(end)) throw end;
  return end;
}

describe('a process that is killed', { skip }, () => {
  // The process counts the steps of the protocol itself, so that none is left out: test/fixtures/isolate/killer.c.
  for (const signal of ['SIGKILL', 'SIGSEGV']) {
    test(`a process that is killed at any step of the protocol, by ${signal}, is an exception, and the library is there again`, async (t) => {
      const isolate = ffi.group(`killed by ${signal}`, {
        stderr: 'ignore',
        spin: false,
        env: { ...process.env, LD_PRELOAD: library('killer') },
      });
      const killer = ffi.dlopen(library('killer'), { get_plan: { returns: 'ptr' } }, { isolate });
      const sharing = ffi.dlopen(library('sharing'), calls, { isolate });
      const { symbols } = sharing;
      t.after(() => [killer, sharing].forEach((each) => each.close()));
      const add = callbackOf(t, (i) => symbols.add(i, 1));
      const nest = callbackOf(t, (i) => symbols.each(1, add) + i);
      const count = callbackOf(t, (i) => i);
      const script = (promises) => {
        promises.push(symbols.add.async(1, 2), symbols.each.async(1, count));
        symbols.add(1, 2);
        symbols.each(1, nest);
        symbols.make_text(10);
        symbols.call_in_threads(1, 1, count);
      };
      assert.equal(await outcomeOf(script), undefined);
      killer.restart();
      await outcomeOf(script);
      const before = resources();
      const stride = byScale(5, 1);
      let deaths = 0;
      /** What happened in the last round. */
      let last;
      for (let n = 1 + (signal === 'SIGKILL' ? 0 : 2); ; n += stride) {
        killer.restart();
        // The functions are found again before steps are counted.
        symbols.add(1, 1);
        const plan = killer.symbols.get_plan();
        ffi.write.i32(plan, 4, signals[signal]);
        ffi.write.i32(plan, 0, n);
        const death = await outcomeOf(script);
        // A step may come after the last message that the script has waited for.
        const goesOn = () => outcome(() => ffi.read.i32(plan, 0) > 0) === true;
        untilNow(() => !killer.isolated.alive || goesOn(), 'the process neither ends nor goes on');
        last = { n, left: outcome(() => ffi.read.i32(plan, 0)), death, ...killer.isolated };
        if (killer.isolated.alive) break;
        deaths += 1;
        if (death !== undefined) assert.equal(death.signal, signal);
        assert.equal(throws(() => symbols.add(1, 1), 'ERR_FFI_LIBRARY_DIED').signal, signal);
        await assert.rejects(symbols.add.async(1, 1), isDeath);
      }
      assert.ok(deaths >= 40 / stride, `${deaths} deaths; ${inspect(last)}`);
      t.diagnostic(`${deaths} deaths`);
      killer.restart();
      assert.equal(symbols.add(20, 22), 42);
      await untilNoMoreThan(before);
    });
  }
});

// ---- signals --------------------------------------------------------------------------------------------------------

const FATAL = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGKILL', 'SIGTERM', 'SIGTRAP', 'SIGXCPU'];

/** Each gives what a signal in this state makes of a call: `send` sends it. */
const STATES = {
  idle: ({ symbols, send }) => {
    send();
    return outcomeOf(() => symbols.add(1, 2));
  },
  'in a call': ({ symbols, number }) => outcomeOf(() => symbols.die_raise(number)),
  'in a callback': ({ symbols, call, send }) => outcomeOf(() => symbols.each(2, call(send))),
  'in a nested call': ({ symbols, call, number }) =>
    outcomeOf(() =>
      symbols.each(
        1,
        call(() =>
          symbols.each(
            1,
            call(() => symbols.die_raise(number)),
          ),
        ),
      ),
    ),
  'in an asynchronous call': ({ lib, symbols, number }) =>
    outcomeOf((promises) => {
      promises.push(symbols.sleep_ms.async(60_000), symbols.sleep_ms.async(60_000));
      setTimeout(() => process.kill(lib.isolated.pid, number), 1);
    }),
};

describe('a signal', { skip }, () => {
  const symbolsOfBoth = (t) => {
    const isolate = ffi.group(`signals ${t.name}`, { stderr: 'ignore' });
    const deaths = { die_raise: { args: ['i32'] }, sleep_ms: { args: ['i32'] } };
    const libraries = [
      ffi.dlopen(library('deaths'), deaths, { isolate }),
      ffi.dlopen(library('sharing'), calls, { isolate }),
    ];
    t.after(() => libraries.forEach((each) => each.close()));
    return { lib: libraries[0], symbols: { ...libraries[0].symbols, ...libraries[1].symbols } };
  };

  for (const [state, run] of Object.entries(STATES)) {
    test(`a signal that ends the process ${state} is named by the exception`, async (t) => {
      const { lib, symbols } = symbolsOfBoth(t);
      let then;
      const callback = callbackOf(t, (i) => {
        then.pop()();
        return i;
      });
      for (const name of FATAL) {
        then = [];
        const call = (inner) => {
          then.push(inner);
          return callback;
        };
        const send = () => {
          process.kill(lib.isolated.pid, name);
          untilNow(() => !lib.isolated.alive, 'the process goes on');
        };
        const death = await run({ lib, symbols, call, send, number: signals[name] });
        assert.equal(death?.signal, name, `${name} ${state}`);
        lib.restart();
      }
      assert.equal(symbols.add(1, 2), 3);
    });
  }

  test('a signal that Node ignores is ignored, and one that only stops the process meets the timeout', async (t) => {
    const { lib, symbols } = symbolsOfBoth(t);
    symbols.die_raise(signals.SIGPIPE);
    symbols.die_raise(signals.SIGXFSZ);
    process.kill(lib.isolated.pid, 'SIGPIPE');
    assert.equal(symbols.add(1, 2), 3);
    assert.equal(lib.isolated.generation, 1);
    const stopped = open(t, 'sharing', calls, { timeout: 30 });
    const callback = callbackOf(t, (i) => {
      stop(stopped.isolated.pid);
      return i;
    });
    for (const attempt of [
      () => stopped.symbols.each(2, callback),
      () => (stop(stopped.isolated.pid), stopped.symbols.add(1, 2)),
    ]) {
      throws(attempt, 'ERR_FFI_TIMEOUT', /30 ms/);
      stopped.restart();
    }
    stop(stopped.isolated.pid);
    await assert.rejects(stopped.symbols.add.async(1, 2), { code: 'ERR_FFI_TIMEOUT' });
    stopped.restart();
    assert.equal(stopped.symbols.add(1, 2), 3);
  });
});

describe('a thread that ends without its process', { skip }, () => {
  test('a call whose thread ends meets its timeout, and so does the first call of another function', (t) => {
    const types = { end_thread: { returns: 'i32' }, end_thread_at_next_message: { returns: 'i32' } };
    for (const name of Object.keys(types)) {
      const opened = open(t, 'deaths', { ...types, jump_back: i32 }, { timeout: 100 });
      const { symbols } = opened;
      outcome(symbols[name]);
      const began = Date.now();
      const error = throws(() => symbols.jump_back(1), ['ERR_FFI_TIMEOUT', 'ERR_FFI_LIBRARY_DIED']);
      assert.ok(Date.now() - began < 10_000, error.stack);
      assert.equal(opened.isolated.alive, false);
    }
  });

  test('a call whose thread ends is a death without a timeout as well, and so is one that executes another program', async (t) => {
    const names = ['end_thread', 'execute_program', 'end_main_thread'];
    const opened = names.map((name) => open(t, 'deaths', { [name]: { returns: 'i32' } }));
    const message = /was ended, because the thread that makes its calls has ended alone/;
    const [first, second, third] = opened.map(({ symbols }, i) => symbols[names[i]]);
    const ends = [
      assert.rejects(second.async(), { code: 'ERR_FFI_LIBRARY_DIED', message }),
      // Another thread of the process may notice it first.
      assert.rejects(third.async(), (error) => isDeath(error) && /has ended/.test(error.message + error.stderr)),
    ];
    throws(first, 'ERR_FFI_LIBRARY_DIED', message);
    // Later calls know why as well.
    throws(first, 'ERR_FFI_LIBRARY_DIED', message);
    await Promise.all(ends);
    opened.forEach(({ isolated }) => assert.ok(isGone(isolated.pid)));
  });

  test('a jump out of a call that a callback made ends the process, which says why', (t) => {
    const types = { jump_from: { args: ['function'], returns: 'i32' }, jump_back: i32 };
    const { symbols } = open(t, 'deaths', types);
    const callback = callbackOf(t, (i) => symbols.jump_back(i));
    const death = throws(() => symbols.jump_from(callback), 'ERR_FFI_LIBRARY_DIED');
    assert.equal(death.signal, 'SIGABRT');
    assert.match(death.stderr, /jumped out of a call that a callback made \(longjmp/);
  });
});

// ---- exit() ---------------------------------------------------------------------------------------------------------

describe('exit()', { skip }, () => {
  const CONSTRUCTORS = {
    exit: { exitCode: 31 },
    _exit: { exitCode: 32 },
    abort: { signal: 'SIGABRT' },
    segv: { signal: 'SIGSEGV' },
    kill: { signal: 'SIGKILL' },
  };

  for (const [what, expected] of Object.entries(CONSTRUCTORS)) {
    test(`exit() in a constructor makes dlopen throw: ${what}`, async () => {
      const before = resources();
      const isolate = { stderr: 'ignore', env: { ISOLATE_CONSTRUCTOR: what } };
      const error = throws(() => ffi.dlopen(library('life'), {}, { isolate }), 'ERR_FFI_LIBRARY_DIED');
      for (const [key, value] of Object.entries(expected)) assert.equal(error[key], value);
      await untilNoMoreThan(before);
    });
  }

  test('close() ends the process whatever a destructor does', async (t) => {
    // Who hangs is waited for: a second each.
    for (const what of ['exit', '_exit', 'abort', 'segv', 'kill', ...byScale([], ['hang', 'stop'])]) {
      const lib = open(t, 'life', { answer: { returns: 'i32' } }, { env: { ISOLATE_DESTRUCTOR: what }, timeout: 200 });
      assert.equal(lib.symbols.answer(), 42);
      lib.close();
      assert.equal(lib.isolated.alive, false, what);
    }
  });

  test('a constructor that hangs or stops its process meets the timeout', async () => {
    const before = resources();
    for (const what of ['hang', 'stop']) {
      const isolate = { stderr: 'ignore', timeout: 60, env: { ISOLATE_CONSTRUCTOR: what } };
      throws(() => ffi.dlopen(library('life'), {}, { isolate }), 'ERR_FFI_TIMEOUT', /60 ms/);
    }
    await untilNoMoreThan(before);
  });

  test('exit() in a callback, in atexit and on a thread of the library has its status', async (t) => {
    const lib = open(
      t,
      'deaths',
      {
        call_then_exit: { args: ['function', 'i32', 'i32'], returns: 'i32' },
        die_exit: { args: ['i32'] },
        die_exit_in_atexit: { args: ['i32'] },
        die_abort_in_atexit: {},
        die_callback_in_atexit: { args: ['function', 'i32'] },
        die_loop_in_atexit: { timeout: 100 },
        die_in_thread: { args: ['i32', 'i32'] },
        die_later: { args: ['i32', 'i32', 'i32'] },
        sleep_ms: { args: ['i32'] },
      },
      { timeout: 10_000 },
    );
    const seen = [];
    const callback = callbackOf(t, (i) => seen.push(i));
    const inner = callbackOf(t, () => lib.symbols.die_exit(11) ?? 0);
    const EXIT = 2;
    const { symbols } = lib;
    for (const [run, status] of [
      [() => symbols.call_then_exit(callback, 1, 9), 9],
      [() => symbols.call_then_exit(inner, 1, 9), 11],
      [() => symbols.die_exit_in_atexit(12), 12],
      [() => symbols.die_callback_in_atexit(callback, 13), 13],
      [() => symbols.die_in_thread(EXIT, 14), 14],
      [() => (symbols.die_later(EXIT, 1, 15), symbols.sleep_ms(5000)), 15],
    ]) {
      assert.equal(throws(run, 'ERR_FFI_LIBRARY_DIED').exitCode, status);
      lib.restart();
    }
    assert.deepEqual(seen, [1, 7], 'callbacks are called while the process ends');
    assert.equal(throws(() => symbols.die_abort_in_atexit(), 'ERR_FFI_LIBRARY_DIED').signal, 'SIGABRT');
    lib.restart();
    throws(() => symbols.die_loop_in_atexit(), 'ERR_FFI_TIMEOUT');
    lib.restart();
    symbols.die_later(EXIT, 1, 16);
    await sleep(5);
    untilNow(() => !lib.isolated.alive, 'the process goes on');
    assert.equal(throws(() => symbols.sleep_ms(0), 'ERR_FFI_LIBRARY_DIED').exitCode, 16);
  });
});

// ---- the parent -----------------------------------------------------------------------------------------------------

describe('a parent that ends', { skip }, () => {
  // One process has a library in each state: a call of the innermost one ends it.
  const script = `
    const i32 = { args: ['i32'], returns: 'i32' };
    const open = (name, symbols) =>
      ffi.dlopen(library(name), symbols, { isolate: { stderr: 'ignore' } });
    const call = { call_then: { args: ['function', 'i32', 'ptr'], returns: 'i32' }, endless_loop: {}, stop_self: {} };
    const libraries = Array.from({ length: 6 }, () => open('deaths', call));
    const [idle, busy, outer, inner, stopped, foreign] = libraries;
    const last = open('processes', { signal_process: { args: ['i64', 'i32'], returns: 'i32' } });
    const threads = open('sharing', { call_in_threads: { args: ['i32', 'i32', 'function'], threads: true } });
    busy.symbols.endless_loop.async().catch(() => {});
    stopped.symbols.stop_self.async().catch(() => {});
    threads.symbols.call_in_threads.async(2, 1_000_000, new ffi.JSCallback((i) => i, i32)).catch(() => {});
    console.log([...libraries, last, threads].map(({ isolated }) => isolated.pid).join());
    setTimeout(() => {
      const end = new ffi.JSCallback(() => END, i32);
      const nested = new ffi.JSCallback((i) => inner.symbols.call_then(end, i, null), i32);
      outer.symbols.call_then(nested, 1, null);
    }, 20);`;

  const ENDS = {
    'SIGKILL in a call': 'last.symbols.signal_process(process.pid, 9)',
    'process.exit() in a nested callback': 'process.exit(0)',
    'process.abort() in a nested callback': 'process.abort()',
  };
  for (const [how, end] of Object.entries(ENDS)) {
    test(`a parent that ends by ${how} leaves no process behind, whatever state its libraries are in`, async () => {
      const prelude = `const { ffi, library } = require(${JSON.stringify(require.resolve('./helpers.js'))});`;
      const { stdout, stderr } = await run({ code: prelude + script.replace('END', end), isBare: true });
      const pids = stdout.trim().split(',').map(Number);
      assert.ok(pids.length === 8 && pids.every((pid) => pid > 0), stderr);
      await until(() => pids.every(isGone), `${pids} after ${how}`);
    });
  }
});

describe('a closed library', { skip }, () => {
  test('a closed library leaves no arena behind, also where its functions free their results', async () => {
    const arenas = () => descriptorsOf('pinned-ffi arena').length;
    const owned = { type: 'cstring', free: 'free_text' };
    const before = arenas();
    for (let i = 0; i < 8; i += 1) {
      const isolate = { stderr: 'ignore', share: 'own' };
      const lib = ffi.dlopen(library('sharing'), { make_text: { args: ['i32'], returns: owned } }, { isolate });
      assert.equal(lib.symbols.make_text(3).length, 3);
      lib.close();
    }
    for (let i = 0; i < 5; i += 1) await gc();
    // Those of the last ones may be in registers.
    assert.ok(arenas() <= before + 2, `${arenas()} arenas after ${before}`);
  });

  test("memory stays flat where libraries of share: 'own' are opened and closed for ever", async () => {
    const script = `
      const fs = require('node:fs');
      const round = async () => {
        for (let i = 0; i < 20; i += 1) {
          const lib = ffi.dlopen('c', { abs: { args: ['i32'], returns: 'i32' } }, { isolate: { share: 'own' } });
          if (lib.symbols.abs(-3) !== 3) throw new Error('a wrong result');
          lib.close();
        }
        await h.gc();
      };
      // Without the heap of V8, which grows in large steps.
      const kilobytes = () =>
        Number(/RssAnon:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) -
        process.memoryUsage().heapTotal / 1024;
      (async () => {
        for (let i = 0; i < 20; i += 1) await round();
        const before = kilobytes();
        for (let i = 0; i < 30; i += 1) await round();
        console.log(kilobytes() - before);
      })();
    `;
    const grown = Number(await runs(script));
    assert.ok(grown < 4000, `${grown} KiB of 600 libraries`);
  });
});

// ---- hostile libraries ----------------------------------------------------------------------------------------------

describe('a library that lies', { skip }, () => {
  test('a library that lies in every word that it shares neither crashes nor hangs Node: every end is an exception', async (t) => {
    const seed = Number(process.env.PINNED_FFI_TEST_SEED ?? Date.now() % 2 ** 31);
    const { messages, processes, codes } = await fuzz({ count: byScale(500, 50_000), seed });
    t.diagnostic(`seed ${seed}: ${messages} messages with ${processes} processes; ${JSON.stringify(codes)}`);
  });

  test('a flood of callbacks from threads of the library meets the timeout', async (t) => {
    const lib = open(t, 'sharing', calls, { timeout: 60 });
    const callback = callbackOf(t, (i) => i);
    throws(() => lib.symbols.call_in_threads(3, 2 ** 30, callback), 'ERR_FFI_TIMEOUT', /60 ms/);
    lib.restart();
    await assert.rejects(lib.symbols.call_in_threads.async(3, 2 ** 30, callback), { code: 'ERR_FFI_TIMEOUT' });
    lib.restart();
    assert.equal(lib.symbols.add(1, 2), 3);
  });
});
