'use strict';
// Variadic functions: promotions, all types behind the dots, and snprintf against compiled C.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws, makeRandom, runs } = require('../helpers.js');
const { SCALARS, pick } = require('./scalars.js');

const Pair = ffi.struct({ a: 'i32', b: 'f64' }, { name: 'Pair' });
const { symbols: c } = ffi.cc({
  source: `#include <stdarg.h>
typedef struct { int a; double b; } Pair;
double sum(const char *kinds, ...) {
  va_list list; double all = 0; va_start(list, kinds);
  for (; *kinds; kinds++) switch (*kinds) {
    case 'i': all += va_arg(list, int); break;
    case 'l': all += va_arg(list, long long); break;
    case 'd': all += va_arg(list, double); break;
    case 'p': { Pair p = va_arg(list, Pair); all += p.a + p.b; break; }
    case 's': { const char *s = va_arg(list, char *); while (*s) all += *s++; break; }
    case 'f': all += va_arg(list, int (*)(int))(5); break;
  }
  va_end(list); return all;
}`,
  symbols: { sum: { args: ['cstring'], varargs: true, returns: 'f64' } },
});

describe('a variadic function', () => {
  test('a variadic function promotes what C promotes', () => {
    assert.equal(
      c.sum(
        'iiiiiid',
        ['i8', -1],
        ['u8', 255],
        ['i16', -300],
        ['u16', 65535],
        ['bool', true],
        ['char', 7],
        ['f32', 0.5],
      ),
      65497.5,
    );
  });

  test('a variadic function promotes narrow enumerations, and no narrow structs', () => {
    const Small = ffi.enumeration({ one: 200 }, { type: 'u8', names: true });
    assert.equal(c.sum('i', [Small, 'one']), 200);
    const Byte = ffi.struct({ a: 'u8' });
    assert.equal(c.sum('ii', [Byte, { a: 3 }], ['i32', 4]) & 0xff, 7);
  });

  test('a variadic function takes structs, strings, pointers and functions', () => {
    const double = ffi.fn({ args: ['int'], returns: 'int' });
    assert.equal(c.sum('psif', [Pair, { a: 1, b: 0.5 }], ['cstring', 'A'], ['i32', 2], [double, (n) => 2 * n]), 78.5);
  });

  test('a variadic function takes up to the most arguments, in any mixture', () => {
    const random = makeRandom(11);
    for (let round = 0; round < 50; round += 1) {
      const count = Math.floor(random() * 128);
      const extras = Array.from(
        { length: count },
        () =>
          [
            ['i', 'i32'],
            ['l', 'i64'],
            ['d', 'f64'],
          ][Math.floor(random() * 3)],
      );
      const values = extras.map(() => Math.floor(random() * 1000));
      const total = values.reduce((all, value) => all + value, 0);
      assert.equal(
        c.sum(extras.map(([kind]) => kind).join(''), ...extras.map(([, type], i) => [type, values[i]])),
        total,
      );
    }
  });

  test('a variadic function stays right in code that is optimised before anything else is bound', async () => {
    const output = await runs(`
      const { snprintf } = ffi.dlopen(null, { snprintf: { args: ['buffer', 'size_t', 'cstring'], varargs: true, returns: 'i32' } }).symbols;
      const bytes = Buffer.alloc(64);
      const print = (value) => snprintf(bytes, 64, '%d %g', ['i32', value], ['f64', 0.5]);
      for (let i = 0; i < 200_000; i++) if (print(i % 10) !== 5) throw new Error('wrong at ' + i);
      console.log(bytes.toString('latin1', 0, 5));
    `);
    assert.equal(output, '9 0.5');
  });

  test('a variadic function has the length of what it declares, and needs that much', () => {
    assert.equal(c.sum.length, 1);
    throws(() => c.sum(), 'ERR_INVALID_ARG_VALUE', /sum expects 1 argument, received 0/);
    throws(() => c.sum('', ...Array.from({ length: 128 }, () => ['i32', 1])), 'ERR_OUT_OF_RANGE', /at most 128/);
  });

  test('a variadic function refuses what is no pair, and values that their type cannot hold', () => {
    throws(
      () => c.sum('i', 5),
      'ERR_INVALID_ARG_TYPE',
      /sum: argument 1 must be a pair \[type, value\], received 5; for an int write \['int', number\]$/,
    );
    throws(() => c.sum('i', ['i32']), 'ERR_INVALID_ARG_TYPE', /pair/);
    throws(() => c.sum('i', ['i23', 5]), 'ERR_INVALID_ARG_VALUE', /the type of argument 1/);
    throws(() => c.sum('i', ['void', undefined]), 'ERR_INVALID_ARG_TYPE');
    throws(
      () => c.sum('i', ['i8', 128]),
      'ERR_OUT_OF_RANGE',
      /sum: argument 1 must be an integer from -128 to 127 \(i8\)/,
    );
    throws(() => c.sum('i', ['bool', 1]), 'ERR_INVALID_ARG_TYPE');
    throws(() => new ffi.JSCallback(() => 0, { args: ['i32'], varargs: true }), 'ERR_INVALID_ARG_VALUE', /varargs/);
  });
});

