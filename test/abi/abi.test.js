'use strict';
// Structs, unions and arrays against the C compiler: sizes, offsets, and by-value round trips, in calls and callbacks.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, makeRandom, throws } = require('../helpers.js');
const { byScale } = require('../scale.js');
const { SCALARS } = require('./scalars.js');
const { makeAggregate, typeOf, makeType, declare, makeValue, assertSame } = require('./trees.js');

const { struct, union, array, sizeof, alignof, offsetof, JSCallback } = ffi;

const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 4);
const SEEDS = byScale(200, 2500);

const C_NAMES = {
  i8: 'int8_t',
  u8: 'uint8_t',
  i16: 'int16_t',
  u16: 'uint16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
  u64: 'uint64_t',
};
const PRELUDE = '#include <stddef.h>\n#include <stdint.h>\n#include <sys/types.h>\n#include <wchar.h>\n';
/** Text in a field needs an owner that keeps it, which an address has not. */
const PLAIN = Object.keys(SCALARS).filter((name) =>
  ['int', 'bool', 'f32', 'f64', 'pointer'].includes(SCALARS[name].kind),
);

function makeCases(count, seed) {
  const random = makeRandom(seed);
  const cases = Array.from({ length: count }, () => {
    const tree = makeAggregate(random, PLAIN);
    return { tree, type: typeOf(tree) };
  });
  return { cases, random };
}

const fieldOffsets = (type, tree) => tree.fields.map((_, i) => offsetof(type, `f${i}`));

describe(`random aggregates (PINNED_FFI_TEST_SEED=${SEED})`, () => {
  const { cases, random } = makeCases(SEEDS, SEED);
  const source = [
    PRELUDE,
    ...cases.map(
      ({ tree }, i) => `typedef ${declare(tree, `T${i}`)};
const size_t layout_${i}[] = { sizeof(T${i}), _Alignof(T${i}), ${tree.fields.map((_, f) => `offsetof(T${i}, f${f})`).join(', ')} };
T${i} pick_${i}(int8_t second, T${i} v, double d, T${i} w, float f) { return d == 1.5 && f == 2.5f && second ? w : v; }
T${i} ask_${i}(T${i} (*ask)(int16_t, T${i}, double, T${i}), T${i} v, T${i} w) { return ask(-7, v, 0.25, w); }`,
    ),
  ].join('\n');
  const symbols = {};
  cases.forEach(({ type }, i) => {
    symbols[`pick_${i}`] = { args: ['i8', type, 'f64', type, 'f32'], returns: type };
    symbols[`ask_${i}`] = { args: ['function', type, type], returns: type };
  });
  const library = ffi.cc({ source, symbols, flags: '-O0 -w' });

  test('sizes, alignments and offsets are those of C', () => {
    cases.forEach(({ type, tree }, i) => {
      const wanted = library
        .global(`layout_${i}`, array('u64', 2 + tree.fields.length))
        .get()
        .map(Number);
      assert.deepEqual([sizeof(type), alignof(type), ...fieldOffsets(type, tree)], wanted, declare(tree, `T${i}`));
    });
  });

  test('values go in and come out of calls', () => {
    cases.forEach(({ tree }, i) => {
      const [v, w] = [makeValue(random, tree), makeValue(random, tree)];
      const pick = library.symbols[`pick_${i}`];
      assertSame(pick(0, v, 1.5, w, 2.5), v, declare(tree, `T${i}`));
      assertSame(pick(1, v, 1.5, w, 2.5), w, declare(tree, `T${i}`));
    });
  });

  test('values go in and come out of callbacks', () => {
    cases.forEach(({ tree, type }, i) => {
      const [v, w] = [makeValue(random, tree), makeValue(random, tree)];
      const what = declare(tree, `T${i}`);
      const callback = new JSCallback(
        (n, a, d, b) => {
          assert.deepEqual([n, d], [-7, 0.25]);
          assertSame(a, v, what);
          return b;
        },
        { args: ['i16', type, 'f64', type], returns: type },
      );
      assertSame(library.symbols[`ask_${i}`](callback, v, w), w, what);
      callback.close();
    });
  });

  test('values are written to memory and read from it', () => {
    cases.forEach(({ tree, type }, i) => {
      const [v, w] = [makeValue(random, tree), makeValue(random, tree)];
      const view = type.alloc(v);
      assertSame(type.read(view), v, declare(tree, `T${i}`));
      type.write(ffi.ptr(view), w);
      assertSame(type.read(ffi.ptr(view)), w, declare(tree, `T${i}`));
    });
  });
});

