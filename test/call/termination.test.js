'use strict';
// JavaScript that is ended from outside, by the timeout of node:vm, breakOnSigint or an inspector, is not an exception:
// no program can catch it, and no more of it runs.

const assert = require('node:assert/strict');
const { before, describe, test } = require('node:test');
const { run, runs } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { usesV8 } = require('../../lib/native/v8.js');

const SETUP = `
const vm = require('node:vm');
const F = ffi.fn({ args: ['int'], returns: 'int' });
const { symbols: c } = ffi.cc({ source: \`
int callit(int (*f)(int), int n) { return f(n); }
int again(int (*f)(int), int n) { int sum = 0; for (int i = 0; i < n; i++) sum += f(i); return sum; }
int mixed(int (*f)(int), const void *p, const char *text, int n) { return f(n); }
int add(int a, int b) { return a + b; }
const char *say(int (*f)(int)) { f(0); return "said"; }
\`, symbols: {
  callit: { args: ['function', 'int'], returns: 'int' }, again: { args: ['function', 'int'], returns: 'int' },
  mixed: { args: ['function', 'ptr', 'cstring', 'int'], returns: 'int' }, add: { args: ['int', 'int'], returns: 'int' },
  say: { args: ['function'], returns: 'cstring' },
  lent: { name: 'callit', args: [F, 'int'], returns: 'int' },
  guarded: { name: 'mixed', args: ['function', 'ptr', 'cstring', 'int'], returns: 'int', guard: true },
  serving: { name: 'again', args: ['function', 'int'], returns: 'int', threads: true },
} });
let begun = 0;
globalThis.c = c;
globalThis.buffer = Buffer.alloc(16);
globalThis.forever = () => { begun += 1; for (;;); };
globalThis.cb = new ffi.JSCallback(globalThis.forever, { args: ['int'], returns: 'int' });
globalThis.quick = new ffi.JSCallback((n) => n, { args: ['int'], returns: 'int' });
// On a busy machine the time may be over before the callback has begun: then it gets more.
const ends = (code) => {
  const before = begun;
  for (let timeout = 50; ; timeout *= 2) {
    try {
      vm.runInThisContext(code, { timeout });
      return 'returned';
    } catch (error) {
      if (begun !== before || timeout > 5000) return error?.code ?? String(error);
    }
  }
};
`;
const CALLS = {
  'a call': 'c.callit(cb, 1)',
  'a call that calls on': 'c.again(cb, 3)',
  'a call with views and texts': "c.mixed(cb, buffer, 'text', 1)",
  'a call that returns text': 'c.say(cb)',
  'a guarded call': "c.guarded(cb, buffer, 'text', 1)",
  'a call with a plain function': 'c.lent(forever, 1)',
  'a call that serves threads': 'c.serving(cb, 3)',
};
const CALL_PATHS = [undefined, 'generic', 'node-api'];

for (const callPath of CALL_PATHS) {
  describe(`by ${callPath ?? 'the usual path'}`, () => {
    // What each call did, by its name. One process makes them all: it works on after each end.
    const results = {};
    let shown;

    before(async () => {
      const { stdout, stderr, code, signal } = await run({
        code: `${SETUP}
          for (const [what, call] of Object.entries(${JSON.stringify(CALLS)})) {
            begun = 0;
            const how = ends('try { ' + call + ' } catch (error) { globalThis.caught = String(error); }'
              + ' finally { globalThis.finished = true; } for (;;);');
            console.log(JSON.stringify({ what, how, caught: globalThis.caught, finished: globalThis.finished, begun,
              add: c.add(40, 2), callit: c.callit(quick, 7), lent: c.lent((n) => n, 8) }));
          }
          process.exit();
        `,
        env: { PINNED_FFI_CALL_PATH: callPath },
      });
      shown = `the process ended with ${signal ?? code}\n${stderr}\n${stdout}`;
      for (const line of stdout.split('\n').filter((each) => each.startsWith('{'))) {
        const { what, ...result } = JSON.parse(line);
        results[what] = result;
      }
    });

    for (const what of Object.keys(CALLS)) {
      test(`${what} whose callback is ended is not caught, and its callbacks run no more`, () => {
        const expected = { how: 'ERR_SCRIPT_EXECUTION_TIMEOUT', begun: 1, add: 42, callit: 7, lent: 8 };
        assert.deepEqual(results[what], expected, shown);
      });
    }

    test('what ends an inner script leaves the outer call and its callbacks as they are', async () => {
      const said = await runs(
        `${SETUP}
        const seen = [];
        const outer = new ffi.JSCallback((n) => { seen.push(ends('c.again(cb, 3)')); return n; }, { args: ['int'], returns: 'int' });
        const sum = c.again(outer, 3);
        console.log(JSON.stringify({ sum, seen, begun }));
        process.exit();
      `,
        { env: { PINNED_FFI_CALL_PATH: callPath }, timeout: 20_000 },
      );
      assert.deepEqual(JSON.parse(said), { sum: 3, seen: Array(3).fill('ERR_SCRIPT_EXECUTION_TIMEOUT'), begun: 3 });
    });

    test('an exception that is null is one, and is caught', async () => {
      const said = await runs(
        `${SETUP}
        const thrower = new ffi.JSCallback(() => { throw null; }, { args: ['int'], returns: 'int' });
        let caught = 'nothing';
        try { c.again(thrower, 2); } catch (error) { caught = error; }
        console.log(caught);
        process.exit();
      `,
        { env: { PINNED_FFI_CALL_PATH: callPath } },
      );
      assert.equal(said, 'null');
    });
  });
}

