'use strict';
// errno: captured right after the call, on the thread that made it; `fails` turns it into Node's kind of system error.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, test } = require('node:test');
const { getSystemErrorMap } = require('node:util');
const { Worker } = require('node:worker_threads');
const { constants } = require('node:os');
const { ffi, fixture, bind, bindOne, throws } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const { errno, dlopen, JSCallback } = ffi;
const { ENOENT, EACCES, EEXIST, EINVAL, EBADF } = constants.errno;
const setting = { args: ['i32', 'i32'], returns: 'i32' };
const capture = bindOne('set_errno_i32', setting.args, 'i32', { errno: true });
const ignore = bindOne('set_errno_i32', setting.args, 'i32');

describe('errno()', () => {
  test('errno() is what the last call that captures it has left', () => {
    for (const number of [ENOENT, EACCES, 4095, 0, -5]) {
      assert.equal(capture(number, 7), 7);
      assert.equal(errno(), number);
      assert.equal(errno(), number);
    }
  });

  test('errno() is 0 where the function has not set it', async () => {
    const leaves = bindOne('identity_i32', ['i32'], 'i32', { errno: true });
    for (const call of [
      leaves,
      leaves.async,
      bindOne('identity_i32', ['i32'], 'i32', { errno: true, threads: true }),
    ]) {
      ignore(ENOENT, 0);
      capture(EACCES, 0);
      await call(1);
      assert.equal(errno(), 0);
    }
  });

  test('errno() is not changed by calls that do not capture it, however they are made', async () => {
    capture(EEXIST, 0);
    ignore(ENOENT, 0);
    assert.equal(errno(), EEXIST);
    bindOne('set_errno_i32', setting.args, 'i32', { threads: true })(EACCES, 0);
    assert.equal(errno(), EEXIST);
    await ignore.async(EINVAL, 0);
    assert.equal(errno(), EEXIST);
    const thread = dlopen(fixture, { set_errno_i32: setting }).thread();
    await thread.symbols.set_errno_i32(EBADF, 0);
    assert.equal(errno(), EEXIST);
    thread.close();
  });

  test('errno() is not changed by what JavaScript and Node do after the call', () => {
    capture(EEXIST, 0);
    assert.throws(() => fs.openSync('/no/such/file'));
    ffi.alloc(100000);
    new JSCallback(() => {}, {}).close();
    assert.equal(errno(), EEXIST);
  });

  test('errno() is not changed by a call that is refused', () => {
    capture(EEXIST, 0);
    throws(() => capture('x', 0), 'ERR_INVALID_ARG_TYPE');
    assert.equal(errno(), EEXIST);
  });

  test('errno() is that of the call, not of what a callback in it has done', () => {
    const around = bindOne('set_errno_around', ['i32', 'function'], 'i32', { errno: true });
    let inside;
    const callback = new JSCallback(() => {
      capture(ENOENT, 0);
      inside = errno();
      assert.throws(() => fs.openSync('/no/such/file'));
    }, {});
    assert.equal(around(EACCES, callback), -1);
    assert.deepEqual([inside, errno()], [ENOENT, EACCES]);
    callback.close();
  });

  test('errno in C is not changed by what JavaScript and Node do in a callback, on any thread', async () => {
    const declaration = { args: ['function', 'i32'], returns: 'i32', fails: 'negative' };
    const call = bindOne('call_i32', declaration.args, 'i32', declaration);
    const fails = new JSCallback(
      (value) => {
        capture(ENOENT, 0);
        assert.throws(() => fs.openSync('/no/such/file'));
        return value;
      },
      { args: ['i32'], returns: 'i32' },
    );
    const expected = { code: 'ERR_FFI_CALL_FAILED', result: -3 };
    assert.throws(() => call(fails, -3), expected);
    await assert.rejects(call.async(fails, -3), expected);
    fails.close();
  });

  // A thread that waits sets errno when a wait times out, which is after 50 ms.
  test('errno in C is not changed on a thread that waits long for its callback', async () => {
    const declaration = { args: ['function', 'i32'], returns: 'i32', fails: 'negative' };
    const call = bindOne('call_i32', declaration.args, 'i32', declaration);
    const slow = new JSCallback((value) => (Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 130), value), {
      args: ['i32'],
      returns: 'i32',
    });
    await assert.rejects(call.async(slow, -3), { code: 'ERR_FFI_CALL_FAILED', result: -3 });
    slow.close();
  });

  // The code of an isolated library's callback is made at its first call, which waits for an answer.
  test('the first call of a callback does not change errno in C', () => {
    const declaration = { args: ['function', 'i32'], returns: 'i32', fails: 'negative' };
    const call = bindOne('call_i32', declaration.args, 'i32', declaration);
    const callbacks = Array.from(
      { length: 300 },
      () => new JSCallback((value) => value, { args: ['i32'], returns: 'i32' }),
    );
    for (const callback of callbacks) assert.throws(() => call(callback, -3), { code: 'ERR_FFI_CALL_FAILED' });
    for (const callback of callbacks) callback.close();
  });

  test('C finds the number that a callback sets by errno(value)', () => {
    const declaration = { args: ['function', 'i32'], returns: 'i32', fails: 'negative' };
    const sets = new JSCallback((value) => (errno(EACCES), value), { args: ['i32'], returns: 'i32' });
    assert.throws(() => bindOne('call_i32', declaration.args, 'i32', declaration)(sets, -3), { code: 'EACCES' });
    sets.close();
  });

  test('errno() is that of the helper thread of a call with threads: true', () => {
    bindOne('set_errno_i32', setting.args, 'i32', { errno: true, threads: true })(ENOENT, 0);
    assert.equal(errno(), ENOENT);
  });

  test('errno() comes with the result of every type', () => {
    for (const [name, type, value] of [
      ['set_errno_i64', 'i64', -(2n ** 40n)],
      ['set_errno_ptr', 'ptr', null],
      ['set_errno_cstring', 'cstring', 'a text'],
    ]) {
      capture(0, 0);
      assert.equal(bindOne(name, ['i32', type], type, { errno: true })(EINVAL, value), value);
      assert.equal(errno(), EINVAL);
    }
  });

  test('errno() is that of an asynchronous call in the continuation of its await', async () => {
    assert.equal(await capture.async(EACCES, 3), 3);
    assert.equal(errno(), EACCES);
  });

  for (const kind of ['the pool', 'one thread']) {
    test(`errno() is right for each of two hundred calls at once on ${kind}`, async () => {
      const library = dlopen(fixture, { set_errno_i32: { ...setting, errno: true } });
      const thread = library.thread();
      const call = kind === 'the pool' ? library.symbols.set_errno_i32.async : thread.symbols.set_errno_i32;
      const found = await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          await call(i + 1, 0);
          return errno();
        }),
      );
      assert.deepEqual(
        found,
        found.map((_, i) => i + 1),
      );
      thread.close();
    });
  }

  test("errno() of a worker is the worker's own", async () => {
    capture(EEXIST, 0);
    const code = `
      const h = require(${JSON.stringify(require.resolve('../helpers.js'))});
      const call = h.bindOne('set_errno_i32', ['i32', 'i32'], 'i32', { errno: true });
      const before = h.ffi.errno();
      call(${ENOENT}, 0);
      require('node:worker_threads').parentPort.postMessage([before, h.ffi.errno()]);
    `;
    const message = await new Promise((resolve, reject) => {
      new Worker(code, { eval: true }).once('message', resolve).once('error', reject);
    });
    assert.deepEqual(message, [0, ENOENT]);
    assert.equal(errno(), EEXIST);
  });
});

