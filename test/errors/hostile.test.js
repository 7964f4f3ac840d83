'use strict';
// Wrong declarations and values of every kind, in every place: an error with a code each, and never a crash.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { bind, collect, ffi, fixture, makeDetached, polluted, runs, throws } = require('../helpers.js');
const { byScale } = require('../scale.js');
const { TABLE } = require('../../lib/errors.js');

const { struct, union, array, pointer, out, fn, opaque, enumeration, dlopen, offsetof, sizeof } = ffi;

const T = struct({
  x: 'f64',
  p: 'ptr',
  s: 'cstring',
  a: array('i8', 3),
  u: union({ a: 'i32', b: 'f64' }),
  f: fn({ args: ['i32'], returns: 'i32' }),
  w: 'wstring',
  e: enumeration({ A: 1 }),
});
const right = { x: 1, p: null, s: null, a: [1, 2, 3], u: { a: 1 }, f: null, w: null, e: 1 };

const HOSTILE = [
  undefined,
  null,
  0,
  -1,
  1.5,
  NaN,
  1n,
  2n ** 70n,
  'x',
  'a\0',
  Symbol('x'),
  () => 1,
  {},
  [],
  [1, 2, 3],
  new Proxy({}, {}),
  new Proxy(
    {},
    {
      get() {
        throw new Error('trap');
      },
    },
  ),
  Buffer.alloc(3),
  new ArrayBuffer(8),
  new SharedArrayBuffer(8),
  new Uint8Array(0),
  new ArrayBuffer(8, { maxByteLength: 16 }),
  T,
  Object.create(null),
  new Date(),
  true,
  T.alloc(),
  { ptr: null },
  { ptr: 'x' },
  class {},
  array('i8', 3).alloc(),
];

describe('whatever is declared or passed', () => {
  const library = dlopen(null, {});
  const isAddress = (value) => typeof value === 'number' || typeof value === 'bigint';

  test('every declaration and value works or throws an error of the table', () => {
    let thrown = 0;
    const attempt = (what) => {
      try {
        what();
      } catch (error) {
        thrown += 1;
        if (error.message !== 'trap') assert.ok(Object.hasOwn(TABLE, error.code), error.stack);
      }
    };
    for (const [i, a] of HOSTILE.entries()) {
      // At the quick scale every second pair.
      for (const b of HOSTILE.filter((_, k) => (i + k) % byScale(2, 1) === 0)) {
        for (const declare of [struct, union, array, enumeration, opaque, offsetof]) attempt(() => declare(a, b));
        for (const declare of [pointer, out, fn, sizeof]) attempt(() => declare(a));
        attempt(() => struct({ a, b }));
        attempt(() => fn({ args: [a], returns: b }));
        attempt(() => T.alloc({ ...right, x: a, p: b }));
        attempt(() => T.alloc({ ...right, s: a, a: b }));
        attempt(() => T.alloc({ ...right, u: a, f: b }));
        attempt(() => T.alloc({ ...right, w: a, e: b }));
        const view = T.alloc();
        for (const key of Object.keys(right))
          attempt(() => {
            view[key] = a;
          });
        attempt(() => view.a.set(a, b));
        if (!isAddress(a)) for (const use of ['view', 'read', 'write']) attempt(() => T[use](a, b));
        attempt(() => library.global(a, b));
        attempt(() => dlopen(null, { strdup: { args: [a], returns: { type: b, free: a } } }));
        attempt(() => dlopen(null, { strdup: { args: ['cstring'], varargs: a } }));
      }
    }
    assert.ok(thrown > byScale(5000, 10_000), `${thrown} were refused`);
  });
});