describe('random packed and over-aligned structs', () => {
  const { cases, random } = makeCases(300, SEED + 1);
  const kinds = cases.map(({ tree }, i) => {
    const options = [{ packed: true }, { packed: 2 }, { align: 8 }, { align: 32 }][i % 4];
    const attribute = ['__attribute__((packed))', '', '__attribute__((aligned(8)))', '__attribute__((aligned(32)))'][
      i % 4
    ];
    const struct = { kind: 'struct', fields: tree.fields };
    const declared = `typedef ${declare(struct, `T${i}`, attribute)};`;
    return {
      tree: struct,
      type: makeType(struct, options),
      // The attribute of a struct does not reach into a nested one, and neither does the option.
      c: options.packed === 2 ? `#pragma pack(push, 2)\n${declared}\n#pragma pack(pop)` : declared,
      isNested: options.packed === 2 && tree.fields.some((field) => /struct|union/.test(declare(field, 'x'))),
    };
  });
  const used = kinds
    .filter(({ isNested }) => !isNested)
    .map((kind, i) => ({ ...kind, c: kind.c.replace(/T\d+/g, `T${i}`) }));
  const source = [
    PRELUDE,
    ...used.map(
      ({ tree, c }, i) => `${c}
const size_t layout_${i}[] = { sizeof(T${i}), _Alignof(T${i}), ${tree.fields.map((_, f) => `offsetof(T${i}, f${f})`).join(', ')} };
T${i} pick_${i}(int8_t second, T${i} v, double d, T${i} w) { return second ? w : v; }`,
    ),
  ].join('\n');
  const path = ffi.cc({ source, symbols: {}, flags: '-O0 -w' }).path;

  test('sizes, alignments and offsets are those of C', () => {
    const library = ffi.dlopen(path, {});
    used.forEach(({ type, tree, c }, i) => {
      const wanted = library
        .global(`layout_${i}`, array('u64', 2 + tree.fields.length))
        .get()
        .map(Number);
      assert.deepEqual([sizeof(type), alignof(type), ...fieldOffsets(type, tree)], wanted, c);
    });
  });

  test('packed and over-aligned structs go by value where libffi can carry them, and are refused with a reason elsewhere', () => {
    let carried = 0;
    used.forEach(({ type, tree, c }, i) => {
      let pick;
      try {
        pick = ffi.dlopen(path, { [`pick_${i}`]: { args: ['i8', type, 'f64', type], returns: type } }).symbols[
          `pick_${i}`
        ];
      } catch (error) {
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
        assert.match(
          error.message,
          /^pick_\d+: an? (packed|over-aligned) struct of this shape cannot be passed by value; pass a pointer$/,
        );
        return;
      }
      carried += 1;
      const [v, w] = [makeValue(random, tree), makeValue(random, tree)];
      assertSame(pick(0, v, 1.5, w), v, c);
      assertSame(pick(1, v, 1.5, w), w, c);
    });
    assert.ok(carried > 50, `only ${carried} were carried`);
  });
});

describe('random bitfields', () => {
  const random = makeRandom(SEED + 2);
  const widths = { i8: 8, u8: 8, i16: 16, u16: 16, i32: 32, u32: 32, i64: 64, u64: 64 };
  const cases = Array.from({ length: 300 }, () =>
    Array.from({ length: 1 + Math.floor(random() * 8) }, () => {
      const type = Object.keys(widths)[Math.floor(random() * 8)];
      return { type, bits: random() < 0.75 ? 1 + Math.floor(random() * widths[type]) : undefined };
    }),
  );
  const types = cases.map((fields) =>
    struct(
      Object.fromEntries(fields.map(({ type, bits }, i) => [`f${i}`, bits === undefined ? type : { type, bits }])),
    ),
  );
  const source = [
    PRELUDE,
    ...cases.map(
      (fields, i) => `typedef struct {
${fields.map(({ type, bits }, f) => `  ${C_NAMES[type]} f${f}${bits === undefined ? '' : `:${bits}`};`).join('\n')} } T${i};
const size_t layout_${i}[] = { sizeof(T${i}), _Alignof(T${i}) };
void set_${i}(T${i} *p, int64_t *v) { ${fields.map((_, f) => `p->f${f} = v[${f}];`).join(' ')} }`,
    ),
  ].join('\n');
  const symbols = Object.fromEntries(cases.map((_, i) => [`set_${i}`, { args: [ffi.pointer(types[i]), 'ptr'] }]));
  const library = ffi.cc({ source, symbols, flags: '-O0 -w' });

  test('random bitfields lie where C has them', () => {
    cases.forEach((fields, i) => {
      const what = JSON.stringify(fields);
      assert.deepEqual(
        [types[i].size, types[i].align],
        library.global(`layout_${i}`, array('u64', 2)).get().map(Number),
        what,
      );
      const values = BigInt64Array.from(fields, ({ type, bits }) => {
        const big = BigInt(Math.floor(random() * 2 ** 53)) * 4099n;
        return (type[0] === 'i' ? BigInt.asIntN : BigInt.asUintN)(bits ?? widths[type], big);
      });
      const [ours, theirs] = [types[i].alloc(), types[i].alloc()];
      fields.forEach(({ type, bits }, f) => {
        const cut = type[0] === 'i' ? BigInt.asIntN : BigInt.asUintN;
        ours[`f${f}`] = cut(bits ?? widths[type], values[f]);
      });
      library.symbols[`set_${i}`](theirs, values);
      assert.deepEqual(types[i].read(ours), types[i].read(theirs), what);
      const bytes = (view) => ffi.toBuffer(ffi.ptr(view), 0, types[i].size).toString('hex');
      assert.equal(bytes(ours), bytes(theirs), what);
    });
  });

  test('random bitfields are refused by value', () => {
    const Flags = struct({ a: { type: 'u32', bits: 3 } }, { name: 'Flags' });
    const reason = /^f: a struct with bitfields cannot be passed by value; pass a pointer$/;
    throws(() => ffi.linkSymbols({ f: { ptr: 4096, args: [Flags] } }), 'ERR_INVALID_ARG_VALUE', reason);
    throws(
      () => ffi.linkSymbols({ f: { ptr: 4096, returns: struct({ inner: Flags }) } }),
      'ERR_INVALID_ARG_VALUE',
      reason,
    );
  });
});

