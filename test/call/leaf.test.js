'use strict';
// `leaf: true`: functions that call no callback are called in the same way whether callbacks are open or not; what
// calls one after all throws, on every call path, and no JavaScript runs under it.

const assert = require('node:assert/strict');
const { after, describe, test } = require('node:test');
const { ffi, fixture, bind, bindOne, throws, runs, optimize } = require('../helpers.js');
const { byScale } = require('../scale.js');
const { onlyOn } = require('../requirements.js');
const { CALL_PATHS } = require('../abi/call-paths.js');

const { JSCallback, dlopen, fn } = ffi;
const CODE = 'ERR_FFI_LEAF_CALLED_BACK';
const leaf = true;

let calls = 0;
function counter(value) {
  calls += 1;
  return value;
}
const callback = new JSCallback(counter, { args: ['i32'], returns: 'i32' });
after(() => callback.close());

/** Nothing of it ran. */
function refuses(call, message) {
  const before = calls;
  const error = throws(call, CODE, message);
  assert.equal(calls, before);
  return error;
}

const TYPES = {
  i8: -5,
  u8: 200,
  i16: -300,
  u16: 60000,
  i32: -7,
  u32: 4e9,
  i64: -9n,
  u64: 9n,
  f32: 0.5,
  f64: 0.1,
  ptr: 8192,
};

describe('a leaf function', () => {
  const symbols = bind({
    add_i32: { args: ['i32', 'i32'], returns: 'i32', leaf },
    call_times_i32: { args: ['ptr', 'i32'], returns: 'i32', leaf },
    call_void: { args: ['ptr'], leaf },
    identity_cstring: { args: ['cstring'], returns: 'cstring', leaf },
    sum_bytes: { args: ['ptr', 'u64'], returns: 'u64', leaf },
    set_bytes: { args: ['ptr', 'i64', 'u64', 'u8'], leaf, name: 'write_bytes', optional: true },
    sum_after: { args: ['ptr', 'ptr', 'u64'], returns: 'u64', leaf },
  });

  test('a leaf function returns the same while a JSCallback is open, before and after V8 optimises its caller', () => {
    const all = () => [
      symbols.add_i32(40, 2),
      symbols.identity_cstring('grün'),
      symbols.sum_bytes(Buffer.from([1, 2]), 2),
    ];
    const expected = [42, 'grün', 3n];
    assert.deepEqual(all(), expected);
    optimize(all);
    for (let i = 0; i < 100; i++) assert.deepEqual(all(), expected);
  });

  for (const [type, value] of Object.entries(TYPES)) {
    test(`a leaf function passes and returns ${type} while a JSCallback is open`, () => {
      const identity = bindOne(`identity_${type}`, [type], type, { leaf });
      const call = () => identity(value);
      optimize(call);
      for (let i = 0; i < 100; i++) assert.equal(call(), value);
    });

    test(`a leaf function gives zero to C and throws where it calls a JSCallback of ${type}`, () => {
      let seen = 0;
      const own = new JSCallback((received) => ((seen += 1), received), { args: [type], returns: type });
      const calling = bindOne(`call_${type}`, ['ptr', type], type, { leaf });
      const call = () => throws(() => calling(own.ptr, value), CODE, new RegExp(`^call_${type}: .*\\bleaf\\b`));
      optimize(call);
      for (let i = 0; i < 20; i++) call();
      assert.equal(seen, 0);
      own.close();
    });
  }

  test('a leaf function names itself and the callback in the error', () => {
    refuses(() => symbols.call_times_i32(callback.ptr, 3), /^call_times_i32: .*`leaf: true`.* called .*counter/);
  });

  test('a leaf function works again after it has thrown, and so do other calls', () => {
    const call = bindOne('call_i32', ['function', 'i32'], 'i32');
    const round = () => {
      refuses(() => symbols.call_times_i32(callback.ptr, 3));
      assert.equal(symbols.add_i32(1, 2), 3);
      assert.equal(call(callback, 7), 7);
    };
    for (let i = 0; i < 200; i++) round();
  });

  test('a leaf function throws for a JSCallback that it was passed as an object', () => {
    refuses(() => symbols.call_times_i32(callback, 3));
  });

  test('a leaf function is refused a plain function where a pointer is declared, as every function is', () => {
    throws(() => symbols.call_void(() => {}), 'ERR_INVALID_ARG_TYPE');
  });

  test('a leaf function may be called by a callback, which goes on running JavaScript', () => {
    const outer = bindOne('call_times_i32', ['function', 'i32'], 'i32');
    const nested = new JSCallback((value) => symbols.add_i32(value, 1), { args: ['i32'], returns: 'i32' });
    assert.equal(outer(nested, 1000), 500_500);
    nested.close();
  });

  test('a leaf function that calls back inside of a callback throws there, and what is outside of it goes on', () => {
    const outer = bindOne('call_times_i32', ['function', 'i32'], 'i32');
    const nested = new JSCallback(
      (value) => {
        refuses(() => symbols.call_times_i32(callback.ptr, 1));
        return value;
      },
      { args: ['i32'], returns: 'i32' },
    );
    assert.equal(outer(nested, 100), 4950);
    nested.close();
  });

  test('a leaf function reports an overflow first, with the callback as its cause', () => {
    const fill = bindOne('flip_then_call', ['ptr', 'i64', 'u64', 'ptr'], 'void', { leaf });
    const call = () => {
      const error = throws(() => fill(Buffer.alloc(8), 8n, 2n, callback.ptr), 'ERR_FFI_BUFFER_OVERFLOW');
      assert.equal(error.cause.code, CODE);
    };
    optimize(call);
    call();
  });

  test('a leaf function calls a closed JSCallback as every function does: C gets zero', async () => {
    const closed = new JSCallback(() => 1, { returns: 'i32' });
    const { ptr } = closed;
    closed.close();
    const warning = new Promise((resolve) => process.once('warning', resolve));
    assert.equal(symbols.call_times_i32(ptr, 2), 0);
    assert.match((await warning).message, /after its close/);
  });

  test('a leaf function keeps errno, takes the guard and variable arguments, and is checked for failure', () => {
    const guarded = bindOne('call_times_i32', ['ptr', 'i32'], 'i32', { leaf, guard: true });
    const errno = bindOne('call_times_i32', ['ptr', 'i32'], 'i32', { leaf, errno: true });
    const failing = bindOne('call_times_i32', ['ptr', 'i32'], 'i32', { leaf, fails: 'negative' });
    for (const call of [guarded, errno, failing]) refuses(() => call(callback.ptr, 2));
    const print = bindOne('format_cstring', ['cstring'], 'cstring', { leaf, varargs: true, optional: true });
    if (print !== null) assert.equal(print('text'), 'text');
  });

  test('a leaf function may be declared in C text by an object next to it, and by CFunction', () => {
    const { symbols: both } = dlopen(fixture, [
      'int32_t call_times_i32(int32_t (*)(int32_t), int32_t); int32_t add_i32(int32_t, int32_t);',
      { add_i32: { leaf: true } },
    ]);
    assert.equal(both.add_i32(1, 2), 3);
    const bound = bindOne('call_times_i32', ['ptr', 'i32'], 'i32');
    const pointer = new ffi.CFunction({ ptr: bound.ptr, args: ['ptr', 'i32'], returns: 'i32', leaf });
    refuses(() => pointer(callback.ptr, 1));
    pointer.close();
  });
});

