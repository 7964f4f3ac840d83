'use strict';
// Forms of C that headers and manuals have beside the usual ones. What they mean is compared with a C compiler.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const { describe, test } = require('node:test');
const { ffi, throws } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { HEADERS } = require('./declarations.js');

const { alignof, cc, cdef, dlopen, offsetof, sizeof, struct, union } = ffi;

const nameOf = (type) => (typeof type === 'string' ? type : type.name);
/** A function of a text: the names of its types. */
function signatureIn(text, name = 'f') {
  const { args, returns } = cdef(text).symbols[name];
  return [...args, returns].map(nameOf);
}

/** Layouts: a text, and fields of its last type. */
const LAYOUTS = {
  'one field is packed': 'struct t { char a; int b __attribute__((packed)); short c; double d; };',
  'one field is packed and aligned':
    'struct t { char a; int b __attribute__((packed, aligned(2))); char c; long long d __attribute__((packed)); };',
  'a field of a union is aligned': 'union t { char a; int b __attribute__((aligned(16))); };',
  'a union in a struct is aligned by its field':
    'struct t { char a; union { char x; _Alignas(8) char y; } b; char c; };',
  'an array without a length is aligned': 'struct t { char a; char b[] __attribute__((aligned(32))); };',
  'a packed struct has an array without elements':
    'struct __attribute__((packed)) t { char a; int b[0]; char c; int d; };',
  'an enum is packed':
    'enum __attribute__((packed)) e { A, B = 255 }; enum g { C = -129 } __attribute__((packed));' +
    'enum h { D = -1, E = 70000 } __attribute__((packed)); struct t { char a; enum e b; enum g c; enum h d; };',
  'an enum has a mode': 'enum e { A, B } __attribute__((mode(HI))); struct t { char a; enum e b; };',
  '#pragma pack(push, n)':
    '#pragma pack(push, 4)\nstruct t { char a; double b; struct { char x; double y; } c; };\n#pragma pack(pop)',
  '#pragma pack is popped': '#pragma pack(push, 1)\n#pragma pack(pop)\nstruct t { char a; int b; };',
  '#pragma pack(n) and pack()': '#pragma pack(2)\nstruct s { int a; };\n#pragma pack()\nstruct t { char a; int b; };',
  '#pragma pack(push, name, n)':
    '#pragma pack( push , name , 2 )\nstruct t { char a; int b; long long c __attribute__((packed)); };\n#pragma pack(pop, name)',
  '#pragma pack(n) that packs nothing': '#pragma pack(8)\nstruct t { int a; int : 3; double b; };\n#pragma pack()',
  'an alignment is that of a type without a counterpart':
    'struct t { char a; char b __attribute__((aligned(__alignof__(long double)))); char c[sizeof("a\\n\\x41é")]; };',
  '#pragma pack bounds alignments':
    '#pragma pack(4)\nstruct t { char a; int b __attribute__((packed)); char c; double d __attribute__((aligned(8))); short e; };\n#pragma pack()',
  'a field of a packed struct is aligned':
    'struct __attribute__((packed)) t { char a; int b __attribute__((aligned(4))); char c; long *d __attribute__((aligned(8))); };',
  'a bitfield of no bits ends the unit':
    'struct t { int a; unsigned char : 3, : 0; char b; int : 7; int : 0; char c; short : 0; char d; };',
  'a bitfield has no name': 'struct t { long long a; int : 4; char b; int : 31; char c; };',
  'a static assertion is between fields': 'struct t { char a; _Static_assert(1 == 1, ";"); int b; };',
  '_Atomic(type) and typeof(type)':
    'struct t { char a; _Atomic(long) b; _Atomic char c; typeof(int *) d; __typeof__(short[3]) e; };',
};
/** The fields of one letter that have an offset. */
const fieldsIn = (text) =>
  [
    ...text.slice(text.lastIndexOf(' t {')).matchAll(/\b([a-e])(?:\[[1-9]\])?(?: __attribute__\(\([^)]*\)?\)?\))?;/g),
  ].map(([, name]) => name);