describe('whatever is declared or passed in a dialect', () => {
  const nodeFfi = require('../../node-ffi.js');
  const koffi = require('../../koffi.js');
  const isAddress = (value) => typeof value === 'number' || typeof value === 'bigint';
  /** What the engine throws in the name of a proxy, and what it says of Node's key `arguments` of a function. */
  const BY_ENGINE = /^trap$|'caller', 'callee', and 'arguments'/;

  function counting() {
    const attempt = (what) => {
      try {
        what();
      } catch (error) {
        attempt.thrown += 1;
        if (!BY_ENGINE.test(error.message)) assert.ok(Object.hasOwn(TABLE, error.code), error.stack);
      }
    };
    attempt.thrown = 0;
    return attempt;
  }

  test('every declaration and value of pinned-ffi/node-ffi works or throws an error of the table', () => {
    const attempt = counting();
    const lib = new nodeFfi.DynamicLibrary(fixture);
    const same = lib.getFunction('same_ptr', { return: 'bool', arguments: ['pointer', 'string'] });
    const small = lib.getFunction('identity_i8', { return: 'i8', arguments: ['i8'] });
    const accessors = Object.keys(nodeFfi).filter((name) => /^[gs]et[IUF]/.test(name));
    for (const a of HOSTILE) {
      attempt(() => small(a));
      attempt(() => nodeFfi.getRawPointer(a));
      for (const b of HOSTILE) {
        attempt(() => same(a, b));
        for (const name of ['getFunction', 'getFunctions', 'getSymbol', 'registerCallback', 'unrefCallback'])
          attempt(() => lib[name](a, b));
        attempt(() => new nodeFfi.DynamicLibrary(fixture).getFunction('answer_zero', { return: a, arguments: b }));
        attempt(() =>
          new nodeFfi.DynamicLibrary(fixture).getFunction('answer_zero', { return: 'i32', arguments: [a, b] }),
        );
        if (isAddress(a)) continue;
        for (const name of accessors) attempt(() => nodeFfi[name](a, b, a));
        for (const name of ['toString', 'toBuffer', 'toArrayBuffer', 'exportBuffer', 'exportArrayBufferView'])
          attempt(() => nodeFfi[name](a, a, b));
      }
    }
    assert.ok(attempt.thrown > 20_000, `${attempt.thrown} were refused`);
  });

  test('every declaration and value of pinned-ffi/koffi works or throws an error of the table', () => {
    const attempt = counting();
    const lib = koffi.load(fixture);
    koffi.struct('HostilePoint', { x: 'int', y: 'double', name: 'str', list: koffi.array('int16_t', 3) });
    koffi.proto('int HostileCallback(int value)');
    const types = [
      'int',
      'int64_t',
      'float',
      'str',
      'int *',
      '_Inout_ int *',
      'HostilePoint',
      '_Inout_ HostilePoint *',
      'HostileCallback *',
      'const char **',
    ];
    const functions = types.map((type) => lib.func('answer_zero', 'int', [type]));
    const Point = koffi.type('HostilePoint');
    for (const a of HOSTILE) {
      for (const call of functions) attempt(() => call(a));
      attempt(() => koffi.register(a, 'HostileCallback *'));
      for (const b of HOSTILE) {
        for (const declare of [
          'struct',
          'pack',
          'union',
          'array',
          'pointer',
          'enumeration',
          'proto',
          'alias',
          'as',
          'offsetof',
        ])
          attempt(() => koffi[declare](a, b));
        attempt(() => lib.func('answer_zero', a, b));
        attempt(() => lib.func('answer_zero', 'int', [a, b]));
        attempt(() => koffi.encode(Buffer.alloc(Point.size), Point, { x: a, y: b }));
        attempt(() => koffi.encode(Buffer.alloc(Point.size), Point, { name: a, list: b }));
        if (!isAddress(a)) for (const use of ['decode', 'encode', 'view', 'address']) attempt(() => koffi[use](a, b));
      }
    }
    koffi.reset();
    assert.ok(attempt.thrown > 12_000, `${attempt.thrown} were refused`);
  });
});

// ---- the user's code in the middle ----------------------------------------------------------------------------------

const WAYS = {
  'a synchronous call': (library, name, args) => library.symbols[name](...args),
  'an asynchronous call': (library, name, args) => library.symbols[name].async(...args),
  'a call of thread()': (library, name, args) => library.thread().symbols[name](...args),
};
const declared = {
  copy_bytes: { args: ['ptr', 'ptr', 'u64'] },
  call_then_sum: { args: ['function', 'ptr', 'u64'], returns: 'u64' },
  same_ptr: { args: ['function', 'ptr'], returns: 'bool' },
};
const transfer = (view) => structuredClone(view.buffer, { transfer: [view.buffer] });
const codeOf = async (run) => {
  try {
    return await run();
  } catch (error) {
    return error.code;
  }
};

