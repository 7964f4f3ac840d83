'use strict';
// C text where declarations are taken: the language, the rules, the places, the messages, and that it agrees with a C
// compiler.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, gc, makeRandom, root, throws } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');
const { makeSignature } = require('../abi/signature.js');
const { SCALARS } = require('../abi/scalars.js');
const { declare, typeOf } = require('../abi/trees.js');
const { fuzz } = require('./fuzz.js');

const { alignof, cc, cdef, dlopen, fn, JSCallback, linkSymbols, offsetof, read, sizeof, struct, union } = ffi;
const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);

/** The names of types in a declaration: objects by their own name. */
const namesOf = ({ args, returns }) => [...args, returns].map((type) => type?.name ?? type);

describe('prototypes from manual pages work as they are', { skip: onlyOn('linux') }, () => {
  const { symbols: c, ...library } = dlopen(
    'c',
    `
    #include <stdlib.h>
    void qsort(void base[.size * .nmemb], size_t nmemb, size_t size,
               int (*compar)(const void [.size], const void [.size]));
    ssize_t getline(char **restrict lineptr, size_t *restrict n, FILE *restrict stream);
    FILE *fopen(const char *restrict pathname, const char *restrict mode);
    int fclose(FILE *stream);
    size_t strftime(char s[restrict .max], size_t max, const char *restrict format, const struct tm *restrict tm);
    struct tm *gmtime(const time_t *timep);
    DIR *opendir(const char *name);
    struct dirent *readdir(DIR *dirp);
    int closedir(DIR *dirp);
    struct pollfd { int fd; short events; short revents; };
    int poll(struct pollfd *fds, nfds_t nfds, int timeout);
    int getaddrinfo(const char *restrict node, const char *restrict service,
                    const struct addrinfo *restrict hints, struct addrinfo **restrict res);
    void freeaddrinfo(struct addrinfo *res);
    int regcomp(regex_t *restrict preg, const char *restrict regex, int cflags);
    void regfree(regex_t *preg);
    int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *info, size_t size, void *data), void *data);
    int nftw(const char *dirpath,
             int (*fn)(const char *fpath, const struct stat *sb, int typeflag, struct FTW *ftwbuf),
             int nopenfd, int flags);
    int asprintf(char **restrict strp, const char *restrict fmt, ...);
    [[deprecated]] int open(const char *pathname, int flags, ...
                            /* mode_t mode */ );
    extern char *optarg;
    extern int optind, opterr;
  `,
  );

  test('qsort sorts by a function', () => {
    const numbers = Int32Array.of(3, 1, 2);
    c.qsort(numbers, 3, 4, (a, b) => read.i32(a) - read.i32(b));
    assert.deepEqual([...numbers], [1, 2, 3]);
  });

  test('getline reads a line of a file that fopen gave as a handle', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdef-'));
    try {
      fs.writeFileSync(path.join(folder, 'lines'), 'first\nsecond\n');
      const file = c.fopen(path.join(folder, 'lines'), 'r');
      assert.equal(file.type, 'FILE');
      const [line, size] = [new BigUint64Array(1), new BigUint64Array(1)];
      assert.equal(c.getline(line, size, file), 6n);
      assert.equal(String(new ffi.CString(Number(line[0]))), 'first\n');
      assert.equal(c.fclose(file), 0);
      assert.throws(() => c.getline(line, size, {}), { code: 'ERR_INVALID_ARG_TYPE' });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  test('strftime writes what gmtime gave', () => {
    const text = Buffer.alloc(32);
    const length = c.strftime(text, text.length, '%Y-%m-%d', c.gmtime(BigInt64Array.of(86_400n)));
    assert.equal(text.toString('latin1', 0, Number(length)), '1970-01-02');
  });

  test('readdir, poll, getaddrinfo, regcomp and asprintf do their work', () => {
    const folder = c.opendir('/');
    assert.equal(typeof c.readdir(folder), 'number');
    assert.equal(c.closedir(folder), 0);
    assert.equal(c.poll(null, 0, 1), 0);
    const list = new BigUint64Array(1);
    assert.equal(c.getaddrinfo('127.0.0.1', '80', null, list), 0);
    c.freeaddrinfo(Number(list[0]));
    const expression = Buffer.alloc(256);
    assert.equal(c.regcomp(expression, 'a*', 0), 0);
    c.regfree(expression);
    const text = new BigUint64Array(1);
    assert.equal(c.asprintf(text, '%s %d', ['cstring', 'n'], ['int', 5]), 3);
    assert.equal(String(new ffi.CString(Number(text[0]))), 'n 5');
  });

  test('dl_iterate_phdr and nftw call plain functions', () => {
    let [objects, files] = [0, 0];
    assert.equal(
      c.dl_iterate_phdr(() => {
        objects += 1;
        return 0;
      }, null),
      0,
    );
    assert.ok(objects > 1);
    assert.equal(
      c.nftw(
        path.join(root, 'lib'),
        (file) => {
          files += 1;
          return Number(typeof file !== 'string');
        },
        10,
        0,
      ),
      0,
    );
    assert.ok(files > 10);
  });

  test('a variable of the text needs no type to be read', () => {
    assert.equal(library.global('optind').value, 1);
    assert.equal(library.global('optind', 'i32').value, 1);
    assert.throws(() => library.global('environ'), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('types of C text are those that bind gives', () => {
  const of = (text) => {
    const { symbols } = cdef(text);
    return namesOf(Object.values(symbols).at(-1));
  };
  const cases = {
    'void f(char a, signed char b, unsigned char c, _Bool d, bool e)': [
      'char',
      'signed char',
      'unsigned char',
      'bool',
      'bool',
      'void',
    ],
    'long unsigned int f(unsigned, long long int, short signed int, float, double)': [
      'unsigned int',
      'long long',
      'short',
      'float',
      'double',
      'unsigned long',
    ],
    'size_t f(uint8_t, int64_t, ssize_t, intptr_t, wchar_t, char16_t)': [
      'uint8_t',
      'int64_t',
      'ssize_t',
      'intptr_t',
      'wchar_t',
      'char16_t',
      'size_t',
    ],
    'const char *f(const char *, char const *, char *, const char *const)': [
      'cstring',
      'cstring',
      'ptr',
      'cstring',
      'cstring',
    ],
    'void f(const wchar_t *, const char16_t *, const uint16_t *, wchar_t *)': [
      'wstring',
      'utf16',
      'pointer(uint16_t)',
      'pointer(wchar_t)',
      'void',
    ],
    'void *f(void *, const void *, unsigned char *, const uint8_t *, int8_t *, bool *)': [
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
    ],
    'void f(int *, double *, char **, const char **, void **, size_t *)': [
      'pointer(int)',
      'pointer(double)',
      'pointer(ptr)',
      'pointer(cstring)',
      'pointer(ptr)',
      'pointer(size_t)',
      'void',
    ],
    'void f(int a[], int b[4], char c[static 10], const char *const d[], int e[][3])': [
      'pointer(int)',
      'pointer(int)',
      'ptr',
      'pointer(cstring)',
      'pointer(int[3])',
      'void',
    ],
    'void f(struct unknown *, const struct unknown *)': ['ptr', 'ptr', 'void'],
    'struct s; struct s *f(struct s *, struct s **)': ['s', 'pointer(s)', 's'],
    'typedef struct s_ s; s *f(s *)': ['s_', 's_'],
    'struct s { int a; }; struct s f(struct s, struct s *)': ['s', 'pointer(s)', 's'],
    'enum e { A, B }; enum e f(enum e, enum e *)': ['e', 'pointer(e)', 'e'],
    'void f(int (*)(int), int g(int), void (*const h)(void))': ['fn', 'fn', 'fn', 'void'],
    'int (*f(int (*)(void)))(int)': ['fn', 'fn'],
    'void f(_Out_ int *a, _Inout_ double *b, _Text_ char *c, _In_ const char *d, _In_reads_(n) const int *e, int n)': [
      'out(int)',
      'inout(double)',
      'cstring',
      'cstring',
      'pointer(int)',
      'int',
      'void',
    ],
    'DWORD WINAPI f(HANDLE h, LPCSTR a, LPCWSTR b, LPDWORD c, BOOL d)': [
      'ptr',
      'cstring',
      'utf16',
      'pointer(uint32_t)',
      'int32_t',
      'uint32_t',
    ],
    '__extension__ extern __inline __attribute__((pure)) int f(void) __attribute__((nonnull(1), noreturn)) __asm__("g")':
      ['int'],
    'int f()': ['int'],
    'int f(int, ...)': ['int', 'int'],
  };
  for (const [text, expected] of Object.entries(cases))
    test(`${text} has the types that bind gives`, () => assert.deepEqual(of(text), expected));

  test('a text that a count follows is an address where C calls', () => {
    const seen = [];
    const { symbols } = cc({
      source: 'int give(int (*f)(const char *, int), int (*g)(const char *)) { return f("ab", 2) + g("cd"); }',
      symbols: 'int give(int (*f)(const char *text, int length), int (*g)(const char *));',
    });
    symbols.give(
      (text) => {
        seen.push(typeof text);
        return 1;
      },
      (text) => {
        seen.push(text);
        return 1;
      },
    );
    assert.deepEqual(seen, ['number', 'cd']);
  });

  test('_Free_ copies the text and frees it', { skip: onlyOn('posix') }, () => {
    const { symbols: c } = dlopen('c', '_Free_(free) char *strdup(const char *s)');
    assert.equal(c.strdup('text'), 'text');
  });
});

describe('the language', () => {
  test('structs have bitfields, nested, anonymous and flexible members', () => {
    const { types } = cdef(`
      #define LENGTH (2 * 4)
      struct inner { char c; };
      struct outer {
        struct inner in; int list[LENGTH], *pointer;
        union { int i; float f; };
        struct { short s; } named;
        unsigned a : 3, : 5, b : 4;
        struct outer *next;
        char tail[];
      };
    `);
    assert.equal(types.outer.size, 64);
    assert.equal(offsetof(types.outer, 'anonymous'), 48);
    const view = types.outer.alloc({
      in: { c: 1 },
      list: Array(8).fill(2),
      pointer: null,
      anonymous: { i: 3 },
      named: { s: 4 },
      a: 5,
      _padding1: 0,
      b: 6,
      next: null,
    });
    view.next = view;
    assert.deepEqual([view.a, view.b, view.list[7], view.named.s, view.next], [5, 6, 2, 4, ffi.ptr(view)]);
  });

  test('packed and aligned structs are laid out as C does', () => {
    assert.equal(sizeof('struct { char c; double d; } __attribute__((packed))'), 9);
    assert.equal(sizeof('struct __attribute__((__packed__)) { char c; double d; }'), 9);
    assert.equal(alignof('struct { _Alignas(32) char c; }'), 32);
    assert.equal(sizeof('struct { char a; _Alignas(8) char c; }'), 16);
    assert.equal(sizeof('struct { char a; int b __attribute__((aligned(16))), c; }'), 32);
    assert.deepEqual(
      ['', 'packed', 'packed, aligned(2)'].map((list) =>
        sizeof(`union { char c[5]; int i; } __attribute__((${list}))`),
      ),
      [8, 5, 6],
    );
    throws(
      () => sizeof('typedef int wide __attribute__((aligned(16))); wide'.split(/(?<=;)/).map((text) => text.trim())),
      'ERR_FFI_DECLARATION_INVALID',
      /wide has an alignment/,
    );
    assert.equal(sizeof('struct __attribute__((aligned(16))) { char c; }'), 16);
    assert.equal(sizeof('union { char c[5]; int i; }'), 8);
  });

  test('constants are evaluated as C does', () => {
    const { constants } = cdef(`
      enum { A, B = 10, C, D = -1, E, F = 'a', G = '\\n', H = sizeof(int) * B, I = A ? 1 : 2, J = (char)300, K = ~0u >> 28 };
      #define HEX 0xffu /* with a suffix */
      #define LATER LAST + 1
      #define LAST 1 << 4
      #define TEXT "a" "\\x41\\n"
      #define HALF -0.5f
      #define EMPTY
      static const unsigned long long BIG = 18446744073709551615ull;
      #define API __attribute__((visibility("default"))) extern
      #define WORD unsigned int
      EMPTY API WORD EMPTY f(WORD);
    `);
    assert.deepEqual(
      { ...constants },
      {
        A: 0,
        B: 10,
        C: 11,
        D: -1,
        E: 0,
        F: 97,
        G: 10,
        H: 40,
        I: 2,
        J: 44,
        K: 15,
        HEX: 255,
        LATER: 32,
        LAST: 16,
        TEXT: 'aA\n',
        HALF: -0.5,
        BIG: 2n ** 64n - 1n,
      },
    );
  });

  test('enumerations take names, and have the width of C', () => {
    const { types } = cdef(
      'enum small { A, B = -1 }; enum wide { C = 4294967295u }; enum huge { D = 1ll << 40 }; enum byte : unsigned char { E };',
    );
    assert.deepEqual(
      [types.small, types.wide, types.huge, types.byte].map(({ size }) => size),
      [4, 4, 8, 1],
    );
    assert.deepEqual({ ...types.small.values }, { A: 0, B: -1 });
  });

  test('extern "C", comments, continuations and line directives are understood', () => {
    const { symbols } = cdef(
      'extern "C" {\n# 1 "file.h" 1\nint /* a */ f( // b\n int \\\n x);\n}\nextern "C" int g(void);\n#pragma once\n',
    );
    assert.deepEqual(Object.keys(symbols), ['f', 'g']);
  });

  test('typedefs may be declared again, and hide those that are known', () => {
    const { symbols } = cdef('typedef unsigned short mode_t; typedef unsigned short mode_t; mode_t f(mode_t);');
    assert.deepEqual(namesOf(symbols.f), ['unsigned short', 'unsigned short']);
  });

  test('a struct may point to one that holds it by value', () => {
    const text =
      'struct outer; struct inner { struct outer *owner; int x; }; struct outer { struct inner first; int y; };';
    const { types } = cdef([text, 'struct inner *abs(struct inner *p);'].join(' '));
    const { symbols } = dlopen('c', `${text} int abs(struct inner *p); int labs(struct outer *p);`);
    assert.equal(typeof symbols.labs, 'function');
    const outer = types.outer.alloc({ first: { owner: null, x: 3 }, y: 4 });
    const inner = types.inner.alloc({ owner: outer, x: 1 });
    assert.deepEqual(types.outer.read(inner.owner), { first: { owner: null, x: 3 }, y: 4 });
  });
});

describe('the places that take C text', () => {
  test('cc, linkSymbols, library.function and CFunction take C text', () => {
    const { symbols, ...library } = cc({
      source: 'int twice(int n) { return 2 * n; }\nint thrice(int n) { return 3 * n; }',
      symbols: 'int twice(int n);',
    });
    assert.equal(symbols.twice(4), 8);
    const thrice = library.function('int thrice(int)');
    assert.equal(thrice(4), 12);
    assert.equal(linkSymbols({ f: { ptr: thrice.ptr, c: 'int (int)' } }).symbols.f(5), 15);
    assert.equal(linkSymbols({ f: { ptr: thrice.ptr, c: 'int (*)(int)' } }).symbols.f(5), 15);
    library.close();
    assert.throws(() => thrice(1), { code: 'ERR_FFI_LIBRARY_CLOSED' });
    assert.throws(() => library.function('int twice(int)'), { code: 'ERR_FFI_LIBRARY_CLOSED' });
  });

  test('JSCallback and fn take C text', () => {
    const { symbols } = cc({
      source: 'int call(int (*f)(int, double), int a) { return f(a, 0.5); }',
      symbols: 'int call(int (*f)(int, double), int a);',
    });
    for (const text of [
      'int (*)(int, double)',
      'int (int, double)',
      'int (*name)(int a, double b)',
      'int f(int, double);',
    ]) {
      const callback = new JSCallback((a, b) => a * 2 + b * 2, text);
      assert.equal(symbols.call(callback, 4), 9);
      callback.close();
    }
    assert.equal(fn('int (*)(int)').size, 8);
    throws(() => new JSCallback(() => 0, 'int'), 'ERR_FFI_DECLARATION_INVALID', /must be the type of a function/);
  });

  test('read takes C text', () => {
    const memory = Int32Array.of(1, 2);
    assert.deepEqual(read(ffi.ptr(memory), 'struct { int x, y; }'), { x: 1, y: 2 });
    assert.deepEqual(
      [read(ffi.ptr(memory), 'int', 4), read(ffi.ptr(memory), 'i32'), read(ffi.ptr(memory), 'unsigned char')],
      [2, 1, 1],
    );
    assert.equal(read(ffi.ptr(memory), [cdef('typedef long long wide;'), 'wide']), 8589934593n);
    throws(() => read(ffi.ptr(memory), 'void'), 'ERR_INVALID_ARG_VALUE', /read: type/);
    throws(() => read(0, 'int'), 'ERR_FFI_INVALID_POINTER', /^read/);
    throws(() => read(ffi.ptr(memory), 5.5), 'ERR_INVALID_ARG_VALUE', /read: type/);
  });

  test('struct, union, sizeof and alignof take C text', () => {
    assert.equal(struct('struct point { int x, y; }').alloc({ x: 1, y: 2 }).y, 2);
    assert.equal(struct('typedef struct { int x, y; } point;').name, 'point');
    assert.equal(union('union { int i; double d; }').size, 8);
    assert.deepEqual([sizeof('i32'), sizeof('long long'), sizeof('unsigned char *'), alignof('short')], [4, 8, 8, 2]);
  });

  test('an array in a text that is a type has its length', () => {
    assert.equal(sizeof('int[2]'), 8);
    assert.equal(sizeof('const char *[3]'), 3 * sizeof('ptr'));
    assert.equal(ffi.alignof('struct { char c; short s; }[2][3]'), 2);
    assert.deepEqual(ffi.read(Int32Array.of(1, 2), 'int[2]'), [1, 2]);
    assert.deepEqual(ffi.read(ffi.array('cstring', 2).alloc(['a', 'b']), 'char *const list[2]').length, 2);
    throws(() => sizeof('int[]'), 'ERR_FFI_DECLARATION_INVALID', /int\[\] has no length/);
  });

  test('a library has the types and constants of its text', () => {
    const set = cdef('struct point { int x, y; };');
    const text = 'typedef int compare(const void *, const void *); enum { ONE = 1 }; \n#define TWO 2\n int abs(int);';
    const library = dlopen(null, [set, text, { abs: { errno: true } }]);
    assert.deepEqual(Object.keys(library.types), ['struct point', 'point', 'compare']);
    assert.equal(library.types.point, set.types.point);
    assert.deepEqual({ ...library.constants }, { ONE: 1, TWO: 2 });
    new ffi.JSCallback(() => 0, library.types.compare).close();
    for (const each of [
      dlopen(null, 'int abs(int);'),
      dlopen(null, { abs: { args: ['int'] } }),
      dlopen(null),
      ffi.linkSymbols({}),
    ])
      assert.deepEqual([Object.keys(each.types), Object.keys(each.constants)], [[], []]);
    library.close();
    assert.equal(library.types.point.size, 8);
  });

  test('sets are seen by the texts behind them, and are themselves declarations', () => {
    const set = cdef('struct point { int x, y; }; typedef int (*compare)(const void *, const void *); int abs(int);');
    assert.equal(sizeof([set, 'struct point']), 8);
    assert.deepEqual(Object.keys(set.types), ['struct point', 'point', 'compare']);
    const { symbols } = dlopen('c', [
      set,
      'void qsort(void *base, size_t n, size_t size, compare);',
      { labs: { args: ['long'], returns: 'long' } },
    ]);
    assert.deepEqual(Object.keys(symbols), ['qsort', 'labs']);
    assert.equal(dlopen('c', set).symbols.abs(-3), 3);
    assert.equal(dlopen('c', set.symbols).symbols.abs(-3), 3);
    const callback = new JSCallback((a, b) => read.i32(a) - read.i32(b), [set, 'compare']);
    const numbers = Int32Array.of(2, 1);
    symbols.qsort(numbers, 2, 4, callback);
    callback.close();
    assert.deepEqual([...numbers], [1, 2]);
  });

  test('an object beside the text adds what C cannot say', { skip: onlyOn('posix') }, () => {
    const { symbols: c } = dlopen('c', [
      `int open(const char *pathname, int flags, ...); ssize_t write(int fd, const void *buf, size_t count); int no_such(void);
       char *strdup(const char *s);`,
      {
        open: { fails: 'negative' },
        write: { args: { count: { lengthOf: 'buf' } } },
        no_such: { optional: true },
        strdup: { free: 'free' },
      },
    ]);
    assert.throws(() => c.open('/no/such/file', 0), { code: 'ENOENT' });
    assert.throws(() => c.write(1, Buffer.alloc(2), 3), {
      code: 'ERR_OUT_OF_RANGE',
      message: /argument 2 \(count\) must be at most 2/,
    });
    assert.equal(c.no_such, null);
    assert.equal(c.strdup('x'), 'x');
    throws(() => dlopen('c', ['int abs(int);', { abs: { failz: 1 } }]), 'ERR_INVALID_ARG_VALUE', /unknown key 'failz'/);
    throws(
      () => dlopen('c', ['int abs(int n);', { abs: { args: { m: {} } } }]),
      'ERR_INVALID_ARG_VALUE',
      /unknown key 'm'/,
    );
    throws(
      () => dlopen('c', ['int abs(int n);', { abs: { free: 5 } }]),
      'ERR_INVALID_ARG_TYPE',
      /abs\.free must be the name of a function/,
    );
    throws(
      () => dlopen('c', ['int abs(int n);', { abs: 5 }]),
      'ERR_INVALID_ARG_TYPE',
      /symbols\.abs must be an object/,
    );
    const object = { abs: { args: ['int'], returns: 'int' } };
    throws(() => dlopen('c', [object, { abs: { args: { n: {} } } }]), 'ERR_INVALID_ARG_VALUE', /unknown key 'n'/);
    throws(() => dlopen('c', [object, { abs: { free: 'free' } }]), 'ERR_INVALID_ARG_VALUE', /unknown key 'free'/);
  });

  test('values that are not C text are refused by name', () => {
    throws(() => dlopen('c', [5]), 'ERR_INVALID_ARG_TYPE', /^dlopen: symbols\[0\] must be C text/);
    throws(() => cdef({ abs: {} }), 'ERR_INVALID_ARG_TYPE', /cdef: text/);
    throws(() => dlopen('c', undefined), 'ERR_INVALID_ARG_TYPE', /dlopen: symbols/);
    const { function: bind } = dlopen('c', '');
    throws(() => bind(5), 'ERR_INVALID_ARG_TYPE', /function: text/);
    throws(
      () => bind('int a(void); int b(void);'),
      'ERR_INVALID_ARG_VALUE',
      /must declare one function, and declares 2/,
    );
  });

  test('a set that is made of sets has what they have', () => {
    const numbers = cdef('typedef int number; enum { ONE = 1 };');
    const all = cdef([cdef([numbers, 'typedef number other; int abs(other);']), 'typedef other third;']);
    assert.deepEqual(Object.keys(all.types), ['number', 'other', 'third']);
    assert.deepEqual([all.constants.ONE, Object.keys(all.symbols)], [1, ['abs']]);
    assert.equal(dlopen('c', all).symbols.abs(-2), 2);
  });

  test('a typedef of a known type changes nothing for other texts', () => {
    cdef('typedef regex_t *mine; typedef va_list list;');
    assert.deepEqual(cdef('void regfree(regex_t *preg);').symbols.regfree.args, ['ptr']);
  });

  test('names and keys of Object.prototype are not taken for what a text says', () => {
    const { types, symbols } = cdef(
      'struct constructor { int toString; }; typedef int valueOf; valueOf f(valueOf (hasOwnProperty)); int __proto__(int);',
    );
    assert.equal(types.constructor.size, 4);
    assert.deepEqual(Object.keys(symbols), ['f', '__proto__']);
    const polluted = {
      packed: true,
      align: 64,
      bits: 3,
      out: {},
      text: {},
      free: {},
      hidden: new Set(),
      isFlexible: true,
    };
    Object.assign(Object.prototype, polluted);
    try {
      assert.equal(struct('struct polluted { char a; double b; }').size, 16);
      assert.equal(dlopen('c', 'size_t strlen(const char *s_polluted);').symbols.strlen('abc'), 3n);
    } finally {
      for (const key of Object.keys(polluted)) delete Object.prototype[key];
    }
  });

  test('the same text is parsed once, and gives the same types', async () => {
    const text = 'typedef struct { int quot, rem; } div_t; div_t div(int, int);';
    const [a, b] = [dlopen('c', text), dlopen('c', text)];
    assert.deepEqual(a.symbols.div(7, 2), b.symbols.div(7, 2));
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < byScale(1000, 2000); i += 1) dlopen('c', `int abs(int number_${i});`).close();
    await gc();
    assert.ok(process.memoryUsage().heapUsed - before < 16e6, 'texts are not kept for ever');
  });
});

describe('messages name the parameters of the text', { skip: onlyOn('posix') }, () => {
  const text = `
    char *strcpy(char *dest, const char *src); int abs(int); int snprintf(char *str, size_t size, const char *format, ...);
    void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
    double frexp(double x, _Out_ int *exp); size_t strlen(const char *a_text);`;
  const { symbols: c, ...library } = dlopen('c', text);
  const cases = {
    'an argument of the wrong type': [() => c.qsort(null, 0, 0, 5.5), /^qsort: argument 3 \(compare\) must be/],
    'a text with a NUL': [() => c.strcpy(Buffer.alloc(4), 'a\0'), /^strcpy: argument 1 \(src\) must be/],
    'a call with out-parameters': [() => c.frexp('a'), /^frexp: argument 0 \(x\) must be/],
    'a variadic function': [() => c.snprintf(null, -1, ''), /^snprintf: argument 1 \(size\) must be/],
    'a parameter without a name': [() => c.abs('x'), /^abs: argument 0 must be/],
    'a value that looks like a message': [
      () => c.abs('argument 0 must be'),
      /^abs: argument 0 must be .* 'argument 0 must be'$/,
    ],
    'a function that is added': [() => library.function('int labs(long j)')('x'), /^labs: argument 0 \(j\) must be/],
    'a function of a pointer': [
      () => linkSymbols({ f: { ptr: c.abs.ptr, c: 'int (*)(int number)' } }).symbols.f('x'),
      /^f: argument 0 \(number\) must be/,
    ],
    'a function with an object beside the text': [
      () => dlopen('c', ['int abs(int number);', { abs: { errno: true } }]).symbols.abs('x'),
      /^abs: argument 0 \(number\) must be/,
    ],
    'an array of sets': [
      () => dlopen('c', [cdef('typedef int number;'), 'int abs(number n);']).symbols.abs('x'),
      /^abs: argument 0 \(n\) must be/,
    ],
  };
  for (const [name, [call, message]] of Object.entries(cases))
    test(`a message names the parameter of the text for ${name}`, () => assert.throws(call, { message }));

  test(
    'an overflow names the parameter, when the call is asynchronous as well',
    { skip: onlyOn('fences') },
    async () => {
      const message = /past the end of argument 0 \(dest\)/;
      assert.throws(() => c.strcpy(Buffer.alloc(3), 'abcdef'), { code: 'ERR_FFI_BUFFER_OVERFLOW', message });
      await assert.rejects(c.strcpy.async(Buffer.alloc(3), 'abcdef'), { code: 'ERR_FFI_BUFFER_OVERFLOW', message });
      await assert.rejects(c.strcpy.async(1.5, ''), { message: /^strcpy: argument 0 \(dest\) must be/ });
    },
  );

  test('messages of optimised code name the parameter', () => {
    for (let i = 0; i < 20_000; i += 1) c.strlen('text');
    assert.throws(() => c.strlen({}), { message: /^strlen: argument 0 \(a_text\) must be/ });
  });
});

describe('what is wrong is shown where it is', () => {
  const cases = {
    'int ok(void);\nint f(foo_t x);': [
      /^unknown type 'foo_t'; declare it before.*\(line 2, column 7\)\n {2}int f\(foo_t x\);\n {8}\^$/s,
      2,
      7,
    ],
    'size_y f(void)': [/did you mean 'size_t'\?/, 1, 1],
    'u32 f(void)': [/did you mean 'uint32_t'\?/, 1, 1],
    'struct s { int a; }; s f(void)': [/did you mean 'struct s'\?/, 1, 22],
    'int f(int) { return 1; }': [/`cc` compiles bodies/, 1, 12],
    'long double f(void)': [/'long double' has no counterpart/, 1, 1],
    '#define X(a) a': [/pinned-ffi bind/, 1, 1],
    '#ifdef A': [/#ifdef is not understood; .*pinned-ffi bind/, 1, 1],
    '#define N B\nint f[N];': [/'B' is not declared before/, 2, 7],
    '#define A A A\n#define B A A\nA f(void)': [/unknown type 'A'/, 3, 1],
    'int a[3': [/expected '\]'/, 1, 8],
    'enum e { A = 1 / 0 };': [/a division by zero/, 1, 16],
    'struct s { struct s x; };': [/struct s is not defined before/, 1, 21],
    'struct s f(void);': [/struct s is not defined/, 1, 10],
    'int f(va_list list);': [/va_list has no counterpart; declare/, 1, 5],
    'int f(_Out_ int x)': [/_Out_ is of a pointer/, 1, 5],
    'int f(void x)': [/a parameter of type void/, 1, 7],
    'template <class T> T f(T);': [/this is C\+\+/, 1, 1],
    'int f(int a;': [/expected ','/, 1, 12],
    'struct p { int a, a; };': [/two fields are named a/, 1, 19],
    'struct p { unsigned a : 40; };': [/a has 40 bits, of 32/, 1, 25],
    'int f(void) g': [/expected ';' after a declaration, found 'g'/, 1, 13],
    '/* open': [/a comment that does not end/, 1, 1],
    'int f("a': [/a string that does not end/, 1, 7],
    'int f(€)': [/the character "€" is not C/, 1, 7],
    'enum e f(void)': [/enum e is not defined/, 1, 6],
    'struct a { int x; }; union a { int x; };': [/declared as struct before/, 1, 28],
    [`int ${'('.repeat(5000)}`]: [/nested more than 200 deep/, 1, 205],
    ['typeof('.repeat(5000)]: [/nested more than 200 deep/, 1, 1408],
    [`enum ${': enum '.repeat(5000)}`]: [/nested more than 200 deep/, 1, 1408],
  };
  for (const [text, [message, line, column]] of Object.entries(cases)) {
    test(`the mistake is shown where it is in: ${text.slice(0, 40)}`, () => {
      const error = throws(() => dlopen('c', text), 'ERR_FFI_DECLARATION_INVALID', message);
      assert.deepEqual([error.line, error.column], [line, column]);
    });
  }
});

describe('C text agrees with a C compiler', { skip: onlyOn('posix') }, () => {
  const isInC = (tree) => tree.kind !== 'scalar' || !SCALARS[tree.name].argumentOnly;
  const compile = (source) =>
    execFileSync('cc', ['-x', 'c', '-std=gnu11', '-w', '-fsyntax-only', '-'], { input: source });

  test(`C text agrees with a C compiler about the layout of random types (PINNED_FFI_TEST_SEED=${SEED})`, () => {
    const HEADERS =
      '#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <sys/types.h>\n#include <uchar.h>\n#include <wchar.h>\n';
    let claims = HEADERS;
    let count = 0;
    for (let id = 0; id < byScale(200, 1000); id += 1) {
      const { args, returns } = makeSignature(SEED, id);
      const trees = [...args, ...(returns ? [returns] : [])].filter(isInC);
      const text = trees.map((tree, i) => `typedef ${declare(tree, `T${id}_${i}`)};`).join('\n');
      const { types } = cdef(text);
      claims += `${text}\n`;
      for (const [i, tree] of trees.entries()) {
        const name = `T${id}_${i}`;
        const [size, align] = [sizeof(types[name]), alignof(types[name])];
        assert.deepEqual([size, align], [sizeof(typeOf(tree)), alignof(typeOf(tree))], text);
        claims += `_Static_assert(sizeof(${name}) == ${size} && _Alignof(${name}) == ${align}, "${name}");\n`;
        count += 1;
        if (tree.kind !== 'struct') continue;
        for (const key of tree.fields.keys()) {
          claims += `_Static_assert(offsetof(${name}, f${key}) == ${offsetof(types[name], `f${key}`)}, "${name}.f${key}");\n`;
        }
      }
    }
    assert.ok(count > 500, `${count} types`);
    compile(claims);
  });

  test(`C text agrees with a C compiler about random constant expressions (PINNED_FFI_TEST_SEED=${SEED})`, () => {
    const random = makeRandom(SEED);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const LITERALS = [
      '0',
      '1',
      '7',
      '42',
      '0x7fffffff',
      '0xffffffff',
      '2147483648',
      '4294967295u',
      '1ll',
      '0xffffffffffffffffull',
      "'a'",
      '010',
      '1u',
      'sizeof(int)',
    ];
    const make = (depth) => {
      if (depth === 0 || random() < 0.2) return pick(LITERALS);
      const kind = random();
      if (kind < 0.15) return `${pick(['-', '~', '!', '+'])}(${make(depth - 1)})`;
      if (kind < 0.25) return `(${make(depth - 1)} ? ${make(depth - 1)} : ${make(depth - 1)})`;
      if (kind < 0.35)
        return `(${pick(['char', 'unsigned char', 'short', 'unsigned', 'long long', 'uint16_t'])})(${make(depth - 1)})`;
      if (kind < 0.45) return `(${make(depth - 1)} ${pick(['<<', '>>'])} ${Math.floor(random() * 31)})`;
      return `(${make(depth - 1)} ${pick(['+', '-', '*', '|', '&', '^', '==', '!=', '<', '>', '<=', '>=', '&&', '||'])} ${make(depth - 1)})`;
    };
    let claims = '#include <stdint.h>\n';
    for (let i = 0; i < byScale(300, 3000); i += 1) {
      const text = make(4);
      const { constants } = cdef(`#define X ${text}`);
      const value = BigInt(constants.X);
      claims += `_Static_assert((unsigned long long)(${text}) == ${BigInt.asUintN(64, value)}ull, "${i}: ${value}");\n`;
    }
    // Signed overflow has no value in C; the compiler wraps, as the package does.
    execFileSync('cc', ['-x', 'c', '-std=gnu11', '-w', '-fwrapv', '-fsyntax-only', '-'], { input: claims });
  });
});

test(`no text crashes or hangs the parser (PINNED_FFI_TEST_SEED=${SEED})`, () => {
  const { texts, refused } = fuzz({ count: byScale(1500, 60_000), seed: SEED });
  assert.ok(refused > 0.2 * texts && refused < texts, `${refused} of ${texts} were refused`);
});