describe('layouts of rare forms are those of a C compiler', { skip: onlyOn('posix') }, () => {
  /** What a compiler has to say about the layouts, each in a function. */
  function check(compiler) {
    let input = '';
    for (const text of Object.values(LAYOUTS)) {
      const type = cdef(text).types.t;
      const own = /union t/.test(text) ? 'union t' : 'struct t';
      const claims = [`sizeof(${own}) == ${sizeof(type)}`, `_Alignof(${own}) == ${alignof(type)}`];
      for (const field of fieldsIn(text))
        claims.push(`__builtin_offsetof(${own}, ${field}) == ${offsetof(type, field)}`);
      const asserted = claims.map((claim) => `_Static_assert(${claim}, "");`).join('\n');
      input += `void f${input.length}(void) {\n${text}\n${asserted}\n}\n`;
    }
    execFileSync(compiler, ['-x', 'c', '-std=gnu11', '-w', '-fsyntax-only', '-'], { input });
  }
  test('the layouts of rare forms are those of gcc', () => check('cc'));
  test('the layouts of rare forms are those of clang', { skip: needs('clang') }, () => check('clang'));

  test('enums have the integer type that is written', { skip: needs('clang') }, () => {
    const text =
      'enum e : unsigned char { A = 200 }; enum g : short; enum { B = 3 } b; enum : long long { C = -1 } c;' +
      'struct t { char a; enum e b; enum g c; enum e d : 3; enum e : 2; };';
    const { types, constants } = cdef(text);
    assert.deepEqual([constants.A, constants.B, constants.C], [200, 3, -1]);
    const input = `${text}\n_Static_assert(sizeof(struct t) == ${sizeof(types.t)} && _Alignof(struct t) == ${alignof(types.t)}, "");`;
    execFileSync('clang', ['-x', 'c', '-w', '-fsyntax-only', '-'], { input });
  });

  test('a bitfield of an enum has the sign of its constants', () => {
    const { types } = cdef('enum u { A, B = 3 }; enum s { C = -1 }; struct t { enum u a : 2; enum s b : 2; };');
    const value = types.t.alloc({ a: 3, b: -1 });
    assert.deepEqual([value.a, value.b], [3, -1]);
  });
});

test('a field of a union may have an alignment', () => {
  const type = union({ a: 'char', b: { type: 'int', align: 16 } });
  assert.deepEqual([sizeof(type), alignof(type)], [16, 16]);
  assert.equal(sizeof(struct({ a: 'char', b: type })), 32);
});

test('a bitfield without a name that would change the alignment is refused', () => {
  throws(() => sizeof('struct { char a; int : 4; char b; }'), 'ERR_FFI_DECLARATION_INVALID', /bitfield without a name/);
  throws(() => sizeof('struct { int a : 0; }'), 'ERR_FFI_DECLARATION_INVALID', /a has no bits/);
});

describe('lines', () => {
  test('a line that ends with a backslash goes on within a word', () => {
    assert.deepEqual(signatureIn('in\\\nt f(unsi\\\r\ngned\\ \n int a, ch\\\nar b);'), ['unsigned int', 'char', 'int']);
    assert.equal(cdef('#def\\\nine N 1 \\\n + 2\n').constants.N, 3);
    assert.deepEqual(signatureIn('// a comment \\\nint f(int);\nlong f(char);'), ['char', 'long']);
  });

  test('errors behind joined lines have the line of the text', () => {
    const error = throws(() => cdef('int f(in\\\nt a);\n\nint g(nope);'), 'ERR_FFI_DECLARATION_INVALID', /'nope'/);
    assert.deepEqual([error.line, error.column], [4, 7]);
  });

  test('a byte order mark is no part of the text', () => {
    assert.deepEqual(signatureIn('\ufeffint f(char);'), ['char', 'int']);
  });

  test('an error has no control characters of the text', () => {
    const { message } = throws(
      () => cdef('int f(\0\x1b[2J);'),
      'ERR_FFI_DECLARATION_INVALID',
      /the character "\\u0000"/,
    );
    assert.doesNotMatch(message, /\0|\x1b/);
  });
});