describe('on other threads', () => {
  test('an asynchronous call rejects where its function calls a JSCallback', async () => {
    const call = bindOne('call_times_i32', ['ptr', 'i32'], 'i32', { leaf });
    const before = calls;
    await assert.rejects(call.async(callback.ptr, 3), { code: CODE, message: /^call_times_i32: .*counter/ });
    assert.equal(calls, before);
    const ordinary = bindOne('call_times_i32', ['ptr', 'i32'], 'i32');
    assert.equal(await ordinary.async(callback.ptr, 3), 3);
    assert.equal(await bindOne('add_i32', ['i32', 'i32'], 'i32', { leaf }).async(1, 2), 3);
  });

  test('a call of a library thread rejects, and the next one of that thread may call back', async () => {
    const library = dlopen(fixture, {
      call_times_i32: { args: ['ptr', 'i32'], returns: 'i32', leaf },
      call_i32: { args: ['ptr', 'i32'], returns: 'i32' },
    });
    const thread = library.thread();
    await assert.rejects(thread.symbols.call_times_i32(callback.ptr, 3), { code: CODE });
    assert.equal(await thread.symbols.call_i32(callback.ptr, 5), 5);
    thread.close();
    library.close();
  });

  test('a threadsafe callback does not run either where the function calls it', async () => {
    const before = calls;
    const options = { args: ['i32'], returns: 'void', threadsafe: true };
    const threadsafe = new JSCallback(() => (calls += 1), options);
    const call = bindOne('call_i32', ['ptr', 'i32'], 'i32', { leaf });
    throws(() => call(threadsafe.ptr, 1), CODE);
    await assert.rejects(call.async(threadsafe.ptr, 1), { code: CODE });
    await new Promise(setImmediate);
    assert.equal(calls, before);
    threadsafe.close();
  });

  test('callbacks of threads of C run as before, while leaf functions are called', async () => {
    const symbols = bind({
      start_ticker: { args: ['function', 'u32', 'i32'], returns: 'i32' },
      is_ticker_over: { args: ['i32'], returns: 'bool', leaf },
      sum_ticks: { args: ['i32'], returns: 'i64', leaf },
      join_ticker: { args: ['i32'] },
    });
    const ticks = byScale(20, 500);
    const tick = new JSCallback((value) => value * 2, { args: ['i32'], returns: 'i32' });
    const number = symbols.start_ticker(tick, 0, ticks);
    const end = Date.now() + 10_000;
    while (!symbols.is_ticker_over(number) && Date.now() < end) {
      for (let i = 0; i < 1000; i++) symbols.is_ticker_over(number);
      await new Promise(setImmediate);
    }
    assert.equal(symbols.sum_ticks(number), BigInt(ticks * (ticks - 1)));
    symbols.join_ticker(number);
    tick.close();
  });

  test('a callback of a worker that the function calls does not run there', async () => {
    const stdout = await runs(`
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(\`
        const { parentPort } = require('node:worker_threads');
        const { JSCallback } = require(\${JSON.stringify(require.resolve('./index.js'))});
        const callback = new JSCallback(() => 5, { args: ['i32'], returns: 'i32' });
        parentPort.postMessage(callback.ptr);
        parentPort.once('message', () => callback.close());
      \`, { eval: true });
      worker.once('message', (pointer) => {
        const declaration = { args: ['ptr', 'i32'], returns: 'i32' };
        const [leaf, ordinary] = [true, false].map((leaf) => h.bindOne('call_i32', declaration.args, 'i32', { leaf }));
        const call = () => h.outcome(() => leaf(pointer, 1));
        h.optimize(call);
        console.log(call(), ordinary(pointer, 1), call());
        worker.postMessage('end');
      });
    `);
    assert.equal(stdout, `${CODE} 5 ${CODE}`);
  });

  test('a library in a separate process gets zero, and its call throws', { skip: onlyOn('isolation') }, () => {
    const library = dlopen(
      fixture,
      { call_times_i32: { args: ['ptr', 'i32'], returns: 'i32', leaf } },
      { isolate: true },
    );
    refuses(() => library.symbols.call_times_i32(callback, 3));
    library.close();
  });
});

