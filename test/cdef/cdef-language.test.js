'use strict';
// Parts of the language that headers have after the preprocessor: attributes, labels, values, typeof, bitfields.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, makeFolder, makeRandom } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const { alignof, cdef, dlopen, ptr, sizeof, toBuffer } = ffi;
const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);

describe('attributes change layouts, however they are written', () => {
  const cases = [
    ['struct [[gnu::packed]] s { char a; int b; }', 5, 1],
    ['struct [[__gnu__::__packed__]] s { char a; int b; }', 5, 1],
    ['struct s { char a; int b; } [[deprecated("use t"), gnu::packed]]', 5, 1],
    ['struct s { char a; [[gnu::aligned(16)]] int b; }', 32, 16],
    ['struct [[gnu::aligned(8), nodiscard]] s { char a; }', 8, 8],
    ['struct __declspec(align(32)) s { int a; }', 32, 32],
    ['struct s { __declspec(align(16)) char a; int b; }', 16, 16],
    ['struct __declspec(dllimport) s { int a; }', 4, 4],
    ['struct __attribute__((packed, aligned(2))) s { char a; int b; }', 6, 2],
  ];
  for (const [text, size, align] of cases)
    test(`an attribute changes the layout: ${text}`, () =>
      assert.deepEqual([sizeof(text), alignof(text)], [size, align]));

  test('an attribute in brackets that does not end is an error at its place', () => {
    assert.throws(() => cdef('int a;\n[[gnu::packed int f(void);'), { line: 2, column: 2 });
  });
});

test('an asm label is the name of the function in the library', { skip: onlyOn('linux') }, () => {
  const text = 'int magnitude(int) __asm__("a" "bs") __attribute__((const));';
  assert.equal(dlopen(null, text).symbols.magnitude(-4), 4);
  assert.equal(dlopen(null, cdef(text).symbols).symbols.magnitude(-4), 4);
  assert.equal(dlopen(null, [text, { magnitude: { errno: true } }]).symbols.magnitude(-4), 4);
});

describe('values of variables', () => {
  test('constant numbers are constants, what is static is ignored, other variables stay', () => {
    const text = `
      static const int table[2] = { 1, 2 }, SIZE = 4 * 2;
      static const char name[] = "a;}";
      static const double PI = 3.5;
      constexpr int N = SIZE + 1;
      const float HALF = -0.5f;
      struct point { int x; } const zero = { 0 };
      const char *version = "1, 2", *other;
      int f(char (*text)[N]);`;
    const set = cdef(text);
    assert.deepEqual({ ...set.constants }, { SIZE: 8, PI: 3.5, N: 9, HALF: -0.5 });
    assert.equal(set.symbols.f.args[0].name, 'pointer(char[9])');
  });

  test('a global with a value can be read', { skip: onlyOn('linux') }, () => {
    const library = dlopen('c', 'int opterr = 1; char *optarg = 0;');
    assert.equal(library.global('opterr').value, 1);
  });

  test('characters in one constant are its bytes', () => {
    assert.deepEqual(
      { ...cdef("enum { A = 'a', TAG = 'RIFF', E = '\\x7f' };").constants },
      { A: 97, TAG: 0x52494646, E: 127 },
    );
    assert.throws(() => cdef("enum { A = 'abcde' };"), { message: /at most 4 characters/, line: 1, column: 12 });
  });
});

test('pragmas that change no layout are ignored, as compilers do', () => {
  const text = '#pragma message("x")\n#pragma omp declare simd\n#pragma weak f\nint f(void);';
  assert.deepEqual(Object.keys(cdef(text).symbols), ['f']);
  assert.throws(() => cdef('#pragma ms_struct on\nint f(void);'), { line: 1, column: 1 });
  assert.throws(() => cdef('#pragma scalar_storage_order big-endian'), { line: 1 });
});

