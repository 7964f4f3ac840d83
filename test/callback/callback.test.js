'use strict';
// JSCallback: values in and out, exceptions, recursion, and the life of a callback.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, bindOne, throws, runs, gc, collect, optimize, makeDetached } = require('../helpers.js');
const { byScale, calls } = require('../scale.js');
const {
  integerNames,
  floatNames,
  pointerNames,
  functionNames,
  edgesOf,
  expectBack,
} = require('../fixtures/scalars.js');

const { JSCallback, ptr } = ffi;

/** Runs `use` with a callback that is closed afterwards. */
function withCallback(fn, declaration, use) {
  const callback = new JSCallback(fn, declaration);
  try {
    return use(callback);
  } finally {
    callback.close();
  }
}

/** Sends values through C into a callback of this type and back: what the callback saw, what the caller got. */
function roundTrip(row, type, value, ...answers) {
  const answer = answers.length === 0 ? value : answers[0];
  const call = bindOne(`call_${row}`, ['function', type], type);
  let seen;
  const declaration = { args: [type], returns: type };
  const got = withCallback(
    (received) => {
      seen = received;
      return answer;
    },
    declaration,
    (callback) => call(callback, value),
  );
  return { seen, got };
}

describe('values', () => {
  for (const type of integerNames) {
    test(`${type.name} goes into a callback and back exactly at every edge`, () => {
      for (const value of edgesOf(type)) {
        const { seen, got } = roundTrip(type.row, type.name, value);
        assert.equal(seen, expectBack(type, value));
        assert.equal(got, expectBack(type, value));
      }
    });

    test(`${type.name} returned by a callback is refused out of range or of another kind`, () => {
      for (const answer of [type.min - 1n, type.max + 1n, 0.5, NaN, Infinity]) {
        throws(
          () => roundTrip(type.row, type.name, 0, answer),
          'ERR_OUT_OF_RANGE',
          /^JSCallback: return value must be /,
        );
      }
      for (const answer of [undefined, null, '1', true, {}, Promise.resolve(1), Symbol('s')]) {
        throws(
          () => roundTrip(type.row, type.name, 0, answer),
          'ERR_INVALID_ARG_TYPE',
          /^JSCallback: return value must be /,
        );
      }
    });
  }

  for (const { row, name, edges } of floatNames) {
    test(`${name} goes into a callback and back exactly at every edge`, () => {
      for (const value of edges) {
        const { seen, got } = roundTrip(row, name, value);
        assert.equal(Object.is(seen, value), true, `the callback saw ${seen} for ${value}`);
        assert.equal(Object.is(got, value), true, `the caller got ${got} for ${value}`);
      }
      for (const answer of [undefined, null, '1', 1n, {}]) {
        throws(() => roundTrip(row, name, 0, answer), 'ERR_INVALID_ARG_TYPE', /^JSCallback: return value must be /);
      }
    });
  }

  test('bool goes into a callback and back, and only booleans are returned', () => {
    for (const value of [true, false]) {
      const { seen, got } = roundTrip('bool', 'bool', value, !value);
      assert.equal(seen, value);
      assert.equal(got, !value);
    }
    for (const answer of [1, 0, undefined, null, 'true']) {
      throws(
        () => roundTrip('bool', 'bool', true, answer),
        'ERR_INVALID_ARG_TYPE',
        /^JSCallback: return value must be /,
      );
    }
  });

  for (const name of [...pointerNames, ...functionNames]) {
    test(`${name} goes into a callback and back, NULL as null, above 2^53 - 1 as BigInt`, () => {
      for (const value of [null, 4096, Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 64n - 1n]) {
        const { seen, got } = roundTrip('ptr', name, value);
        assert.equal(seen, value);
        assert.equal(got, value);
      }
      for (const answer of [undefined, 'x', true, {}]) {
        throws(
          () => roundTrip('ptr', name, null, answer),
          'ERR_INVALID_ARG_TYPE',
          /^JSCallback: return value must be /,
        );
      }
      throws(() => roundTrip('ptr', name, null, -1), 'ERR_OUT_OF_RANGE', /^JSCallback: return value must be /);
    });
  }

  test('a callback may return memory as a pointer', () => {
    const bytes = Buffer.alloc(100);
    assert.equal(roundTrip('ptr', 'ptr', null, bytes).got, ptr(bytes));
    throws(
      () => roundTrip('ptr', 'ptr', null, makeDetached()),
      'ERR_INVALID_ARG_VALUE',
      /^JSCallback: return value must /,
    );
  });

  test('strings go into a callback and come back, NULL as null', () => {
    const trip = (value, ...answers) => roundTrip('cstring', 'cstring', value, ...answers);
    for (const value of ['', 'plain', 'grüß € 🎉', 'x'.repeat(10_000)]) {
      assert.deepEqual(trip(value), { seen: value, got: value });
    }
    assert.deepEqual(trip(null), { seen: null, got: null });
    throws(() => trip('x', 'a\0b'), 'ERR_INVALID_ARG_VALUE', /^JSCallback: return value must /);
    throws(() => trip('x', undefined), 'ERR_INVALID_ARG_TYPE', /^JSCallback: return value must /);
  });

  test('a void callback may return anything', () => {
    const call = bindOne('call_void', ['function']);
    for (const answer of [undefined, 1, 'x', {}, Promise.resolve()]) {
      assert.equal(
        withCallback(
          () => answer,
          {},
          (callback) => call(callback),
        ),
        undefined,
      );
      assert.equal(
        withCallback(
          () => answer,
          { returns: 'void' },
          (callback) => call(callback),
        ),
        undefined,
      );
    }
  });

  const mixedTypes = ['i32', 'f64', 'u8', 'f32', 'i64', 'i16', 'ptr', 'bool', 'u64', 'i8', 'u32', 'u16'];

  test('a callback of twelve mixed arguments receives each exactly', () => {
    const call = bindOne('call_mixed', ['function', 'ptr'], 'u64');
    let seen;
    const got = withCallback(
      (...args) => {
        seen = args;
        return 2n ** 64n - 1n;
      },
      { args: mixedTypes, returns: 'u64' },
      (callback) => call(callback, 2n ** 60n),
    );
    assert.deepEqual(seen, [
      -(2 ** 31),
      -1.5e300,
      255,
      0.5,
      -(2n ** 63n),
      -32768,
      2n ** 60n,
      true,
      2n ** 64n - 1n,
      -128,
      2 ** 32 - 1,
      65535,
    ]);
    assert.equal(got, 2n ** 64n - 1n);
  });

  test('a callback of thirty-two mixed arguments receives each exactly', () => {
    const types = Array.from({ length: 32 }, (_, i) => mixedTypes[i % 12]);
    const values = {
      i32: -7,
      f64: 0.25,
      u8: 200,
      f32: -0.5,
      i64: -(2n ** 62n),
      i16: -300,
      ptr: 8192,
      bool: true,
      u64: 2n ** 63n,
      i8: -100,
      u32: 4e9,
      u16: 60000,
    };
    const args = types.map((type) => values[type]);
    let seen;
    withCallback(
      (...received) => {
        seen = received;
        return 0n;
      },
      { args: types, returns: 'u64' },
      (callback) => bindOne('call_relay', ['function', ...types], 'u64')(callback, ...args),
    );
    assert.deepEqual(seen, args);
  });

  test('a callback is called as often as C calls it', () => {
    const call = bindOne('call_times_i32', ['function', 'i32'], 'i32');
    const seen = [];
    const sum = withCallback(
      (i) => (seen.push(i), i * 2),
      { args: ['i32'], returns: 'i32' },
      (callback) => call(callback, 1000),
    );
    assert.equal(sum, 999_000);
    assert.deepEqual(
      seen,
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  test('a callback gives the same results to an optimised caller', () => {
    const call = bindOne('call_i32', ['function', 'i32'], 'i32');
    withCallback(
      (value) => value - 1,
      { args: ['i32'], returns: 'i32' },
      (callback) => {
        const caller = (value) => call(callback, value);
        optimize(caller, () => caller(1));
        for (let i = 0; i < 1000; i++) assert.equal(caller(i), i - 1);
      },
    );
  });

  test('a string that a callback returned lives until the callback returns another', () => {
    const call = bindOne('call_two_cstrings', ['function'], 'ptr');
    withCallback(
      (name) => {
        collect();
        return `returned for the ${name}`;
      },
      { args: ['cstring'], returns: 'cstring' },
      (callback) => assert.equal(typeof call(callback), 'number'),
    );
  });
});

describe('a declaration that fn() returned', () => {
  test('a declaration that fn() returned is taken by JSCallback, too', () => {
    const type = ffi.fn({ args: ['i32', 'cstring'], returns: 'i32' });
    const callback = new ffi.JSCallback((n, text) => n + text.length, type);
    const call = ffi.CFunction({ ptr: callback.ptr, args: ['i32', 'cstring'], returns: 'i32' });
    assert.equal(call(40, 'ab'), 42);
    callback.close();
    const ofText = new ffi.JSCallback((n) => -n, ffi.fn('int (*)(int)'));
    assert.equal(ffi.CFunction({ ptr: ofText.ptr, args: ['int'], returns: 'int' })(5), -5);
    ofText.close();
  });

  test('a declaration that fn() returned is refused where JavaScript cannot be called with it, as are other types', () => {
    const make = (type) => () => new ffi.JSCallback(() => 0, type);
    throws(make(ffi.fn({ args: ['int'], varargs: true })), 'ERR_INVALID_ARG_TYPE', /a type that C can call JavaScript/);
    throws(make(ffi.struct({ x: 'int' })), 'ERR_INVALID_ARG_TYPE', /the type of a function, as fn\(\) returns/);
  });
});

describe('exceptions', () => {
  const symbols = bind({
    call_i32: { args: ['function', 'i32'], returns: 'i32' },
    call_times_i32: { args: ['function', 'i32'], returns: 'i32' },
    call_both_i32: { args: ['function', 'function', 'i32'], returns: 'i32' },
    call_void: { args: ['function'] },
    recurse_i32: { args: ['function', 'i32'], returns: 'i32' },
    store_i32: { args: ['ptr', 'i32'] },
  });
  const i32 = { args: ['i32'], returns: 'i32' };

  test('an exception surfaces from the outer call as the very value that was thrown', () => {
    for (const thrown of [
      new Error('boom'),
      new TypeError('kind'),
      'text',
      7,
      null,
      undefined,
      { own: true },
      Symbol('s'),
      false,
    ]) {
      const callback = new JSCallback(() => {
        throw thrown;
      }, i32);
      let caught = 'nothing';
      try {
        symbols.call_i32(callback, 1);
      } catch (error) {
        caught = { error };
      }
      assert.deepEqual(Object.keys(caught), ['error']);
      assert.equal(Object.is(caught.error, thrown), true);
      callback.close();
    }
  });

  for (const [row, type, value, zero] of [
    ['i8', 'i8', -1, '00'],
    ['u16', 'u16', 65535, '0000'],
    ['i32', 'i32', -1, '00000000'],
    ['i64', 'i64', -1n, '0000000000000000'],
    ['f32', 'f32', 1.5, '00000000'],
    ['f64', 'f64', 1.5, '0000000000000000'],
    ['bool', 'bool', true, '00'],
    ['ptr', 'ptr', 4096, '0000000000000000'],
    ['cstring', 'cstring', 'x', '0000000000000000'],
  ]) {
    test(`C gets a zeroed ${type} when the callback throws or returns what it may not`, () => {
      const report = bindOne(`report_${row}`, ['function', type, 'ptr']);
      for (const fn of [
        () => {
          throw new Error('boom');
        },
        () => Symbol('wrong'),
      ]) {
        const memory = Buffer.alloc(zero.length / 2, 0xaa);
        withCallback(fn, { args: [type], returns: type }, (callback) =>
          assert.throws(() => report(callback, value, memory)),
        );
        assert.equal(memory.toString('hex'), zero);
      }
    });
  }

  test('after an exception C gets zeroes and no callback runs until the outer call returns', () => {
    const report = bindOne('report_times_i32', ['function', 'i32', 'ptr']);
    const memory = new Int32Array(5).fill(-1);
    const seen = [];
    const callback = new JSCallback((i) => {
      seen.push(i);
      if (i === 2) throw new Error('at two');
      return i + 10;
    }, i32);
    assert.throws(() => report(callback, 5, memory), /^Error: at two$/);
    assert.deepEqual(seen, [0, 1, 2]);
    assert.deepEqual([...memory], [10, 11, 0, 0, 0]);
    callback.close();
  });

  test('an async function is told that a callback must return its value at once', () => {
    const call = bindOne('call_i32', ['function', 'i32'], 'i32');
    withCallback(
      async (value) => value,
      i32,
      (callback) =>
        throws(
          () => call(callback, 1),
          'ERR_INVALID_ARG_TYPE',
          /received a Promise; here a callback must return its value at once, which an async function cannot$/,
        ),
    );
    const unfinished = Promise.resolve(1);
    throws(
      () => call(null, unfinished),
      'ERR_INVALID_ARG_TYPE',
      /^call_i32: argument 1 .* received a Promise; await it first$/,
    );
  });

  test('an exception leaves qsort of libc with all its values', () => {
    const { qsort } = ffi.dlopen(null, { qsort: { args: ['ptr', 'usize', 'usize', 'function'] } }).symbols;
    const values = new Int32Array([3, 1, 2]);
    withCallback(
      () => {
        throw new Error('compare');
      },
      { args: ['ptr', 'ptr'], returns: 'i32' },
      (callback) => {
        assert.throws(() => qsort(values, 3, 4, callback), /compare/);
      },
    );
    assert.deepEqual([...values].sort(), [1, 2, 3]);
  });

  test('the first of several exceptions of one call is the one that surfaces', () => {
    const order = [];
    const first = new JSCallback(() => {
      order.push('first');
      throw new Error('first');
    }, i32);
    const second = new JSCallback(() => {
      order.push('second');
      throw new Error('second');
    }, i32);
    assert.throws(() => symbols.call_both_i32(first, second, 1), /^Error: first$/);
    assert.deepEqual(order, ['first']);
    first.close();
    second.close();
  });

  test('a nested exception passes through every level of JS and C', () => {
    const boom = new Error('deep');
    const callback = new JSCallback((depth) => {
      if (depth === 0) throw boom;
      return symbols.recurse_i32(callback, depth - 1);
    }, i32);
    assert.throws(
      () => symbols.recurse_i32(callback, 50),
      (error) => error === boom,
    );
    assert.throws(
      () => symbols.recurse_i32(callback, 0),
      (error) => error === boom,
    );
    callback.close();
  });

  test('an exception caught inside a callback leaves no trace', () => {
    const inner = new JSCallback(() => {
      throw new Error('inner');
    }, i32);
    const outer = new JSCallback((value) => {
      assert.throws(() => symbols.call_i32(inner, value), /inner/);
      return value * 2;
    }, i32);
    assert.equal(symbols.call_i32(outer, 21), 42);
    assert.equal(symbols.call_times_i32(outer, 4), 12);
    inner.close();
    outer.close();
  });

  test('an exception may be replaced on its way out', () => {
    const inner = new JSCallback(() => {
      throw new Error('inner');
    }, i32);
    const outer = new JSCallback((value) => {
      try {
        return symbols.call_i32(inner, value);
      } catch (cause) {
        throw new Error('outer', { cause });
      }
    }, i32);
    assert.throws(
      () => symbols.call_i32(outer, 1),
      (error) => error.message === 'outer' && error.cause.message === 'inner',
    );
    inner.close();
    outer.close();
  });

  test('a call after a failed one works', () => {
    const throwing = new JSCallback(() => {
      throw new Error('boom');
    }, i32);
    const working = new JSCallback((value) => value + 1, i32);
    for (let i = 0; i < 1000; i++) {
      assert.throws(() => symbols.call_i32(throwing, i), /boom/);
      assert.equal(symbols.call_i32(working, i), i + 1);
    }
    throwing.close();
    working.close();
  });

  test('a return value whose conversion throws surfaces that error', () => {
    const boom = new Error('getter');
    const call = bindOne('call_ptr', ['function', 'ptr'], 'ptr');
    const callback = new JSCallback(
      () => ({
        get ptr() {
          throw boom;
        },
      }),
      { args: ['ptr'], returns: 'ptr' },
    );
    assert.throws(
      () => call(callback, null),
      (error) => error === boom,
    );
    callback.close();
  });

  test('the stack trace of an error of a callback shows the callback and the caller', () => {
    const callback = new JSCallback(function named() {
      throw new Error('where');
    }, i32);
    function outerCaller() {
      return symbols.call_i32(callback, 1);
    }
    assert.throws(outerCaller, (error) => /named/.test(error.stack) && /outerCaller/.test(error.stack));
    callback.close();
  });
});

// V8 of Node 24 goes on in optimised code whose assumptions were made wrong under a fast call, and that of Node 26 ends
// the process: no call that may call back may be one.
describe('what optimised code takes for granted', () => {
  const kinds = { i32: 40, u8: 40, f64: 40.5, f32: 40.5, i64: 40n, ptr: 40 };
  const changes = {
    'a getter of a prototype': ({ Shape }) => Object.defineProperty(Shape.prototype, 'side', { get: () => 1000 }),
    'a constant that becomes a fraction': ({ settings }) => {
      settings.scale = 7.5;
    },
    'another prototype': ({ shape }) => Object.setPrototypeOf(shape, { side: 77 }),
  };
  const HOT = 30_000;

  for (const [type, value] of Object.entries(kinds)) {
    for (const [what, change] of Object.entries(changes)) {
      test(`optimised code notices ${what} that a callback brings under a call of ${type}`, () => {
        const call = bindOne(`call_${type}`, ['ptr', type], type);
        class Shape {
          get side() {
            return 2;
          }
        }
        const [shape, settings] = [new Shape(), { scale: 5 }];
        let calls = 0;
        const callback = new JSCallback(
          (given) => {
            calls += 1;
            if (calls === HOT) change({ Shape, shape, settings });
            return given;
          },
          { args: [type], returns: type },
        );
        const { ptr: address } = callback;
        // What was looked at before the call is not looked at again: V8 throws such code away where it is made wrong.
        const outer = new Function(
          'call',
          'address',
          'value',
          `return (shape, settings) => {
          const before = shape.side * settings.scale;
          const result = call(address, value);
          return [before, result, shape.side * settings.scale];
        };`,
        )(call, address, value);
        const differing = [];
        for (let i = 0; i < 2 * HOT; i += 1) {
          const all = outer(shape, settings);
          if (all[0] !== all[2]) differing.push(all);
        }
        assert.equal(calls, 2 * HOT);
        assert.deepEqual(differing, [[10, value, shape.side * settings.scale]]);
        callback.close();
      });
    }
  }
});

describe('recursion', () => {
  const i32 = { args: ['i32'], returns: 'i32' };
  const recurse = bindOne('recurse_i32', ['function', 'i32'], 'i32');

  test('JS -> C -> JS goes a thousand levels deep on the default stack', () => {
    let calls = 0;
    const callback = new JSCallback((depth) => {
      calls++;
      return depth === 1 ? 0 : recurse(callback, depth - 1);
    }, i32);
    assert.equal(recurse(callback, 1000), 1000);
    assert.equal(calls, 1000);
    callback.close();
  });

  test('JS -> C -> JS goes a thousand levels deep on a stack of 6 MB', async () => {
    // A stack size that the user has chosen stays as it is.
    const stdout = await runs(
      `
      const recurse = h.bindOne('recurse_i32', ['function', 'i32'], 'i32');
      let calls = 0;
      const callback = new ffi.JSCallback((depth) => {
        calls++;
        return depth === 1 ? 0 : recurse(callback, depth - 1);
      }, { args: ['i32'], returns: 'i32' });
      for (let i = 0; i < 3; i++) console.log(recurse(callback, 1000), calls);
    `,
      { flags: ['--stack-size=6000'] },
    );
    assert.equal(stdout, '1000 1000\n1000 2000\n1000 3000');
  });

  test('one callback is entered again while it runs, and keeps its arguments', () => {
    const seen = [];
    const callback = new JSCallback((depth) => {
      const result = depth === 0 ? 100 : recurse(callback, depth - 1);
      seen.push([depth, result]);
      return result;
    }, i32);
    assert.equal(recurse(callback, 3), 104);
    assert.deepEqual(seen, [
      [0, 100],
      [1, 101],
      [2, 102],
      [3, 103],
    ]);
    callback.close();
  });

  test('two callbacks may call each other', () => {
    const even = new JSCallback((n) => (n === 0 ? 1 : recurse(odd, n - 1) - 1), i32);
    const odd = new JSCallback((n) => (n === 0 ? 0 : recurse(even, n - 1) - 1), i32);
    assert.equal(recurse(even, 100) - 1, 1);
    assert.equal(recurse(even, 101) - 1, 0);
    even.close();
    odd.close();
  });

  test('an overflow of the stack is a RangeError and the process goes on', async () => {
    const stdout = await runs(`
      const recurse = h.bindOne('recurse_i32', ['function', 'i32'], 'i32');
      const add = h.bindOne('add_i32', ['i32', 'i32'], 'i32');
      const callback = new ffi.JSCallback((depth) => recurse(callback, depth + 1), { args: ['i32'], returns: 'i32' });
      for (let i = 0; i < 20; i++) {
        try { recurse(callback, 0); console.log('returned'); } catch (error) {
          if (!(error instanceof RangeError) || !/call stack/.test(error.message)) console.log('threw', error);
        }
        if (add(i, 1) !== i + 1) console.log('add is broken');
      }
      callback.close();
      const strings = h.bindOne('measure_after', ['function', 'cstring'], 'i32');
      const deep = new ffi.JSCallback(() => { strings(deep, 'x'.repeat(100)); }, {});
      try { strings(deep, 'y'); } catch (error) { console.log(error.name); }
      deep.close();
      console.log('alive', add(20, 22));
    `);
    assert.equal(stdout, 'RangeError\nalive 42');
  });
});

// What a call was handed is locked before a callback of it runs, for which JavaScript is asked of memory that is no
// engine's: what that throws where it is short of stack, is thrown by this call, and not by one that comes later.
test('a stack that ends between a call and its callback is a RangeError', async () => {
  const stdout = await runs(
    `
    const call = h.bindOne('sum_after', ['function', 'ptr', 'u64'], 'u64');
    let ran = 0;
    const callback = new ffi.JSCallback(() => { ran += 1; }, {});
    const buffers = [];
    const down = (levels) => {
      if (levels > 0) return down(levels - 1);
      buffers.push(ffi.alloc(16));
      return call(callback, buffers.at(-1), 16);
    };
    let levels = 0;
    const measure = () => { levels += 1; measure(); };
    try { measure(); } catch {}
    let whole = 0;
    for (let at = levels >> 3; at < 2 * levels; at += 1) {
      const before = ran;
      let isShort = false;
      try { down(at); } catch (error) { isShort = error instanceof RangeError && /call stack/.test(error.message); }
      if (!isShort && ran === before) console.log('at', at, 'neither ran nor threw');
      if (!isShort) whole += 1;
      try { ffi.ptr(new Uint8Array(8)); } catch (error) { console.log('at', at, 'a later call threw', error.message); }
    }
    console.log(whole > 0);
    `,
    { flags: ['--stack-size=200'] },
  );
  assert.equal(stdout, 'true');
});

describe('the life of a callback', () => {
  const i32 = { args: ['i32'], returns: 'i32' };
  const call = bindOne('call_i32', ['function', 'i32'], 'i32');

  test('a callback has an address, is no threadsafe one, and turns into its address', () => {
    const callback = new JSCallback(() => 0, i32);
    assert.equal(typeof callback.ptr, 'number');
    assert.ok(callback.ptr > 4096);
    assert.equal(callback.threadsafe, false);
    assert.equal(Number(callback), callback.ptr);
    assert.equal(callback[Symbol.toPrimitive]('number'), callback.ptr);
    callback.close();
  });

  test('the address of a callback, and an object with it, work as the callback itself does', () => {
    const callback = new JSCallback((value) => value + 1, i32);
    assert.equal(call(callback.ptr, 1), 2);
    assert.equal(call(BigInt(callback.ptr), 1), 2);
    assert.equal(call({ ptr: callback.ptr }, 1), 2);
    assert.equal(bindOne('call_i32', ['ptr', 'i32'], 'i32')(callback, 1), 2);
    callback.close();
  });

  test('close clears the address and may be repeated', () => {
    const callback = new JSCallback(() => 0, i32);
    assert.equal(callback.close(), undefined);
    assert.equal(callback.ptr, null);
    assert.equal(callback.close(), undefined);
    assert.equal(callback.ptr, null);
    callback[Symbol.dispose]();
  });

  test('Symbol.dispose closes', () => {
    const callback = new JSCallback(() => 0, i32);
    callback[Symbol.dispose]();
    assert.equal(callback.ptr, null);
    throws(() => call(callback, 1), 'ERR_FFI_CALLBACK_CLOSED');
  });

  test('a closed callback is refused as an argument', () => {
    const callback = new JSCallback(() => 0, i32);
    callback.close();
    throws(() => call(callback, 1), 'ERR_FFI_CALLBACK_CLOSED', /^call_i32: argument 0/);
    throws(
      () => bindOne('identity_ptr', ['ptr'], 'ptr')(callback),
      'ERR_FFI_CALLBACK_CLOSED',
      /^identity_ptr: argument 0/,
    );
  });

  test('a callback may close itself while it runs; C then gets its answer', async () => {
    const stdout = await runs(`
      const call = h.bindOne('call_i32', ['function', 'i32'], 'i32');
      for (let i = 0; i < ${byScale(20, 100)}; i++) {
        const callback = new ffi.JSCallback((value) => {
          callback.close();
          if (callback.ptr !== null) throw new Error('still has a ptr');
          h.collect();
          for (let j = 0; j < 8; j++) new ffi.JSCallback(() => 0, { returns: 'i32' }).close();
          return value + 1;
        }, { args: ['i32'], returns: 'i32' });
        if (call(callback, 41) !== 42) throw new Error('wrong answer');
        if (h.outcome(() => call(callback, 1)) !== 'ERR_FFI_CALLBACK_CLOSED') throw new Error('not closed');
      }
      console.log('alive');
    `);
    assert.equal(stdout, 'alive');
  });

  test('a callback that closed itself does not run again when C calls on in the same call', async () => {
    const stdout = await runs(`
      const call = h.bindOne('call_times_i32', ['function', 'i32'], 'i32');
      let ran = 0;
      const callback = new ffi.JSCallback(() => { ran++; callback.close(); return 5; }, { args: ['i32'], returns: 'i32' });
      const sum = call(callback, 3);
      console.log(ran, sum);
    `);
    assert.equal(stdout, '1 5');
  });

  test('a callback that C keeps works until it is closed, even when JS has forgotten it', async () => {
    const { keep_callback: keep, call_kept: callKept } = bind({ keep_callback: { args: ['function'] }, call_kept: {} });
    let ran = 0;
    (() =>
      keep(
        new JSCallback(() => {
          ran++;
        }, {}),
      ))();
    await gc();
    callKept();
    callKept();
    assert.equal(ran, 2);
    keep(null);
    callKept();
    assert.equal(ran, 2);
  });

  test('a callback is not a function, and needs new', () => {
    const callback = new JSCallback(() => 0, i32);
    assert.equal(typeof callback, 'object');
    assert.equal(callback instanceof JSCallback, true);
    assert.throws(() => JSCallback(() => 0, i32), TypeError);
    callback.close();
  });

  test('the fn of a callback is called without a this', () => {
    let self = 'unset';
    const callback = new JSCallback(function remember() {
      'use strict';
      self = this;
      return 0;
    }, i32);
    call(callback, 1);
    callback.close();
    assert.equal(self, undefined);
  });

  test('ten thousand callbacks are made and closed within the same memory', async () => {
    const make = () => {
      const callback = new JSCallback((value) => value, i32);
      assert.equal(call(callback, 7), 7);
      callback.close();
    };
    for (let i = 0; i < 2000; i++) make();
    await gc();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 10_000; i++) make();
    await gc();
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < 32 * 2 ** 20, `grew by ${grown} bytes`);
  });

  const MANY = calls(byScale(100_000, 1_000_000));
  for (const callPath of ['fast', 'generic', 'node-api', 'libffi']) {
    test(`${MANY} callbacks of one call leave nothing behind, call path ${callPath}`, async () => {
      const stdout = await runs(
        `
        const { call_i32, call_times_i32 } = h.bind({
          call_i32: { args: ['function', 'i32'], returns: 'i32' },
          call_times_i32: { args: ['function', 'i32'], returns: 'i32' },
        });
        const inner = new ffi.JSCallback((value) => value, { args: ['i32'], returns: 'i32' });
        let most = 0;
        const outer = new ffi.JSCallback((value) => {
          if (value % 1000 === 0) most = Math.max(most, process.memoryUsage.rss());
          return call_i32(inner, 1);
        }, { args: ['i32'], returns: 'i32' });
        call_times_i32(outer, ${calls(20_000)});
        const before = process.memoryUsage.rss();
        most = 0;
        console.log(call_times_i32(inner, ${MANY}), call_times_i32(outer, ${MANY}));
        console.log(most - before < 8 * 2 ** 20 ? 'bounded' : 'grew by ' + (most - before));
      `,
        { env: { PINNED_FFI_CALL_PATH: callPath === 'fast' ? undefined : callPath } },
      );
      assert.equal(stdout, `${BigInt.asIntN(32, (BigInt(MANY) * BigInt(MANY - 1)) / 2n)} ${MANY}\nbounded`);
    });
  }

  test('many callbacks live at once and each runs its own function', () => {
    const callbacks = Array.from({ length: 2000 }, (_, i) => new JSCallback((value) => value + i, i32));
    assert.equal(new Set(callbacks.map(({ ptr: address }) => address)).size, callbacks.length);
    callbacks.forEach((callback, i) => assert.equal(call(callback, 1000), 1000 + i));
    for (const callback of callbacks) callback.close();
  });

  test('an open callback does not keep the process from ending', async () => {
    assert.equal(await runs(`new ffi.JSCallback(() => 0, { returns: 'i32' }); console.log('end');`), 'end');
  });
});
