'use strict';
// fn(): function pointers that C returns, and plain functions that are passed for them.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, run, throws, gc } = require('../helpers.js');

const { fn } = ffi;
const Unary = fn({ args: ['int'], returns: 'int' });
const SOURCE = `typedef int (*unary)(int);
static unary kept;
static int twice(int n) { return 2 * n; }
unary get(void) { return twice; }
unary none(void) { return 0; }
int apply(unary f, int n) { return f ? f(n) : -1; }
int both(unary f, unary g, int n) { return f(g(n)); }
void keep(unary f) { kept = f; }
int later(int n) { return kept(n); }
int higher(unary (*choose)(int), int n) { unary f = choose(n); return f ? f(n) : 0; }`;
const { symbols: c } = ffi.cc({
  source: SOURCE,
  symbols: {
    get: { returns: Unary },
    none: { returns: Unary },
    apply: { args: [Unary, 'int'], returns: 'int' },
    both: { args: [Unary, Unary, 'int'], returns: 'int' },
    keep: { args: [Unary] },
    keepsIt: { name: 'keep', args: [Unary] },
    later: { args: ['int'], returns: 'int' },
    higher: { args: [fn({ args: ['int'], returns: Unary }), 'int'], returns: 'int' },
  },
});

/** What is warned of while `run` runs, and until it is served. */
async function warningsOf(run) {
  const messages = [];
  const note = ({ message }) => messages.push(message);
  process.on('warning', note);
  await run();
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('warning', note);
  return messages.filter((message) => message.startsWith('keepsIt'));
}

describe('a function pointer', () => {
  test('a function pointer that C gives is callable, and goes back', () => {
    const twice = c.get();
    assert.equal(twice(21), 42);
    assert.equal(c.get(), twice);
    assert.equal(c.apply(twice, 4), 8);
    assert.deepEqual([c.none(), c.apply(null, 1)], [null, -1]);
    throws(() => twice('x'), 'ERR_INVALID_ARG_TYPE', /fn: argument 0/);
  });

  test('a function pointer has the types of when it was declared, whatever becomes of the list', () => {
    const args = ['i16'];
    const Changed = fn({ args, returns: 'int' });
    const { symbols, close } = ffi.cc({
      source: 'static int half(short n) { return n / 2; } int (*get(void))(short) { return half; }',
      symbols: { get: { returns: Changed } },
    });
    args[0] = 'bool';
    assert.equal(symbols.get()(42), 21);
    close();
  });

  test('a function pointer may be a plain function, which lives for the call', async () => {
    assert.equal(
      c.both(
        (n) => n + 1,
        (n) => n * 10,
        4,
      ),
      41,
    );
    for (let i = 0; i < 10_000; i += 1)
      assert.equal(
        c.apply((n) => n + i, 1),
        i + 1,
      );
    c.keep((n) => n);
    await gc();
    assert.equal(c.later(5), 0);
  });

  test('a function pointer that C calls after the call of a plain function gives zero, and is warned of once, by name', async () => {
    const messages = await warningsOf(() => {
      c.keepsIt((n) => n);
      assert.equal(c.later(5), 0);
      assert.equal(c.later(6), 0);
      c.keepsIt((n) => n);
      assert.equal(c.later(7), 0);
    });
    assert.equal(messages.length, 1, messages.join('\n'));
    assert.match(
      messages[0],
      /^keepsIt: argument 0 was given a plain function, which lives for the call; .* Pass a JSCallback$/,
    );
  });

  // Closures are used again after 1024 others, here before the first report.
  test('a function pointer that C calls late, and again when its pointer is another function, is warned of, and the process ends', async () => {
    const { code, signal, stderr } = await run({
      code: `
        const { symbols: c } = ffi.cc({ source: ${JSON.stringify(SOURCE)}, symbols: {
          keep: { args: [ffi.fn({ args: ['int'], returns: 'int' })] },
          other: { name: 'keep', args: [ffi.fn({ args: ['int'], returns: 'int' })] },
          later: { args: ['int'], returns: 'int' } } });
        c.keep((n) => n);
        c.later(1);
        for (let i = 0; i < 1500; i += 1) {
          c.other((n) => n);
          c.later(1);
        }
        const closed = new ffi.JSCallback(function early(n) { return n; }, { args: ['u8'] });
        const late = ffi.CFunction({ ptr: closed.ptr, args: ['u8'] });
        closed.close();
        late(1);
        for (let i = 0; i < 2000; i += 1) new ffi.JSCallback(function next(n) { return n; }, { args: ['u8'] }).close();`,
      env: { NODE_NO_WARNINGS: '' },
    });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    const warnings = stderr.match(/FFIWarning: .*/g);
    assert.equal(warnings.length, 3, stderr);
    assert.match(warnings[0], /keep: argument 0 was given a plain function/);
    assert.match(warnings[1], /other: argument 0 was given a plain function/);
    assert.match(warnings[2], /a JSCallback early was called by native code after its close\(\)/);
  });

  test('a function pointer that C keeps never reaches another function', async () => {
    const seen = [];
    c.keep((n) => n);
    c.apply((n) => {
      seen.push(c.later(1));
      return n;
    }, 3);
    for (let i = 0; i < 500; i += 1) c.apply(() => c.later(1), 0);
    assert.deepEqual(seen, [0]);
    assert.equal(
      c.apply(() => c.later(1), 0),
      0,
    );
  });

  test('a function pointer may be nested, and called in the middle of another call', () => {
    const depth = (n) => (n === 0 ? 0 : 1 + c.apply(depth, n - 1));
    assert.equal(c.apply(depth, 50), 50);
  });

  test('a function pointer that throws surfaces from the call, and its closure is used again', () => {
    assert.throws(
      () =>
        c.apply(() => {
          throw new Error('mine');
        }, 1),
      /^Error: mine$/,
    );
    throws(
      () => c.apply(() => 'text', 1),
      'ERR_INVALID_ARG_TYPE',
      /apply: argument 0: return value must be an integer/,
    );
    assert.equal(
      c.apply((n) => n, 3),
      3,
    );
    throws(() => c.both((n) => n, 5.5, 1), 'ERR_OUT_OF_RANGE', /both: argument 1/);
  });

  test('a function pointer may be a JSCallback, which C may keep', () => {
    const callback = new ffi.JSCallback((n) => n + 100, { args: ['int'], returns: 'int' });
    c.keep(callback);
    assert.equal(c.later(5), 105);
    callback.close();
    assert.equal(c.later(5), 0);
    throws(() => c.apply(callback, 1), 'ERR_FFI_CALLBACK_CLOSED');
  });

  test('a function pointer that a callback returns must outlive it', () => {
    assert.equal(
      c.higher(() => c.get(), 4),
      8,
    );
    throws(
      () => c.higher(() => (n) => n, 4),
      'ERR_INVALID_ARG_TYPE',
      /must not hold a plain function: return a JSCallback/,
    );
  });
});