describe('a declaration', () => {
  const refused = (more, message) =>
    throws(() => bindOne('call_i32', ['ptr', 'i32'], 'i32', { leaf, ...more }), 'ERR_INVALID_ARG_VALUE', message);

  test('leaf is refused with options that only functions that call back need', () => {
    refused({ threads: true }, /^call_i32: leaf must not be true: .*`threads: true`/);
    const declared = fn({ args: ['i32'], returns: 'i32' });
    for (const type of ['function', 'callback', 'fn', 17, declared]) {
      for (const wrap of [false, true]) {
        const declare = () => bindOne('call_i32', [type, 'i32'], 'i32', { leaf, wrap });
        throws(declare, 'ERR_INVALID_ARG_VALUE', /^call_i32: leaf must not be true: args\[0\] is a function/);
      }
    }
    throws(
      () => dlopen(fixture, ['int32_t call_i32(int32_t (*)(int32_t), int32_t);', { call_i32: { leaf } }]),
      'ERR_INVALID_ARG_VALUE',
      /^call_i32: leaf must not be true: args\[0\]/,
    );
  });

  test('a leaf function may have a handle as an argument', () => {
    const identity = bindOne('identity_ptr', [ffi.opaque('Thing')], 'ptr', { leaf });
    assert.equal(identity(null), null);
  });

  test('leaf takes a boolean only', () => {
    throws(() => bindOne('add_i32', ['i32', 'i32'], 'i32', { leaf: 1 }), 'ERR_INVALID_ARG_TYPE', /leaf/);
  });

  test('a declaration without leaf is not changed by one with it, in whichever order', () => {
    const kinds = [false, true, false].map((leaf) => bindOne('call_i32', ['ptr', 'i32'], 'i32', { leaf }));
    assert.equal(kinds[0](callback.ptr, 4), 4);
    refuses(() => kinds[1](callback.ptr, 4));
    assert.equal(kinds[2](callback.ptr, 4), 4);
  });
});