describe('typeof and sizeof of expressions', () => {
  const HEAD = `struct s { int x; union { double d; char c; }; struct s *n; };
    extern struct s v, *p, a[4]; int g(int);`;
  const results = {
    1: 'int',
    '1u': 'unsigned int',
    1.5: 'double',
    '1.5f': 'float',
    '(1 + 2) * 3': 'int',
    '(char)1': 'char',
    'v.x': 'int',
    'p->d': 'double',
    'a[1].n': 'pointer(s)',
    '&v': 'pointer(s)',
    '((struct s *)0)->c': 'char',
    '*p->n': 's',
  };
  for (const [expression, name] of Object.entries(results))
    test(`typeof(${expression}) is ${name}`, () => {
      const { returns } = cdef(`${HEAD} typeof(${expression}) f(void);`).symbols.f;
      assert.equal(returns.name ?? returns, name);
    });

  test('typeof of a function declares another one', () => {
    assert.deepEqual(cdef(`${HEAD} typeof(g) h;`).symbols.h, { args: ['int'], returns: 'int' });
  });

  test('sizeof takes expressions', () => {
    const text = `${HEAD} enum { A = sizeof(((struct s *)0)->x), B = sizeof(v), C = sizeof("abc"), D = sizeof(a) };`;
    assert.deepEqual({ ...cdef(text).constants }, { A: 4, B: 24, C: 4, D: 96 });
  });

  const wrong = [
    ['typeof(missing) f(void);', 8, /'missing' is not declared before/],
    ['extern int i; typeof(i.x) f(void);', 24, /int has no member x/],
    ['extern int i; typeof(*i) f(void);', 22, /int is no pointer/],
    ['typeof() f(void);', 8, /expected a constant expression/],
  ];
  for (const [text, column, message] of wrong)
    test(`the mistake is shown where it is in: ${text}`, () => assert.throws(() => cdef(text), { column, message }));
});

describe('offsetof', () => {
  const TEXT = `
    struct inner { char tag; int values[4]; };
    struct message {
      int a; char : 8; union { char x; double y; }; struct { short p, q; }; struct inner inner[3]; char kind; short data[];
    };
    union either { char c; struct inner inner; };
    struct tail { int length; char text[0]; };`;
  const MEMBERS = [
    ...['struct message, a', 'struct message, y', 'struct message, q', 'struct message, inner[1].values[3]'],
    ...['struct message, kind', 'struct message, data', 'struct message, data[5]', 'struct message, inner[1 + 1]'],
    ...['union either, inner.values', 'struct tail, text', 'struct inner, values[sizeof(int) / 4]'],
  ];

  test('offsetof is what a C compiler says', { skip: onlyOn('posix') }, () => {
    const names = MEMBERS.map((member, i) => `A${i} = ${i % 2 === 0 ? '__builtin_offsetof' : 'offsetof'}(${member})`);
    const { constants } = cdef(`${TEXT} enum { ${names.join(', ')} };`);
    const claims = MEMBERS.map((member, i) => `_Static_assert(offsetof(${member}) == ${constants[`A${i}`]}, "");`);
    const input = `#include <stddef.h>\n${TEXT}\n${claims.join('\n')}\n`;
    execFileSync('cc', ['-x', 'c', '-std=gnu11', '-w', '-fsyntax-only', '-'], { input });
    assert.equal(constants.A1, 8);
  });

  test('offsetof gives the length of an array and the value of a macro', () => {
    const text = `${TEXT}\n#define HEAD offsetof(struct tail, text)\nstruct s { char pad[HEAD + 1]; };`;
    const { constants, types } = cdef(text);
    assert.deepEqual([constants.HEAD, types.s.size], [4, 5]);
  });

  const wrong = [
    ['enum { A = offsetof(int, x) };', 26, /int has no members/],
    ['enum { A = offsetof(3, x) };', 21, /expected a type, found '3'/],
    ['struct s { int a : 3; }; enum { A = offsetof(struct s, a) };', 56, /a is a bitfield, which has no offset/],
    ['struct s { int a; }; enum { A = offsetof(struct s, b) };', 52, /struct s has no member b/],
    ['struct s { int a; }; enum { A = offsetof(struct s, a[0]) };', 53, /int is no array/],
    ['struct s { int a; }; enum { A = offsetof(struct s) };', 50, /expected ',' after the type/],
    ['enum { A = offsetof(struct s, a) };', 31, /struct s has no member a/],
  ];
  for (const [text, column, message] of wrong)
    test(`the mistake is shown where it is in: ${text}`, () => assert.throws(() => cdef(text), { column, message }));
});