describe('names beyond ASCII', () => {
  test('names beyond ASCII name functions, parameters, types and constants', { skip: onlyOn('posix') }, () => {
    const source =
      'typedef struct { int größe; } été; int plus\\u00e9(été *v, int 中) { return v->größe + 中; } enum { ВСЕ = 3 };';
    const text = 'typedef struct { int größe; } été; int plus\\u00e9(été *v, int 中); enum { ВСЕ = 2 + 1 };';
    const set = cdef(text);
    assert.deepEqual(Object.keys(set.symbols), ['plusé']);
    assert.equal(set.constants.ВСЕ, 3);
    const { symbols } = cc({ source, symbols: text });
    assert.equal(symbols.plusé(set.types.été.alloc({ größe: 4 }), 5), 9);
    throws(() => symbols.plusé(null, 'x'), 'ERR_INVALID_ARG_TYPE', /argument 1 \(中\)/);
  });

  /** Characters, some of which C23 has in names, or behind the first character of one. */
  const CHARACTERS = ['é', 'ß', '中', '𝒜', 'ª', '\u0301', '·', '€', '×', '\u00a0', '😀', '\u200d', '٣', '\ufeff'];

  const isName = (name) => /^\p{XID_Start}\p{XID_Continue}*$/u.test(name);

  test('clang has the names beyond ASCII that C text has', { skip: needs('clang') }, () => {
    const names = CHARACTERS.flatMap((character) => [`${character}a`, `a${character}`]);
    const { stderr } = spawnSync('clang', ['-x', 'c', '-std=c2x', '-w', '-fsyntax-only', '-ferror-limit=0', '-'], {
      input: names.map((name) => `extern int ${name};\n`).join(''),
      encoding: 'utf8',
    });
    const refused = new Set([...stderr.matchAll(/^<stdin>:(\d+):/gm)].map(([, line]) => names[line - 1]));
    // Compilers that have the names of C11 take more characters.
    assert.ok(refused.size > 2, stderr);
    let taken = 0;
    for (const name of names) {
      const read = () => cdef(`int f(int ${name});`);
      if (!isName(name)) throws(read, 'ERR_FFI_DECLARATION_INVALID', / is (?:not C|no name of C)/);
      else {
        read();
        assert.ok(!refused.has(name), name);
        taken += 1;
      }
    }
    assert.ok(taken > 8, `${taken} names`);
  });

  test('what no name has is an error where it stands', () => {
    const cases = {
      'int f(int a€);': [/the character "€" is not C/, 12],
      'int f(int\u00a0a);': [/the character "\u00a0" is not C; write a space/, 10],
      'int \u0301a(int);': [/'\u0301a' is no name of C/, 5],
      'int \\u0041b(int);': [/'\\u0041b' is no name of C/, 5],
      'int \\U00110000(int);': [/'\\U00110000' is no name of C/, 5],
      'int f(int \\x);': [/the character "\\\\" is not C/, 11],
      'int \\ud83d\\ude00(void);': [/is no name of C/, 5],
    };
    for (const [text, [message, column]] of Object.entries(cases))
      assert.equal(throws(() => cdef(text), 'ERR_FFI_DECLARATION_INVALID', message).column, column, text);
  });
});