for (const [way, call] of Object.entries(WAYS)) {
  describe(`a getter that runs while the arguments of ${way} are read`, () => {
    for (const position of [0, 1]) {
      const args = (view, effect) => {
        const other = new Uint8Array(8);
        const getter = {
          get ptr() {
            effect();
            return ffi.ptr(other);
          },
        };
        return position === 0 ? [getter, view, 8] : [view, getter, 8];
      };

      test(`a getter at ${position} that transfers the buffer of the other argument has ${way} refused`, async () => {
        const view = new Uint8Array(8);
        const code = await codeOf(() =>
          call(
            dlopen(fixture, declared),
            'copy_bytes',
            args(view, () => transfer(view)),
          ),
        );
        assert.equal(code, 'ERR_INVALID_ARG_VALUE');
      });

      test(`a getter at ${position} that closes the library has ${way} refused`, async () => {
        const opened = dlopen(fixture, declared);
        const code = await codeOf(() =>
          call(
            opened,
            'copy_bytes',
            args(new Uint8Array(8), () => opened.close()),
          ),
        );
        assert.equal(code, 'ERR_FFI_LIBRARY_CLOSED');
      });

      test(`a getter at ${position} that throws has exactly that thrown by ${way}`, async () => {
        const thrown = new Error('of the getter');
        const run = async () =>
          call(
            dlopen(fixture, declared),
            'copy_bytes',
            args(new Uint8Array(8), () => {
              throw thrown;
            }),
          );
        await assert.rejects(run, (error) => error === thrown);
      });

      test(`a getter at ${position} that makes another call does not disturb ${way}`, async () => {
        const opened = dlopen(fixture, declared);
        const view = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
        const inner = new Uint8Array(8);
        await call(
          opened,
          'copy_bytes',
          args(view, () => opened.symbols.copy_bytes(inner, new Uint8Array(8).fill(9), 8)),
        );
        assert.deepEqual([...inner], Array(8).fill(9));
      });
    }

    test(`a getter that closes the callback beside it leaves ${way} the pointer that was read, or has it refused`, async () => {
      const callback = new ffi.JSCallback(() => {}, {});
      const getter = {
        get ptr() {
          callback.close();
          return 4096;
        },
      };
      assert.equal(await codeOf(() => call(dlopen(fixture, declared), 'same_ptr', [callback, getter])), false);
      assert.equal(
        await codeOf(() => call(dlopen(fixture, declared), 'same_ptr', [callback, getter])),
        'ERR_FFI_CALLBACK_CLOSED',
      );
    });
  });

  describe(`a callback in the middle of ${way}`, () => {
    const isSync = way === 'a synchronous call';
    /** What the call gives, and what the effect in its callback threw. */
    async function middle(effect) {
      const opened = dlopen(fixture, declared);
      const view = new Uint8Array(100).fill(2);
      const threw = [];
      const callback = new ffi.JSCallback(() => {
        try {
          effect({ opened, view, callback });
        } catch (error) {
          threw.push(error.code);
        }
      }, {});
      const sum = await call(opened, 'call_then_sum', [callback, view, 100]);
      callback.close();
      return { sum, threw, view, opened };
    }

    test(`a callback in the middle of ${way} that transfers the buffer leaves its bytes to C`, async () => {
      const { sum, view } = await middle((parts) => transfer(parts.view));
      assert.equal(sum, 200n);
      // Calls on other threads always lock their buffers, synchronous ones only hold the memory.
      if (!isSync) assert.equal(view.byteLength, 100);
      assert.equal(ffi.checkFences(), 0);
    });

    test(`a callback in the middle of ${way} that transfers the buffer and collects leaves its bytes to C`, async () => {
      const { sum } = await middle((parts) => {
        try {
          transfer(parts.view);
        } finally {
          for (let i = 0; i < 3; i++) collect();
          for (let i = 0; i < 100; i++) new Uint8Array(100).fill(9);
        }
      });
      assert.equal(sum, 200n);
    });

    test(`a callback in the middle of ${way} that closes the library is refused, or it is closed after the call`, async () => {
      const { sum, threw, opened } = await middle((parts) => parts.opened.close());
      assert.equal(sum, 200n);
      assert.deepEqual(threw, isSync ? ['ERR_FFI_LIBRARY_BUSY'] : []);
      opened.close();
      await opened.closed;
      throws(() => opened.symbols.copy_bytes(null, null, 0), 'ERR_FFI_LIBRARY_CLOSED');
    });

    test(`a callback in the middle of ${way} that closes itself returns, and the call goes on`, async () => {
      assert.equal((await middle((parts) => parts.callback.close())).sum, 200n);
    });
  });
}