// ---- the classes of the System V ABI, by name -----------------------------------------------------------------------

const CLASSES = {
  'INTEGER: one eightbyte of integers': [
    struct({ a: 'i32', b: 'i16', c: 'u8' }),
    'int32_t a; int16_t b; uint8_t c;',
    { a: -5, b: 6, c: 7 },
  ],
  'INTEGER: three bytes': [struct({ a: array('u8', 3) }), 'uint8_t a[3];', { a: [1, 2, 3] }],
  'INTEGER, INTEGER: two eightbytes': [struct({ a: 'i64', b: 'ptr' }), 'int64_t a; void *b;', { a: -5n, b: 4096 }],
  'SSE: two floats in one eightbyte': [struct({ a: 'f32', b: 'f32' }), 'float a, b;', { a: 1.5, b: -2.5 }],
  'SSE: a double': [struct({ a: 'f64' }), 'double a;', { a: 0.1 }],
  'SSE, SSE: two doubles': [struct({ a: 'f64', b: 'f64' }), 'double a, b;', { a: 0.1, b: 0.2 }],
  'SSE, SSE: three floats': [struct({ a: array('f32', 3) }), 'float a[3];', { a: [1.5, 2.5, 3.5] }],
  'SSE, SSE: four floats, as a homogeneous aggregate': [
    struct({ a: 'f32', b: 'f32', c: 'f32', d: 'f32' }),
    'float a, b, c, d;',
    { a: 1, b: 2, c: 3, d: 4 },
  ],
  'INTEGER, SSE: mixed eightbytes': [struct({ a: 'i64', b: 'f64' }), 'int64_t a; double b;', { a: 7n, b: 0.5 }],
  'SSE, INTEGER: mixed the other way': [struct({ a: 'f64', b: 'i8' }), 'double a; int8_t b;', { a: 0.5, b: -1 }],
  'INTEGER by merging: a float beside an int': [
    struct({ a: 'f32', b: 'i32' }),
    'float a; int32_t b;',
    { a: 0.5, b: 9 },
  ],
  'INTEGER by merging: a union of a double and an int': [
    union({ d: 'f64', i: 'i32' }),
    'double d; int32_t i;',
    { d: 0.1 },
  ],
  'SSE by merging: a union of floats and a double': [
    union({ f: array('f32', 2), d: 'f64' }),
    'float f[2]; double d;',
    { f: [1, 2] },
  ],
  'INTEGER, SSE: a union at an odd place': [
    struct({ a: 'f32', u: union({ i: 'i32', p: struct({ x: 'f32', y: 'f32' }) }), z: 'f32' }),
    'float a; union { int32_t i; struct { float x, y; } p; } u; float z;',
    { a: 1, u: { p: { x: 2, y: 3 } }, z: 4 },
  ],
  'MEMORY: a homogeneous aggregate that is too large for registers': [
    struct({ a: 'f32', b: 'f32', c: 'f32', d: 'f32', e: 'f32' }),
    'float a, b, c, d, e;',
    { a: 1, b: 2, c: 3, d: 4, e: 5 },
  ],
  'MEMORY: mixed, 24 bytes': [
    struct({ a: 'i64', b: 'f64', c: 'i8' }),
    'int64_t a; double b; int8_t c;',
    { a: 1n, b: 2, c: 3 },
  ],
  'MEMORY: packed, over an eightbyte': [
    struct({ a: 'u8', b: 'f64', c: 'i64' }, { packed: true }),
    'uint8_t a; double b; int64_t c;',
    { a: 1, b: 2, c: 3n },
    '__attribute__((packed))',
  ],
  'MEMORY: three doubles': [struct({ a: 'f64', b: 'f64', c: 'f64' }), 'double a, b, c;', { a: 1, b: 2, c: 3 }],
  'MEMORY: 17 bytes': [
    struct({ a: array('u8', 17) }),
    'uint8_t a[17];',
    { a: Array.from({ length: 17 }, (_, i) => i) },
  ],
  'MEMORY: 4000 bytes': [
    struct({ a: array('i16', 2000) }),
    'int16_t a[2000];',
    { a: Array.from({ length: 2000 }, (_, i) => 7 - i) },
  ],
};