test('a plain function is closed when its call is ended: C reaches it no more', async () => {
  const said = await runs(
    `${SETUP}
    const { symbols: k } = ffi.cc({ source: \`
static int (*kept)(int);
int keep(int (*f)(int), int n) { kept = f; return f(n); }
int later(int n) { return kept(n); }
\`, symbols: { keep: { args: [F, 'int'], returns: 'int' }, later: { args: ['int'], returns: 'int' } } });
    globalThis.k = k;
    let loops = true;
    globalThis.own = (n) => { begun += 1; while (loops); return n + 100; };
    const how = ends('k.keep(own, 1)');
    loops = false;
    console.log(how, k.later(1));
    process.exit();
  `,
    { timeout: 20_000 },
  );
  assert.equal(said, 'ERR_SCRIPT_EXECUTION_TIMEOUT 0');
});

test('SIGINT ends a callback as it ends other code', { skip: onlyOn('posix') }, async () => {
  const said = await runs(
    `${SETUP}
    const { spawn } = require('node:child_process');
    spawn('sh', ['-c', 'sleep 0.3; kill -INT ' + process.pid]);
    let how = 'returned';
    try {
      vm.runInThisContext('try { c.callit(cb, 1) } catch {} for (;;);', { breakOnSigint: true });
    } catch (error) {
      how = error.code;
    }
    console.log(how);
    process.exit();
  `,
    { timeout: 20_000 },
  );
  assert.equal(said, 'ERR_SCRIPT_EXECUTION_INTERRUPTED');
});

describe('with --abort-on-uncaught-exception', () => {
  const ABORTS = ['SIGTRAP', 'SIGABRT', 'SIGILL'];
  const THROWING = `${SETUP}
    const thrower = new ffi.JSCallback(() => { throw new Error('mine'); }, { args: ['int'], returns: 'int' });
    const said = [];
    const attempt = (run) => { try { said.push(run()); } catch (error) { said.push(error.message); } };`;

  test('an exception of a callback that its call rethrows is caught, where V8 calls the package', async () => {
    const code = `${THROWING}
      attempt(() => c.again(thrower, 3));
      attempt(() => c.mixed(thrower, buffer, 'text', 1));
      attempt(() => c.serving(thrower, 2));
      attempt(() => c.lent(() => { throw new Error('own'); }, 1));
      attempt(() => c.callit(quick, 5));
      c.callit.async(thrower, 1).catch((error) => {
        said.push('rejected ' + error.message);
        console.log(said.join());
        process.exit();
      });
    `;
    const flags = ['--abort-on-uncaught-exception'];
    if (usesV8) assert.equal(await runs(code, { flags }), 'mine,mine,mine,own,5,rejected mine');
    else assert.ok(ABORTS.includes((await run({ code, flags })).signal));
  });

  test('an exception of a callback that nobody catches ends the process', async () => {
    const { signal } = await run({
      code: `${THROWING} c.again(thrower, 3);`,
      flags: ['--abort-on-uncaught-exception'],
    });
    assert.ok(ABORTS.includes(signal), String(signal));
  });
});