test('without fences, too, C still has the bytes of a buffer that its callback transfers', async () => {
  const said = await runs(
    `
    const symbols = h.bind({
      call_then_sum: { args: ['function', 'ptr', 'u32'], returns: 'u64' } });
    const sums = [];
    for (const make of [() => new Uint8Array(100).fill(2), () => new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 0, 100).fill(2),
      () => new Uint8Array(new SharedArrayBuffer(100)).fill(2)]) {
      const view = make();
      const callback = new ffi.JSCallback(() => {
        try {
          structuredClone(view.buffer, { transfer: [view.buffer] });
        } catch {
          // It cannot be.
        }
        for (let i = 0; i < 3; i++) h.collect();
        for (let i = 0; i < 100; i++) new Uint8Array(100).fill(9);
      }, {});
      sums.push(symbols.call_then_sum(callback, view, 100));
      callback.close();
    }
    console.log(sums.join());
  `,
    { env: { PINNED_FFI_FENCE: 'off' } },
  );
  assert.equal(said, '200,200,200');
});

// ---- what others did to the built-ins -------------------------------------------------------------------------------

describe('keys on Object.prototype', () => {
  const {
    add_i32: add,
    same_ptr: same,
    call_void: callVoid,
  } = bind({
    add_i32: { args: ['i32', 'i32'], returns: 'i32' },
    same_ptr: { args: ['ptr', 'ptr'], returns: 'bool' },
    call_void: { args: [fn({})] },
  });

  test('keys of a declaration, a row or a parameter on Object.prototype change no signature', () => {
    let run = 0;
    globalThis.planted = () => {
      run += 1;
    };
    const keys = [
      'lengthOf',
      'label',
      'fixed',
      'key',
      'isPointerLike',
      'retains',
      'resolve',
      'coercing',
      'isArray',
      'readsMemory',
      'returnedByEntry',
      'args',
      'returns',
      'wrap',
    ];
    for (const key of keys) {
      polluted({ [key]: '0, planted()' }, () => {
        const { identity_f64: f64, identity_i64: i64 } = bind({
          identity_f64: { args: ['f64'], returns: 'f64' },
          identity_i64: { args: ['i64'], returns: 'i64' },
        });
        assert.deepEqual([f64(1.5), i64(7n), add(1, 2)], [1.5, 7n, 3], key);
      });
    }
    delete globalThis.planted;
    assert.equal(run, 0);
  });

  test('keys of types and options on Object.prototype change no struct and no library', () => {
    const { array, dlopen, enumeration, pointer, struct, text, union } = ffi;
    let made = 0;
    const show = () => {
      made += 1;
      // Another name, so that the types of the clean run are not shared.
      const Part = struct({ a: { type: 'u32', bits: 3 }, b: { type: 'i32', bits: 5 }, [`c${made}`]: 'u16be' });
      const Whole = struct({
        part: Part,
        either: union({ [`i${made}`]: 'i32', f: 'f32' }),
        list: array('i16', 2),
        name: text(8),
        at: pointer('int'),
        mode: enumeration({ [`A${made}`]: 1, B: 2 }, { names: true }),
        wide: { type: 'u64', bits: 40 },
      });
      const part = { a: 5, b: -3, [`c${made}`]: 7 };
      const whole = Whole.alloc({ part, either: { f: 1 }, list: [1, 2], name: 'é', at: null, mode: 'B', wide: 9n });
      whole.list[1] = 3;
      const { abs } = dlopen(null, { abs: { args: ['int'], returns: 'int' } }).symbols;
      const shown = JSON.stringify([{ ...Whole.read(whole), wide: null }, whole, Whole.size, abs(-made) / made]);
      return `${shown} ${inspect(whole)}`.replaceAll(new RegExp(`\\b([ciA])${made}\\b`, 'g'), '$1');
    };
    const clean = show();
    const keys = ['element', 'fields', 'isFunction', 'isText', 'live', 'opaque', 'readBig', 'resolve', 'retains'];
    const options = ['align', 'bits', 'flags', 'isolate', 'length', 'library', 'packed', 'source', 'type', 'zero'];
    for (const key of [...keys, ...options]) assert.equal(polluted({ [key]: 'planted' }, show), clean, key);
  });

  test('keys on Object.prototype that JSON asks for change no signature', () => {
    polluted({ toJSON: () => 'the same' }, () => {
      const { identity_f32: f32, identity_u16: u16 } = bind({
        identity_f32: { args: ['f32'], returns: 'f32' },
        identity_u16: { args: ['u16'], returns: 'u16' },
      });
      assert.deepEqual([f32(1.5), u16(7)], [1.5, 7]);
    });
  });

  test('a key `ptr` on Object.prototype makes no object a pointer, and no function one', () => {
    polluted({ ptr: 4096 }, () => {
      throws(() => same({}, null), 'ERR_INVALID_ARG_TYPE', /argument 0/);
      let called = 0;
      callVoid(() => {
        called += 1;
      });
      assert.equal(called, 1);
    });
  });
});