describe('fails', () => {
  /**
   * A function that fails, by what its declaration says, and its asynchronous twin as one that throws its rejection.
   */
  const make = (name, args, returns, fails) => {
    const call = bindOne(name, args, returns, { fails });
    return [
      call,
      bindOne(name, args, returns, { fails, threads: true }),
      call.async,
      bindOne(name, args, returns, { fails, nonblocking: true }),
    ];
  };
  const isMissing = (syscall, result) => (error) => {
    assert.equal(error.constructor, Error);
    assert.deepEqual({ ...error }, { errno: -ENOENT, code: 'ENOENT', syscall, result });
    assert.equal(error.message, `ENOENT: no such file or directory, ${syscall}`);
    return true;
  };

  for (const [fails, name, type, bad, good] of [
    ['negative', 'set_errno_i32', 'i32', [-1, -(2 ** 31)], [0, 1]],
    ['negative', 'set_errno_i64', 'i64', [-1n, -(2n ** 63n)], [0n, 1n]],
    ['nonzero', 'set_errno_i32', 'i32', [-1, 1], [0]],
    ['nonzero', 'set_errno_i64', 'i64', [-1n, 1n], [0n]],
    ['nonzero', 'set_errno_i32', 'bool', [true], [false]],
    ['nonzero', 'set_errno_ptr', 'ptr', [4096], [null]],
    ['null', 'set_errno_ptr', 'ptr', [null], [4096]],
    ['null', 'set_errno_cstring', 'cstring', [null], ['', 'text']],
    [(result) => result === 3, 'set_errno_i32', 'i32', [3], [-1, 0, 2]],
  ]) {
    test(`${typeof fails === 'string' ? `'${fails}'` : 'a function'} of ${type} throws Node's kind of system error, in every way to call`, async () => {
      for (const call of make(name, ['i32', type], type, fails)) {
        for (const result of bad) await assert.rejects(async () => call(ENOENT, result), isMissing(name, result));
        for (const result of good) assert.equal(await call(ENOENT, result), result);
      }
    });
  }

  // Each leaves errno alone; what was there before is not theirs.
  for (const [type, fails, bad, good, shown] of [
    ['i32', 'negative', -5, 3, '-5'],
    ['i32', 'nonzero', 5, 0, '5'],
    ['i64', 'nonzero', 5n, 0n, '5n'],
    ['ptr', 'null', null, 4096, 'null'],
    ['f64', Number.isNaN, NaN, 1.5, 'NaN'],
  ]) {
    test(`a failing result of ${type} without an errno is reported as it is, in every way to call`, async () => {
      const name = `identity_${type}`;
      const thread = dlopen(fixture, { [name]: { args: [type], returns: type, fails } }).thread();
      for (const call of [...make(name, [type], type, fails), thread.symbols[name]]) {
        for (let i = 0; i < 3; i += 1) {
          bindOne('set_errno_i32', setting.args, 'i32')(ENOENT, 0);
          await assert.rejects(
            async () => call(bad),
            (error) => {
              assert.equal(error.constructor, Error);
              assert.deepEqual({ ...error }, { code: 'ERR_FFI_CALL_FAILED', syscall: name, result: bad });
              assert.equal(error.message, `${name} returned ${shown}`);
              return true;
            },
          );
          assert.equal(errno(), 0);
          assert.equal(await call(good), good);
        }
      }
      thread.close();
    });
  }

  test('a failure of a variadic function is thrown as well', () => {
    const { symbols: c } = dlopen(null, {
      snprintf: { args: ['buffer', 'u64', 'cstring'], returns: 'i32', varargs: true, fails: (result) => result > 2 },
    });
    capture(ENOENT, 0);
    assert.throws(() => c.snprintf(Buffer.alloc(8), 8, '%d', ['i32', 123]), { code: 'ERR_FFI_CALL_FAILED', result: 3 });
    assert.equal(c.snprintf(Buffer.alloc(8), 8, '%d', ['i32', 12]), 2);
  });

  test('the error of `fails` is the one that fs throws', () => {
    const { open } = dlopen(null, { open: { args: ['cstring', 'i32'], returns: 'i32', fails: 'negative' } }).symbols;
    let ours;
    let nodes;
    try {
      open('/no/such/file', 0);
    } catch (error) {
      ours = error;
    }
    try {
      fs.openSync('/no/such/file');
    } catch (error) {
      nodes = error;
    }
    assert.deepEqual([ours.code, ours.errno, ours.syscall], [nodes.code, nodes.errno, nodes.syscall]);
    assert.equal(nodes.message, `${ours.message} '/no/such/file'`);
    assert.equal(errno(), ENOENT);
  });

  test('functions of libc: fopen by null, access by nonzero, a successful call by its result', async () => {
    const libc = dlopen(null, {
      fopen: { args: ['cstring', 'cstring'], returns: 'ptr', fails: 'null' },
      fclose: { args: ['ptr'], returns: 'i32', fails: 'nonzero' },
      access: { args: ['cstring', 'i32'], returns: 'i32', fails: 'nonzero' },
    }).symbols;
    assert.throws(() => libc.fopen('/no/such/file', 'r'), isMissing('fopen', null));
    await assert.rejects(libc.access.async('/no/such/file', 0), isMissing('access', -1));
    assert.equal(libc.access(__filename, 0), 0);
    const file = await libc.fopen.async(__filename, 'r');
    assert.equal(libc.fclose(file), 0);
  });

  test('errno() tells the same after a failure', () => {
    const [call] = make('set_errno_i32', setting.args, 'i32', 'negative');
    assert.throws(() => call(EACCES, -1), { code: 'EACCES', errno: -EACCES });
    assert.equal(errno(), EACCES);
  });

  test('errors of C that no call of Node ends with have their names', { skip: onlyOn('linux') }, () => {
    const [call] = make('set_errno_i32', setting.args, 'i32', 'negative');
    for (const [code, number] of Object.entries(constants.errno)) {
      assert.throws(
        () => call(number, -1),
        (error) => {
          assert.equal(constants.errno[error.code], number, code);
          assert.equal(error.errno, -number);
          assert.match(error.message, /^E\w+: .+, set_errno_i32$/);
          assert.doesNotMatch(error.message, /unknown/i);
          return true;
        },
      );
    }
    assert.throws(() => call(constants.errno.EINPROGRESS, -1), {
      code: 'EINPROGRESS',
      message: 'EINPROGRESS: operation now in progress, set_errno_i32',
    });
  });

  test('a number that no system knows is UNKNOWN, and keeps its number', () => {
    const [call] = make('set_errno_i32', setting.args, 'i32', 'negative');
    assert.throws(() => call(4001, -1), { code: 'UNKNOWN', errno: -4001, syscall: 'set_errno_i32', message: /4001/ });
  });

  test('the syscall of the error is the name in the declaration of a symbol', () => {
    const library = dlopen(fixture, { mine: { ...setting, name: 'set_errno_i32', fails: 'negative' } });
    assert.throws(() => library.symbols.mine(ENOENT, -1), { syscall: 'mine' });
    library.close();
  });

  test('an exception of a `fails` function surfaces, sync and async', async () => {
    const boom = new Error('judge');
    const calls = make('set_errno_i32', setting.args, 'i32', () => {
      throw boom;
    });
    for (const call of calls)
      await assert.rejects(
        async () => call(1, 1),
        (error) => error === boom,
      );
  });

  test('errno is that of the call when the function for `fails` calls C itself', async () => {
    const fails = (result) => (capture(EACCES, 0), result < 0);
    const call = bindOne('set_errno_i32', setting.args, 'i32', { fails });
    assert.throws(() => call(ENOENT, -1), { code: 'ENOENT' });
    await assert.rejects(call.async(ENOENT, -1), { code: 'ENOENT' });
  });

  test('a function for `fails` that is asynchronous is refused, because a Promise says nothing of the result', async () => {
    const declare = (fails) => bindOne('set_errno_i32', setting.args, 'i32', { fails });
    const expected = { code: 'ERR_INVALID_ARG_VALUE', message: /fails must be .*, received an async function$/ };
    assert.throws(() => declare(async () => false), expected);
    assert.throws(() => declare(function* () {}), { message: /received a generator function$/ });
    const late = declare(() => Promise.resolve(false));
    const refused = { code: 'ERR_INVALID_ARG_VALUE', message: /the result of fails must be true or false.* a Promise/ };
    assert.throws(() => late(0, 1), refused);
    await assert.rejects(late.async(0, 1), refused);
  });

  test('an exception of a callback comes before the failure', () => {
    const boom = new Error('boom');
    const around = bindOne('set_errno_around', ['i32', 'function'], 'i32', { fails: 'negative' });
    const callback = new JSCallback(() => {
      throw boom;
    }, {});
    assert.throws(
      () => around(ENOENT, callback),
      (error) => error === boom,
    );
    callback.close();
  });

  test('`fails` works for functions of linkSymbols and CFunction as well', () => {
    const { ptr } = ignore;
    const linked = ffi.linkSymbols({ plus: { ptr, ...setting, fails: 'negative' } });
    assert.throws(() => linked.symbols.plus(ENOENT, -1), { code: 'ENOENT', syscall: 'plus' });
    const single = ffi.CFunction({ ptr, ...setting, fails: 'negative' });
    assert.throws(() => single(ENOENT, -1), { code: 'ENOENT' });
    linked.close();
    single.close();
  });

  test('a declaration of another kind is refused by name', () => {
    for (const fails of ['positive', '', 1, true, null, {}, []]) {
      throws(
        () => bind({ set_errno_i32: { ...setting, fails } }),
        ['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE'],
        /set_errno_i32.*fails/,
      );
    }
    for (const [fails, returns] of [
      ['nonzero', 'cstring'],
      ['negative', 'void'],
      ['null', 'int'],
    ])
      throws(
        () => bind({ set_errno_i32: { ...setting, returns, fails } }),
        'ERR_INVALID_ARG_VALUE',
        new RegExp(`^set_errno_i32: fails '${fails}' needs .* as the result, not `),
      );
    for (const errnoOption of ['yes', 1, null]) {
      throws(() => bind({ set_errno_i32: { ...setting, errno: errnoOption } }), 'ERR_INVALID_ARG_TYPE', /errno/);
    }
  });
});

test('the codes of Windows have names that Node has errors for, each code one', () => {
  const { nameOfCode } = require('../../lib/win32-errors.js');
  assert.deepEqual([2, 3, 5, 6, 183, 10061].map(nameOfCode), [
    'ENOENT',
    'ENOENT',
    'EPERM',
    'EBADF',
    'EEXIST',
    'ECONNREFUSED',
  ]);
  assert.equal(nameOfCode(99_999), undefined);
  const known = new Set([...getSystemErrorMap().values()].map(([name]) => name));
  const names = Array.from({ length: 12_000 }, (_, code) => nameOfCode(code)).filter((name) => name !== undefined);
  assert.deepEqual(
    names.filter((name) => !known.has(name)),
    [],
  );
});