describe('parameters', () => {
  test('an array whose length is another parameter is an address', () => {
    const text =
      'void f(int n, int a[n][n], int (*b)[n + 1], int (*c)[3][n], int d[][*], int (*e)[4], int (*g)(int m, char x[n][m]));';
    assert.deepEqual(signatureIn(text), ['int', 'ptr', 'ptr', 'ptr', 'ptr', 'pointer(int[4])', 'fn', 'void']);
    throws(() => cdef('int f(int (*p)[n], int n);'), 'ERR_FFI_DECLARATION_INVALID', /'n' is not declared before/);
  });

  test('names that begin like marks of SAL are names', () => {
    const text =
      'long _InterlockedAnd(_In_ long volatile *a, _In_range_(0, 3) long b); _Null_terminated_ char *f(int _Return);';
    assert.deepEqual(signatureIn(text, '_InterlockedAnd'), ['pointer(long)', 'long', 'long']);
    assert.deepEqual(signatureIn(text), ['int', 'ptr']);
  });

  test('words of C++ are names', () => {
    assert.deepEqual(signatureIn('struct s { int class; }; int f(int class, char *template, double using);'), [
      'int',
      'ptr',
      'double',
      'int',
    ]);
    throws(() => cdef('class x;'), 'ERR_FFI_DECLARATION_INVALID', /this is C\+\+/);
  });

  test('a constant array is a pointer to constants', () => {
    assert.deepEqual(signatureIn('typedef char name[8]; void f(const name a, name b);'), ['cstring', 'ptr', 'void']);
  });

  test('complex is the type where it stands as one, else a name', () => {
    const { symbols } = cdef('double complex f(double complex z); double g(double complex); int complex(int);');
    throws(() => symbols.f, 'ERR_FFI_DECLARATION_INVALID', /complex numbers have no counterpart/);
    assert.deepEqual(symbols.g.args, ['double']);
    assert.deepEqual(signatureIn('typedef struct { double re, im; } complex; void f(complex *a);'), [
      'pointer(complex)',
      'void',
    ]);
  });
});

describe('a name that is declared again', () => {
  test('the same declaration may be repeated', { skip: onlyOn('linux') }, () => {
    const text = `
      int f(int32_t a, const char *b, int c[4]); int f(int, char const *, int *d); extern int f(signed, const char *, int *);
      int g(); int g(int); int g();
      typedef int t; typedef int32_t t; struct s; struct s { t a; }; struct s;
      extern int v[]; extern int v[4]; enum e; enum e { A }; void h(enum e); void h(enum e x);`;
    assert.deepEqual(signatureIn(text), ['int', 'cstring', 'pointer(int)', 'int']);
    assert.deepEqual(signatureIn(text, 'g'), ['int', 'int']);
    execFileSync('cc', ['-x', 'c', '-std=gnu11', '-w', '-fsyntax-only', '-'], { input: HEADERS + text });
    assert.equal(dlopen('c', 'int abs(int a); int abs(int b);').symbols.abs(-2), 2);
  });

  const CONFLICTS = {
    'int f(int); long f(int);': 18,
    'int f(int);\nint f(int a, int b);': 5,
    'int f(int, ...); int f(int);': 22,
    'char *f(char *a); char *f(const char *a);': 25,
    'int x; int x(void);': 12,
    'extern int x; extern char x;': 27,
    'typedef int t; typedef long long t;': 34,
    'struct a; struct b; void f(struct a *x); void f(struct b *x);': 47,
  };
  for (const [text, column] of Object.entries(CONFLICTS)) {
    test(`declarations that differ are an error: ${text}`, () => {
      const error = throws(() => cdef(text), 'ERR_FFI_DECLARATION_INVALID', /is declared (?:with|as) another type/);
      assert.equal(error.column, column);
    });
  }

  test('plain prototypes that differ are an error', () => {
    throws(
      () => dlopen('c', 'int abs(int a); long abs(long a);'),
      'ERR_FFI_DECLARATION_INVALID',
      /abs is declared with/,
    );
  });
});

test('static assertions and enums that are not defined yet are understood', () => {
  const text = '_Static_assert(sizeof(int) == 4, ";"); enum e; void f(enum e *a); static_assert(1); void g(enum e a);';
  assert.deepEqual(signatureIn(text), ['ptr', 'void']);
  const error = throws(() => cdef(text).symbols.g, 'ERR_FFI_DECLARATION_INVALID', /enum e is not defined/);
  assert.equal(error.column, text.indexOf('e; ') + 1);
});