describe('a detached DataView', () => {
  const view = () => {
    const made = new DataView(new ArrayBuffer(8));
    structuredClone(made.buffer, { transfer: [made.buffer] });
    return made;
  };

  test('a detached DataView is refused by its code wherever its bytes are counted, as a detached typed array is', () => {
    const { sum_bytes: sum, fill_bytes: fill } = bind({
      sum_bytes: { args: ['buffer', { type: 'u64', lengthOf: 0 }], returns: 'u64' },
      fill_bytes: { args: [{ type: 'ptr', minBytes: 4 }, 'u64', 'u8'] },
    });
    for (const detached of [view(), makeDetached()]) {
      throws(() => sum(detached, 8), 'ERR_OUT_OF_RANGE', /at most 0/);
      throws(() => fill(detached, 0, 0), 'ERR_OUT_OF_RANGE', /at least 4 bytes/);
      // Node 20 cannot tell a detached buffer from an empty one.
      throws(() => T.view(detached), ['ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'], /attached|received 0/);
      throws(() => ffi.ptr(detached), 'ERR_INVALID_ARG_VALUE', /attached/);
    }
  });
});

test('built-ins that are replaced after the package was loaded and that it does not use change nothing', () =>
  runs(`const s = h.bind({ add_i32: { args: ['i32', 'i32'], returns: 'i32' }, sum_bytes: { args: ['ptr', 'u64'], returns: 'u64' } });
    const view = new Uint8Array(10).fill(1);
    const refuse = () => { throw new Error('replaced'); };
    const Typed = Object.getPrototypeOf(Uint8Array.prototype);
    for (const key of ['buffer', 'byteLength', 'byteOffset', 'length']) Object.defineProperty(Typed, key, { get: () => 1e6 });
    Number.isInteger = Number.isSafeInteger = () => true;
    Array.prototype[Symbol.iterator] = refuse;
    Promise.prototype.then = refuse;
    const results = [s.add_i32(40, 2), s.sum_bytes(view, 10)];
    try { s.add_i32(2 ** 40, 0); } catch (error) { results.push(error.code); }
    try { s.add_i32(1.5, 0); } catch (error) { results.push(error.code); }
    process.exitCode = results.join() === '42,10,ERR_OUT_OF_RANGE,ERR_OUT_OF_RANGE' ? 0 : 1;
    require('node:fs').writeSync(2, results.join());`));