const SCRIPT = `
  const leaf = true;
  const callback = new ffi.JSCallback(function counter(value) { return value; }, { args: ['i32'], returns: 'i32' });
  const symbols = h.bind({
    add_i32: { args: ['i32', 'i32'], returns: 'i32', leaf },
    call_i32: { args: ['ptr', 'i32'], returns: 'i32', leaf },
    call_times_i32: { args: ['ptr', 'i32'], returns: 'i32' },
    sum_after: { args: ['ptr', 'ptr', 'u64'], returns: 'u64', leaf },
    compare_cstring_after: { args: ['ptr', 'cstring', 'cstring'], returns: 'i32', leaf },
    identity_cstring: { args: ['cstring'], returns: 'cstring', leaf },
  });
  const message = (run) => { try { return String(run()); } catch (error) { return error.code + ': ' + error.message; } };
  const all = () => [
    () => symbols.add_i32(1, 2),
    () => symbols.call_i32(callback.ptr, 1),
    () => symbols.call_times_i32(callback.ptr, 4),
    () => symbols.sum_after(callback.ptr, Buffer.from([1, 2]), 2),
    () => symbols.compare_cstring_after(callback.ptr, 'a', 'b'),
    () => symbols.identity_cstring('text'),
  ].map(message);
  const before = JSON.stringify(all());
  h.optimize(all);
  for (let i = 0; i < 50; i++) if (JSON.stringify(all()) !== before) throw new Error(before + JSON.stringify(all()));
  const end = (outcome) => console.log(JSON.stringify([before, outcome]));
  symbols.call_i32.async(callback.ptr, 1).then(end, (error) => end(error.message));
`;

test('a callback that is open sends no more calls of a leaf function to the generic call, right or wrong', async () => {
  const stdout = await runs(
    `
    // Fast callers reach the generic call by this function.
    let count = 0;
    const { apply } = Reflect;
    Reflect.apply = (...values) => ((count += 1), apply(...values));
    const { dlopen, JSCallback } = require(${JSON.stringify(require.resolve('../../index.js'))});
    const [args, returns] = [['ptr', 'i32'], 'i32'];
    const open = (leaf) =>
      dlopen(${JSON.stringify(fixture)}, { add_i32: { args: ['i32', 'i32'], returns, leaf }, call_i32: { args, returns, leaf } }).symbols;
    const COUNT = 1000;
    let thrown = 0;
    const end = (call, value) => {
      try {
        call(value, 1);
      } catch ({ code }) {
        if (code === '${CODE}') thrown += 1;
      }
    };
    // Once V8 has optimised a function: more than once, because it goes back when a branch is taken for the first time.
    const countOf = (call, value) => {
      for (let round = 0; round < 5; round++) {
        new Function('call', '%PrepareFunctionForOptimization(call)')(call);
        for (let i = 0; i < 200; i++) end(call, value);
        new Function('call', '%OptimizeFunctionOnNextCall(call)')(call);
        for (let i = 0; i < 200; i++) end(call, value);
      }
      const before = count;
      thrown = 0;
      for (let i = 0; i < COUNT; i++) end(call, value);
      return count - before;
    };
    const [usual, leaf] = [open(false), open(true)];
    const without = countOf(usual.add_i32, 1);
    const callback = new JSCallback((value) => value, { args: ['i32'], returns: 'i32' });
    const right = countOf(leaf.add_i32, 1);
    const wrong = countOf(leaf.call_i32, callback.ptr);
    console.log(JSON.stringify({ COUNT, thrown, more: [right - without, wrong - without] }));
  `,
    { isBare: true, flags: ['--allow-natives-syntax'] },
  );
  const { COUNT, thrown, more } = JSON.parse(stdout);
  assert.equal(thrown, COUNT);
  // An attempt may fail where V8 collects garbage just then.
  for (const calls of more) assert.ok(calls < COUNT / 2, stdout);
});

test('every call path ends every call of a leaf function alike', async () => {
  const outputs = await Promise.all(CALL_PATHS.map((path) => runs(SCRIPT, { env: { PINNED_FFI_CALL_PATH: path } })));
  assert.match(outputs[0], /"3\\",\\"ERR_FFI_LEAF_CALLED_BACK: call_i32: /);
  for (const output of outputs) assert.equal(output, outputs[0]);
});