describe('the System V classes', () => {
  const kinds = Object.values(CLASSES);
  // A union is declared with its name below.
  const isUnion = ([type]) => type.name === 'union';
  const source = [
    PRELUDE,
    ...kinds.map(
      (kind, i) => `typedef ${isUnion(kind) ? 'union' : 'struct'} { ${kind[1]} } ${kind[3] ?? ''} K${i};
K${i} last_${i}(K${i} a, K${i} b, K${i} c, K${i} d, int32_t n, K${i} e, double x, K${i} f, K${i} g, K${i} h) { return n == 3 && x == 0.5 ? h : a; }
K${i} ask_${i}(K${i} (*ask)(K${i}, K${i}, K${i}, int32_t, K${i}, double, K${i}, K${i}), K${i} v) { return ask(v, v, v, 3, v, 0.5, v, v); }`,
    ),
  ].join('\n');
  const symbols = {};
  kinds.forEach(([T], i) => {
    symbols[`last_${i}`] = { args: [T, T, T, T, 'i32', T, 'f64', T, T, T], returns: T };
    symbols[`ask_${i}`] = { args: ['function', T], returns: T };
  });
  const library = ffi.cc({ source, symbols });

  Object.entries(CLASSES).forEach(([name, [type, , value]], i) => {
    test(`a value of the class ${name} is passed past the registers and to a callback`, () => {
      const zero = JSON.parse(
        JSON.stringify(value, (_, each) => (typeof each === 'number' || typeof each === 'bigint' ? 0 : each)),
      );
      assertSame(
        library.symbols[`last_${i}`](...[1, 2, 3, 4].map(() => zero), 3, zero, 0.5, zero, zero, value),
        value,
        name,
      );
      const callback = new JSCallback(
        (...args) => {
          assert.deepEqual([args[3], args[5]], [3, 0.5]);
          for (const each of [0, 1, 2, 4, 6, 7]) assertSame(args[each], value, name);
          return args[7];
        },
        { args: [type, type, type, 'i32', type, 'f64', type, type], returns: type },
      );
      assertSame(library.symbols[`ask_${i}`](callback, value), value, name);
      callback.close();
    });
  });

  test('no type of the table is of the classes X87 and COMPLEX_X87, and their names are refused', () => {
    for (const type of ['long double', 'f80', 'float128', 'complex long double']) {
      const refusal = new RegExp(`unknown type '${type}'`);
      throws(() => struct({ a: type }), 'ERR_INVALID_ARG_VALUE', refusal);
      throws(() => ffi.linkSymbols({ f: { ptr: 4096, args: [type] } }), 'ERR_INVALID_ARG_VALUE', refusal);
      throws(() => ffi.linkSymbols({ f: { ptr: 4096, returns: type } }), 'ERR_INVALID_ARG_VALUE', refusal);
    }
  });

  test('a call with more arguments than the argument buffer holds is refused', () => {
    const Huge = struct({ a: array('u8', 65537) });
    throws(
      () => ffi.linkSymbols({ f: { ptr: 4096, args: [Huge] } }),
      'ERR_INVALID_ARG_VALUE',
      /f: a value of 65537 bytes cannot be passed by value/,
    );
    const Large = struct({ a: array('u64', 6000) });
    throws(
      () => ffi.linkSymbols({ f: { ptr: 4096, args: [Large, Large] } }),
      'ERR_INVALID_ARG_VALUE',
      /at most 65536 are possible/,
    );
  });
});