describe('snprintf with 12 random extras', () => {
  const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 12);
  const FORMATS = {
    i8: ['%hhd'],
    u8: ['%hhu', '%#hhx'],
    i16: ['%hd'],
    u16: ['%hu'],
    char: ['%hhd'],
    bool: ['%d'],
    i32: ['%d', '%+08d', '%x'],
    u32: ['%u', '%o', '%#X'],
    i64: ['%lld', '%-22lld|'],
    u64: ['%llu', '%llx'],
    long: ['%ld'],
    'unsigned long': ['%lu'],
    size_t: ['%zu'],
    ssize_t: ['%zd'],
    ptrdiff_t: ['%td'],
    f32: ['%.9g', '%a'],
    f64: ['%.17g', '%e', '%a', '%10.3f'],
    cstring: ['%s', '%-14s|', '%.3s'],
    ptr: ['%p'],
  };
  const ROUNDS = 300;

  test(`snprintf with 12 random extras writes what the call that C compiled writes (PINNED_FFI_TEST_SEED=${SEED})`, () => {
    const random = makeRandom(SEED);
    const makeExtra = () => {
      const name = pick(random, Object.keys(FORMATS));
      // NULL for %s is undefined in C.
      const value = SCALARS[name].value(random) ?? (name === 'cstring' ? '' : null);
      return { name, value, format: pick(random, FORMATS[name]) };
    };
    const rounds = Array.from({ length: ROUNDS }, () => Array.from({ length: 12 }, makeExtra));
    const formatOf = (extras) => extras.map(({ format }) => format).join(' ');
    const { symbols } = ffi.cc({
      source: `#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
${rounds
  .map(
    (extras, i) => `int compiled_${i}(char *to, size_t size) {
  return snprintf(to, size, "${formatOf(extras)}", ${extras.map(({ name, value }) => SCALARS[name].literal(value)).join(', ')});
}`,
  )
  .join('\n')}
int given(char *to, size_t size, int i) {
  static int (*const all[])(char *, size_t) = { ${rounds.map((_, i) => `compiled_${i}`).join(', ')} };
  return all[i](to, size);
}`,
      symbols: { given: { args: ['ptr', 'size_t', 'int'], returns: 'int' } },
      flags: '-O1 -w',
    });
    const { snprintf } = ffi.dlopen(null, {
      snprintf: { args: ['ptr', 'size_t', 'cstring'], varargs: true, returns: 'int' },
    }).symbols;
    const [ours, theirs] = [Buffer.alloc(8000), Buffer.alloc(8000)];
    rounds.forEach((extras, i) => {
      const length = symbols.given(theirs, theirs.length, i);
      const format = formatOf(extras);
      assert.equal(
        snprintf(ours, ours.length, format, ...extras.map(({ name, value }) => [name, value])),
        length,
        format,
      );
      assert.equal(ours.toString('latin1', 0, length), theirs.toString('latin1', 0, length), format);
    });
  });
});
