'use strict';
// Declarations: wrong keys, types and values are refused by name, wherever a declaration is taken.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, fixture, bindOne, throws, polluted, runs } = require('../helpers.js');

const { dlopen, linkSymbols, CFunction, JSCallback, FFIType } = ffi;
const address = bindOne('get_add_i32', [], 'ptr')();
const add = { args: ['i32', 'i32'], returns: 'i32' };

/** The four places where a signature is declared; each must refuse the same things. */
const places = {
  dlopen: (declaration) => dlopen(fixture, { add_i32: declaration }),
  linkSymbols: (declaration) => linkSymbols({ add_i32: withPtr(declaration) }),
  CFunction: (declaration) => CFunction(withPtr(declaration)),
  JSCallback: (declaration) => new JSCallback(() => 0, declaration),
};

/** The same declaration, own getters and prototype included, with a ptr. */
function withPtr(declaration) {
  if (typeof declaration !== 'object' || declaration === null) return declaration;
  return Object.defineProperties(Object.create(Object.getPrototypeOf(declaration)), {
    ptr: { value: address, enumerable: true },
    ...Object.getOwnPropertyDescriptors(declaration),
  });
}

for (const [place, declare] of Object.entries(places)) {
  describe(`a declaration of ${place}`, () => {
    // In messages a callback is named after its class and the others after the symbol.
    const named = { dlopen: /add_i32/, linkSymbols: /add_i32/, CFunction: /CFunction/, JSCallback: /JSCallback/ }[
      place
    ];

    test(`a declaration of ${place} refuses an unknown key and names it`, () => {
      for (const key of [
        'result',
        'arguments',
        'parameters',
        'Returns',
        'arg',
        'return',
        'nonBlocking',
        'toString',
        '',
      ]) {
        const error = throws(() => declare({ ...add, [key]: 'i32' }), 'ERR_INVALID_ARG_VALUE', named);
        assert.ok(error.message.includes(key), error.message);
      }
    });

    test(`a declaration of ${place} refuses an unknown type and names it`, () => {
      for (const type of [
        'foo',
        'I32',
        'i32 ',
        '',
        'int32',
        'toString',
        '__proto__',
        'constructor',
        'hasOwnProperty',
        'i128',
        'struct',
      ]) {
        for (const declaration of [{ args: ['i32', type] }, { args: [], returns: type }]) {
          const error = throws(() => declare(declaration), 'ERR_INVALID_ARG_VALUE', named);
          assert.ok(error.message.includes(type), error.message);
        }
      }
      for (const tag of [-1, 25, 99, 0.5, NaN, 2 ** 40]) {
        throws(() => declare({ args: [tag] }), ['ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'], named);
        throws(() => declare({ returns: tag }), ['ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'], named);
      }
    });

    test(`a declaration of ${place} refuses a text that reads like the types of a declaration before it`, () => {
      const before = [{ ...add }, { args: [] }, { args: ['i32'], returns: null }, { args: ['i32'], returns: 'ptr' }];
      before.forEach((declaration) => declare(declaration).close());
      for (const type of ['i32,i32', '', 'null', 'undefined']) {
        throws(() => declare({ args: [type], returns: 'i32' }), 'ERR_INVALID_ARG_VALUE', named);
        throws(() => declare({ args: ['i32'], returns: type }), 'ERR_INVALID_ARG_VALUE', named);
      }
      throws(() => declare({ args: [''] }), 'ERR_INVALID_ARG_VALUE', named);
    });

    test(`a declaration of ${place} refuses what is no type at all`, () => {
      for (const type of [{}, [], true, Symbol('i32'), () => 1, 5n]) {
        throws(() => declare({ args: [type] }), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'], named);
        throws(() => declare({ returns: type }), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'], named);
      }
      for (const type of [null, undefined])
        throws(() => declare({ args: [type] }), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'], named);
      throws(() => declare({ args: new Array(1) }), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'], named);
    });

    test(`a declaration of ${place} refuses void as an argument, and types that cannot go that way`, () => {
      for (const type of ['void', FFIType.void, 'napi_env', 'napi_value', FFIType.napi_env]) {
        throws(() => declare({ args: ['i32', type] }), 'ERR_INVALID_ARG_VALUE', named);
      }
      for (const type of ['napi_env', 'napi_value', 'buffer', 'buffer_length', 'buffer_bytelength', FFIType.buffer]) {
        throws(() => declare({ returns: type }), 'ERR_INVALID_ARG_VALUE', named);
      }
      throws(() => declare({ args: ['napi_env'] }), 'ERR_INVALID_ARG_VALUE', /napi_env/);
    });

    test(`a declaration of ${place} refuses args that are no array`, () => {
      for (const args of [
        'i32',
        5,
        NaN,
        {},
        { length: 1, 0: 'i32' },
        new Set(['i32']),
        true,
        () => 1,
        new Uint8Array(2),
      ]) {
        throws(() => declare({ args }), 'ERR_INVALID_ARG_TYPE', /args/);
      }
    });

    test(`a declaration of ${place} refuses what is no object`, () => {
      for (const value of [null, 7, true, 1n, Symbol('s')]) throws(() => declare(value), 'ERR_INVALID_ARG_TYPE', named);
      if (place !== 'JSCallback') throws(() => declare(undefined), 'ERR_INVALID_ARG_TYPE', named);
    });

    test(`a declaration of ${place} lets the error of a getter or a proxy through`, () => {
      const boom = new Error('boom');
      const thrower = () => {
        throw boom;
      };
      const isBoom = (error) => error === boom;
      assert.throws(
        () =>
          declare({
            get args() {
              throw boom;
            },
          }),
        isBoom,
      );
      assert.throws(
        () =>
          declare({
            args: [],
            get returns() {
              throw boom;
            },
          }),
        isBoom,
      );
      assert.throws(() => declare(Object.defineProperty({}, 'args', { get: thrower, enumerable: true })), isBoom);
      assert.throws(
        () => declare({ args: Object.defineProperty(['i32'], 0, { get: thrower, enumerable: true }) }),
        isBoom,
      );
      assert.throws(() => declare({ args: new Proxy(['i32'], { get: thrower }) }), isBoom);
      const accepts = (value) => {
        const made = declare(value);
        made.close();
      };
      accepts({
        get args() {
          return ['i32', 'i32'];
        },
        get returns() {
          return 'i32';
        },
      });
      accepts({ args: new Proxy(['i32', 'i32'], {}), returns: 'i32' });
    });

    test(`a declaration of ${place} survives an args array that changes while it is read`, () => {
      const shrinking = ['i32', 'i32', 'i32'];
      Object.defineProperty(shrinking, 0, {
        get() {
          shrinking.length = 1;
          return 'i32';
        },
        enumerable: true,
      });
      const growing = ['i32'];
      Object.defineProperty(growing, 0, {
        get() {
          growing.push('f64');
          return 'i32';
        },
        enumerable: true,
        configurable: true,
      });
      const withLength = (length) =>
        new Proxy([], {
          get: (target, key) => (key === 'length' ? length : typeof key === 'symbol' ? target[key] : 'i32'),
        });
      for (const args of [shrinking, growing, withLength(-1), withLength(NaN), withLength('2'), withLength(0.5)]) {
        try {
          declare({ args }).close();
        } catch (error) {
          assert.match(error.code, /^ERR_/);
        }
      }
    });

    test(`a declaration of ${place} does not read keys of Object.prototype`, () => {
      polluted(
        {
          args: ['f64'],
          returns: 'nonsense',
          optional: true,
          wrap: true,
          name: 'no_such',
          threadsafe: true,
          result: 1,
        },
        () => {
          const made = declare({});
          made.close();
        },
      );
    });

    test(`a declaration of ${place} reads args once: changing them later changes nothing`, () => {
      const declaration = { args: ['i32', 'i32'], returns: 'i32' };
      const made = declare(declaration);
      declaration.args.push('f64');
      declaration.args[0] = 'cstring';
      declaration.returns = 'f64';
      const call = bindOne('call_both_i32', ['function', 'function', 'i32'], 'i32');
      if (place === 'JSCallback') assert.equal(call(made, made, 1), 0);
      else assert.equal((made.symbols?.add_i32 ?? made)(20, 22), 42);
      made.close();
    });

    test(`a declaration of ${place} of very many arguments works or is refused by its size`, () => {
      for (const count of [33, 40, 128, 1000, 70_000]) {
        try {
          const made = declare({ args: Array(count).fill('i32'), returns: 'i32' });
          if (place !== 'JSCallback') assert.equal((made.symbols?.add_i32 ?? made).length, count);
          made.close();
        } catch (error) {
          assert.ok(['ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'].includes(error.code), error.stack);
          assert.match(error.message, /argument/);
          assert.ok(count > 33, 'thirty-three arguments are not many');
        }
      }
    });

    test(`a declaration of ${place} refuses values of its other keys that are of the wrong kind`, () => {
      throws(() => declare({ ...add, threadsafe: 1 }), 'ERR_INVALID_ARG_TYPE', /threadsafe/);
      if (place === 'JSCallback') return;
      throws(() => declare({ ...add, wrap: 1 }), 'ERR_INVALID_ARG_TYPE', /wrap/);
      if (place !== 'dlopen') return;
      throws(() => declare({ ...add, optional: 'yes' }), 'ERR_INVALID_ARG_TYPE', /optional/);
      for (const name of [7, {}, null, Symbol('s')])
        throws(() => declare({ ...add, name }), 'ERR_INVALID_ARG_TYPE', /name/);
      for (const ptr of ['x', {}, true]) throws(() => declare({ ...add, ptr }), 'ERR_INVALID_ARG_TYPE', /ptr/);
      for (const ptr of [-1, NaN, 0.5]) throws(() => declare({ ...add, ptr }), 'ERR_OUT_OF_RANGE', /ptr/);
    });
  });
}

describe('args of absurd lengths', () => {
  const wild = `new Proxy([], {
    get: (target, key) => (key === 'length' ? 2 ** 32 - 1 : typeof key === 'symbol' ? target[key] : 'i32'),
  })`;
  for (const args of ['new Array(2 ** 32 - 1)', `Array(2 ** 20).fill('i32')`, wild]) {
    test(`${args.slice(0, 30)} are refused at once`, async () => {
      const stdout = await runs(
        `
        const args = ${args};
        const open = () => ffi.dlopen(h.fixture, { add_i32: { args } });
        console.log(h.outcome(open), h.outcome(() => new ffi.JSCallback(() => 0, { args })));
      `,
        { flags: ['--max-old-space-size=200'], timeout: 20_000 },
      );
      for (const code of stdout.split(' '))
        assert.match(code, /^ERR_(INVALID_ARG_VALUE|INVALID_ARG_TYPE|OUT_OF_RANGE)$/);
    });
  }
});

describe('the table of symbols', () => {
  for (const [name, open] of [
    ['dlopen', (symbols) => dlopen(fixture, symbols)],
    ['linkSymbols', linkSymbols],
  ]) {
    test(`${name} refuses symbols that are no object`, () => {
      for (const symbols of [undefined, null, 7, true, 1n, Symbol('s')])
        throws(() => open(symbols), 'ERR_INVALID_ARG_TYPE');
      throws(() => open('add_i32'), name === 'dlopen' ? 'ERR_FFI_DECLARATION_INVALID' : 'ERR_INVALID_ARG_TYPE');
    });

    test(`${name} does not read inherited symbols`, () => {
      const inherited = Object.create({ add_i32: { args: ['nonsense'] } });
      assert.deepEqual(Object.keys(open(inherited).symbols), []);
      polluted({ no_such_symbol: { args: ['nonsense'] } }, () =>
        assert.equal(Object.hasOwn(open({}).symbols, 'no_such_symbol'), false),
      );
    });

    test(`${name} lets the error of a getter or a proxy through`, () => {
      const boom = new Error('boom');
      const isBoom = (error) => error === boom;
      assert.throws(
        () =>
          open({
            get add_i32() {
              throw boom;
            },
          }),
        isBoom,
      );
      assert.throws(
        () =>
          open(
            new Proxy(
              {},
              {
                ownKeys() {
                  throw boom;
                },
              },
            ),
          ),
        isBoom,
      );
      assert.throws(
        () =>
          open(
            new Proxy(
              { add_i32: add },
              {
                get() {
                  throw boom;
                },
                getOwnPropertyDescriptor() {
                  throw boom;
                },
              },
            ),
          ),
        isBoom,
      );
    });
  }

  test('a proxy that only passes on works', () => {
    const symbols = new Proxy({ add_i32: new Proxy({ args: new Proxy(['i32', 'i32'], {}), returns: 'i32' }, {}) }, {});
    assert.equal(dlopen(fixture, symbols).symbols.add_i32(20, 22), 42);
  });

  test('a symbol called __proto__ is a symbol', () => {
    const symbols = Object.defineProperty({}, '__proto__', { value: { optional: true }, enumerable: true });
    const library = dlopen(fixture, symbols);
    assert.deepEqual(Object.keys(library.symbols), ['__proto__']);
    assert.equal(Object.getOwnPropertyDescriptor(library.symbols, '__proto__').value, null);
  });

  test('a getter that closes or opens libraries while declarations are read does no harm', () => {
    let opened = 0;
    const symbols = {
      get add_i32() {
        dlopen(fixture, { add_i64: { args: ['i64', 'i64'], returns: 'i64' } }).close();
        opened++;
        return add;
      },
    };
    assert.equal(dlopen(fixture, symbols).symbols.add_i32(1, 2), 3);
    assert.ok(opened >= 1);
  });
});

describe('a JSCallback', () => {
  test('a JSCallback refuses a fn that is no function', () => {
    for (const fn of [undefined, null, 7, 'x', {}, Symbol('s'), true])
      throws(() => new JSCallback(fn, add), 'ERR_INVALID_ARG_TYPE', /JSCallback/);
  });

  test('a JSCallback refuses keys that belong to functions of C', () => {
    for (const key of ['ptr', 'name', 'optional'])
      throws(() => new JSCallback(() => 0, { ...add, [key]: true }), 'ERR_INVALID_ARG_VALUE', new RegExp(key));
  });

  test('a JSCallback refuses arguments that only a caller can give', () => {
    for (const type of ['buffer', 'buffer_length'])
      throws(() => new JSCallback(() => 0, { args: [type] }), 'ERR_INVALID_ARG_VALUE', new RegExp(type));
  });
});

describe('the words of other packages', () => {
  const open = (declaration) => () => dlopen(fixture, { add_i32: declaration });
  for (const [key, meant] of Object.entries({
    arguments: 'args',
    parameters: 'args',
    paramsType: 'args',
    return: 'returns',
    result: 'returns',
    retType: 'returns',
    variadic: 'varargs',
    Args: 'args',
  })) {
    test(`the key ${key} is answered with ${meant}`, () => {
      throws(
        open({ [key]: [] }),
        'ERR_INVALID_ARG_VALUE',
        new RegExp(`unknown key '${key}'\\. Did you mean '${meant}'\\?$`),
      );
    });
  }
  for (const [name, meant] of Object.entries({
    string: 'cstring',
    'const char *': 'cstring',
    'void *': 'ptr',
    int32: 'i32',
    uint64: 'u64',
    float64: 'f64',
    boolean: 'bool',
    ulong: 'unsigned long',
    I32: 'i32',
  })) {
    test(`the type ${name} is answered with ${meant}`, () => {
      throws(open({ args: [name] }), 'ERR_INVALID_ARG_VALUE', new RegExp(`Did you mean '${meant}'\\?`));
      throws(open({ returns: name }), 'ERR_INVALID_ARG_VALUE', new RegExp(`Did you mean '${meant}'\\?`));
    });
  }

  test('an option that belongs into another one names it', () => {
    throws(
      () => dlopen(fixture, {}, { timeout: 100 }),
      'ERR_INVALID_ARG_VALUE',
      /unknown key 'timeout'\. Did you mean 'isolate: \{ timeout \}'\?$/,
    );
    throws(() => dlopen(fixture, {}, { isolate: { net: true } }), 'ERR_INVALID_ARG_VALUE', /'sandbox: \{ net \}'/);
  });

  test('a type that only C text can have says so, and other words get no advice', () => {
    throws(open({ args: ['struct point *'] }), 'ERR_INVALID_ARG_VALUE', /declare the function as C text$/);
    throws(open({ args: ['nonsense'] }), 'ERR_INVALID_ARG_VALUE', /unknown type 'nonsense'$/);
    throws(open({ nonsense: 1 }), 'ERR_INVALID_ARG_VALUE', /unknown key 'nonsense'; known are/);
    throws(open({ toString: 1 }), 'ERR_INVALID_ARG_VALUE', /unknown key 'toString'; known are/);
  });
});