test('a macro is gone behind its #undef, also one of a set before', () => {
  const first = cdef('#define N 4\n#define M 5\nint f(int (*a)[N]);\n#undef N // and not M\n#undef OTHER\n');
  assert.deepEqual({ ...first.constants }, { M: 5 });
  assert.equal(first.symbols.f.args[0].name, 'pointer(int[4])');
  const second = cdef([first, '#undef M /* now\n this too */\nenum { M = 7 };']);
  assert.equal(second.constants.M, 7);
  assert.throws(() => cdef([first, second, '#undef N\nint a[N];']), { line: 2, message: /'N' is not declared/ });
  for (const text of ['#undef', '#undef 3', '#undef A B'])
    assert.throws(() => cdef(text), { line: 1, message: /#undef must name a macro/ });
});

describe('C++ is refused with what to write', () => {
  const cases = [
    ['int f(int a,\n  int &b);', 2, 7, /a reference is C\+\+; C has a pointer/],
    ['int f(int a = 3);', 1, 13, /a default value is C\+\+; leave it out/],
    ['int f(int) noexcept;', 1, 12, /'noexcept' is C\+\+; leave it out/],
    ['int f(int)\r\n\tthrow();', 2, 2, /'throw' is C\+\+; leave it out/],
  ];
  for (const [text, line, column, message] of cases)
    test(`C++ is refused with what to write: ${JSON.stringify(text)}`, () =>
      assert.throws(() => cdef(text), { line, column, message }));
});

test('structs without fields have no bytes', () => {
  const { types, symbols } = cdef(`struct none {}; int f(struct none *);
    struct entry { long long x; };
    struct list { unsigned n; struct { struct none empty; struct entry entries[]; }; };
    union u { struct { } none; int a; };`);
  assert.deepEqual([types.list.size, types.u.size, symbols.f.args[0]], [8, 4, 'ptr']);
});

test('a function that takes a va_list says what to declare', () => {
  const text = 'int vprintf(const char *format, va_list list);';
  assert.throws(() => dlopen(null, text), {
    message: /va_list has no counterpart; declare .* '\.\.\.'/,
    line: 1,
    column: 5,
  });
});

describe('bitfields of unions and of packed structs', { skip: onlyOn('posix') }, () => {
  test('a union has bitfields', () => {
    const { u } = cdef('union u { unsigned low : 4; int whole; };').types;
    const value = u.alloc();
    value.whole = 0x1234;
    assert.equal(value.low, 4);
    value.low = 9;
    assert.equal(value.whole, 0x1239);
    assert.throws(() => (value.low = 16), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(ffi.union({ a: { type: 'u8', bits: 3 }, b: 'u8' }).size, 1);
  });

  test('a packed struct has bitfields that cross bytes', () => {
    const { s } = cdef('struct s { unsigned a : 3; unsigned b : 12; char c; } __attribute__((packed));').types;
    assert.equal(s.size, 3);
    const value = s.alloc({ a: 5, b: 0xabc, c: 1 });
    assert.deepEqual([value.a, value.b, value.c], [5, 0xabc, 1]);
    assert.deepEqual([...toBuffer(ptr(value), 0, 3)], [0xe5, 0x55, 1]);
  });

  test('a packed field beside a bitfield that is not packed is refused', () => {
    const text = 'struct s { int a : 3, : 0, b : 4; int c __attribute__((packed)); }; int f(struct s *);';
    assert.throws(() => dlopen(null, text), { message: /a packed field beside a bitfield that is not packed/ });
  });

  const TYPES = [
    ['unsigned char', 8],
    ['signed char', 8],
    ['unsigned short', 16],
    ['unsigned', 32],
    ['int', 32],
    ['unsigned long long', 64],
    ['long long', 64],
  ];
  const PACKS = ['', '__attribute__((packed))', 1, 2, 4, 8];

  /** A random struct or union of bitfields and other fields. */
  function randomRecord(random, id) {
    const pick = (list) => list[Math.floor(random() * list.length)];
    const keyword = pick(['struct', 'struct', 'union']);
    const fields = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, i) => {
      const [type, bits] = pick(TYPES);
      return { name: `f${i}`, type, bits: random() < 0.7 ? 1 + Math.floor(random() * bits) : undefined, whole: bits };
    });
    const body = fields.map(({ name, type, bits }) => `${type} ${name}${bits === undefined ? '' : ` : ${bits}`};`);
    const padding = keyword === 'struct' && random() < 0.2 ? 'unsigned char : 3;' : '';
    const pack = pick(PACKS);
    const isPragma = typeof pack === 'number';
    const text = `${keyword} s${id} { ${padding} ${body.join(' ')} } ${isPragma ? '' : pack};`;
    const packed = isPragma ? `#pragma pack(push, ${pack})\n${text}\n#pragma pack(pop)\n` : `${text}\n`;
    return { name: `${keyword} s${id}`, text: packed, fields };
  }

  /** The size, the alignment, and for each field the bytes of a value whose bits are all set there. */
  function bytesOf(type, fields) {
    const parts = fields.map(({ name, type: spelling, bits, whole }) => {
      const value = type.alloc();
      const ones = spelling.startsWith('u') ? (1n << BigInt(bits ?? whole)) - 1n : -1n;
      value[name] = whole === 64 ? ones : Number(ones);
      assert.equal(BigInt(value[name]), ones);
      return toBuffer(ptr(value), 0, type.size).toString('hex');
    });
    return [type.size, type.align, ...parts].join(' ');
  }

  function compare(compiler) {
    const random = makeRandom(SEED);
    const records = Array.from({ length: byScale(60, 1500) }, (_, id) => randomRecord(random, id));
    const expected = records.map(({ name, text, fields }) => bytesOf(cdef(text).types[name], fields));
    const show = ({ name, fields }) => `{ ${name} v; printf("%d %d", (int)sizeof v, (int)_Alignof(${name}));
      ${fields.map((field) => `memset(&v, 0, sizeof v); v.${field.name} = -1; show(&v, sizeof v);`).join('\n')} puts(""); }`;
    const source = `#include <stdio.h>\n#include <string.h>\n${records.map(({ text }) => text).join('')}
      static void show(void *p, int n) { printf(" "); for (int i = 0; i < n; i++) printf("%02x", ((unsigned char *)p)[i]); }
      int main(void) { ${records.map(show).join('\n')} return 0; }\n`;
    const folder = makeFolder('cdef-bits');
    const [file, program] = [path.join(folder, 'bits.c'), path.join(folder, 'bits')];
    fs.writeFileSync(file, source);
    execFileSync(compiler, ['-w', '-o', program, file], { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    records.forEach(({ text }, i) => assert.equal(expected[i], lines[i], text));
  }

  test(`gcc lays out random bitfields in the same way (PINNED_FFI_TEST_SEED=${SEED})`, () => compare('cc'));
  test(`clang lays out random bitfields in the same way (PINNED_FFI_TEST_SEED=${SEED})`, { skip: needs('clang') }, () =>
    compare('clang'),
  );
});
