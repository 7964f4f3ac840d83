'use strict';
// The grammar of C text: that it is C's, by two compilers and by random declarations; that each way of reading it
// agrees.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { describe, test } = require('node:test');
const { ffi, makeRandom } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');
const { HEADERS, makeDeclarations, typeInC } = require('./declarations.js');
const names = require('../../lib/cdef/names.js');
const { Lexer } = require('../../lib/cdef/lexer.js');
const { Parser } = require('../../lib/cdef/parser.js');
const { declarationOf, measure } = require('../../lib/cdef/convert.js');
const { plainDeclarations, startReading, readPrototype } = require('../../lib/cdef/plain.js');
const { RESERVED } = require('../../lib/cdef/plain-words.js');
const { Scope } = require('../../lib/cdef/scope.js');

const { cdef, offsetof, sizeof, alignof } = ffi;
const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);

/** What the parser reads, without the reader of plain prototypes. */
function parseAll(text) {
  const scope = new Scope();
  scope.isPlain = false;
  return new Parser(text, scope, measure).parse();
}

/** A declaration with the names of its types. */
const named = ({ args, returns, varargs }) => [
  args.map((type) => type?.name ?? type),
  returns?.name ?? returns,
  varargs,
];

/** Whether a type can be used: no function in it takes a struct that no call can pass. */
function isUsable(types, name) {
  try {
    return types[name] !== undefined;
  } catch (error) {
    assert.match(error.message, /cannot be passed by value/);
    return false;
  }
}

describe('compilers agree', { skip: onlyOn('posix') }, () => {
  /** What a compiler has to say about random texts: the types of functions, and the layouts of structs. */
  function claimsOf(count) {
    let claims = HEADERS;
    let functions = 0;
    for (let id = 0; id < count; id += 1) {
      const made = makeDeclarations(SEED, id);
      claims += `${made.text}\n`;
      const scope = parseAll(made.text);
      assert.deepEqual([...scope.functions.keys()], made.functions, made.text);
      for (const [name, { type }] of scope.functions) {
        claims += `_Static_assert(__builtin_types_compatible_p(__typeof__(${name}), ${typeInC(type)}), "${name}");\n`;
        functions += 1;
      }
      const { types } = cdef(made.text);
      for (const { name, fields } of made.records) {
        if (!isUsable(types, name)) continue;
        const [size, align] = [sizeof(types[name]), alignof(types[name])];
        claims += `_Static_assert(sizeof(${name}) == ${size} && _Alignof(${name}) == ${align}, "${name}");\n`;
        for (const field of fields) {
          const offset = offsetof(types[name], field);
          claims += `_Static_assert(offsetof(${name}, ${field}) == ${offset}, "${name}.${field}");\n`;
        }
      }
    }
    return { claims, functions };
  }

  const check = (compiler, t) => {
    const { claims, functions } = claimsOf(byScale(200, 3000));
    execFileSync(compiler, ['-x', 'c', '-std=gnu11', '-w', '-fsyntax-only', '-'], { input: claims });
    t.diagnostic(`${functions} functions`);
    assert.ok(functions > byScale(300, 5000));
  };

  test(`gcc agrees on random declarations (PINNED_FFI_TEST_SEED=${SEED})`, (t) => check('cc', t));
  test(`clang agrees on random declarations (PINNED_FFI_TEST_SEED=${SEED})`, { skip: needs('clang') }, (t) =>
    check('clang', t),
  );
});

describe('prototypes that are read without the parser mean what they mean with it', () => {
  /** Compares both on a text of one prototype. Gives whether it was plain. */
  function compare(text) {
    const reading = startReading(text);
    const plain = readPrototype(reading, 0);
    if (plain === undefined) return false;
    const scope = parseAll(text.slice(0, reading.end));
    const [[name, declared]] = scope.functions;
    assert.equal(name, reading.name, text);
    assert.deepEqual(named(plain), named(declarationOf(declared, name)), text);
    return true;
  }

  test('each type name, with qualifiers and a star, means the same without the parser', () => {
    const words = ['int', 'unsigned long int', 'long unsigned int', 'signed', 'void', ...names.ARITHMETICS.keys()];
    let count = 0;
    for (const type of [...words, ...names.KNOWN.keys(), ...names.HIDDEN, ...names.OPAQUE]) {
      for (const all of [type, `const ${type}`, `${type} const`, `${type} *`, `const ${type}*`, `${type} const *`]) {
        for (const text of [`${all} f(void);`, `void f(${all});`, `int f( ${all} name , int);`, `extern ${all} f();`])
          if (compare(text.replace(/\*(name|f)/, '*$1'))) count += 1;
      }
    }
    assert.ok(count > 1000, `${count} prototypes are plain`);
  });

  test('random texts of the words of prototypes mean the same without the parser', () => {
    const random = makeRandom(SEED);
    const WORDS = [
      'int',
      'char',
      'const',
      'unsigned',
      'long',
      '*',
      ',',
      'a',
      'b',
      'size_t',
      'void',
      'extern',
      'DWORD',
      '_In_',
    ];
    const OTHERS = [
      'static',
      'struct',
      'restrict',
      '__restrict',
      '\n',
      '\t',
      'double',
      'time_t',
      'f',
      '9',
      '_',
      '\u00a0',
      '(',
    ];
    const words = () =>
      Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
        const list = random() < 0.8 ? WORDS : OTHERS;
        return list[Math.floor(random() * list.length)] + (random() < 0.8 ? ' ' : '');
      }).join('');
    let plain = 0;
    for (let i = 0; i < byScale(5000, 100_000); i += 1) {
      const name = random() < 0.8 ? 'f' : words();
      const text = `${words()} ${name}(${words()}${random() < 0.5 ? `,${words()}` : ''});`;
      const reading = startReading(text);
      if (readPrototype(reading, 0) === undefined) continue;
      plain += 1;
      compare(text);
    }
    assert.ok(plain > 30, `${plain} were plain`);
  });

  test('random declarations mean the same without the parser', () => {
    let plain = 0;
    for (let id = 0; id < byScale(300, 3000); id += 1) {
      const { text } = makeDeclarations(SEED, id);
      const scope = parseAll(text);
      const { symbols } = cdef(text);
      for (const [name, declared] of scope.functions) {
        const outcomes = [() => symbols[name], () => declarationOf(declared, name)].map((read) => {
          try {
            return named(read());
          } catch ({ message }) {
            return message;
          }
        });
        assert.deepEqual(outcomes[0], outcomes[1], text);
      }
      if (plainDeclarations(text) !== undefined) plain += 1;
    }
    assert.ok(plain > 2, `${plain} were plain`);
  });

  test('no word that means something else is taken for a name', () => {
    const { ARITHMETIC, CONVENTIONS, QUALIFIERS, REFUSED, SPELLINGS, STORAGE, TYPE_OF } = names;
    for (const word of [
      ...ARITHMETIC,
      ...CONVENTIONS,
      ...QUALIFIERS,
      ...REFUSED.keys(),
      ...Object.keys(SPELLINGS),
      ...STORAGE,
      ...TYPE_OF,
    ])
      assert.ok(RESERVED.has(word), word);
  });

  test('names of the text hide those of the C library', () => {
    const hidden = cdef('typedef double size_t; size_t f(size_t a);').symbols.f;
    assert.deepEqual(named(hidden), [['double'], 'double', undefined]);
    const macro = cdef('#define size_t char\nsize_t f(size_t a);').symbols.f;
    assert.deepEqual(named(macro), [['char'], 'char', undefined]);
    const set = cdef('typedef double size_t;');
    assert.deepEqual(named(cdef([set, 'int f(size_t);']).symbols.f), [['double'], 'int', undefined]);
  });
});

describe('the work of the parser grows with the text, not faster', () => {
  const KINDS = {
    'plain prototypes': (i) => `int f${i}(int a, const char *name${i});\n`,
    'prototypes with callbacks': (i) => `void f${i}(int (*compare)(const void *, const void *)); /* ${i} */\n`,
    'prototypes without spaces': (i) => `int\tf${i}(int\ta);\n`,
    structs: (i) => `struct s${i} { int x, y; struct s${i} *next; }; struct s${i} *f${i}(void);\n`,
    constants: (i) => `enum { A${i} = ${i}, B${i} = A${i} + 1 };\n#define N${i} (A${i} << 1)\n`,
    'comments and continuations': (i) => `/* ${i} */ int a${i}; // b\n\\\n`,
    variables: (i) => `extern int a${i};\n`,
    'one declaration': (i) => `${i === 0 ? 'int ' : ', '}a${i}`,
    'one function': (i) => `${i === 0 ? 'int f(int' : ', int'} a${i}`,
    'unclosed brackets': () => '(',
    words: (i) => `w${i} `,
    spaces: () => '          ',
    stars: () => '*',
  };

  /** How many tokens are read, and how many characters are searched for parentheses. */
  function workOf(text) {
    const { next } = Lexer.prototype;
    const { indexOf, lastIndexOf } = String.prototype;
    let work = 0;
    Lexer.prototype.next = function () {
      work += 1;
      return next.call(this);
    };
    String.prototype.indexOf = function (what, from = 0) {
      const found = indexOf.call(this, what, from);
      if (typeof what === 'string' && '()'.includes(what)) work += (found < 0 ? this.length : found) - from;
      return found;
    };
    String.prototype.lastIndexOf = function (what, from = this.length) {
      const found = lastIndexOf.call(this, what, from);
      work += Math.min(from, this.length) - Math.max(found, 0);
      return found;
    };
    try {
      cdef(text);
    } catch (error) {
      assert.equal(error.code, 'ERR_FFI_DECLARATION_INVALID');
    } finally {
      Lexer.prototype.next = next;
      Object.assign(String.prototype, { indexOf, lastIndexOf });
    }
    return work;
  }

  for (const [kind, make] of Object.entries(KINDS)) {
    test(`the work of the parser grows no faster than the text: ${kind}`, () => {
      const textOf = (count) => Array.from({ length: count }, (_, i) => make(i)).join('');
      const [once, twice] = [workOf(textOf(400)), workOf(textOf(800))];
      assert.ok(twice <= 2.2 * once + 100, `${once} for a text, ${twice} for one twice as long`);
    });
  }
});

describe('headers of the C library, as the preprocessor writes them', { skip: onlyOn('linux') }, () => {
  const HEADERS_OF = [
    ...[
      'stdio',
      'stdlib',
      'string',
      'time',
      'unistd',
      'poll',
      'netdb',
      'regex',
      'ftw',
      'math',
      'dirent',
      'fcntl',
      'link',
    ],
    ...[
      'sys/stat',
      'sys/socket',
      'netinet/in',
      'signal',
      'pthread',
      'wchar',
      'locale',
      'glob',
      'pwd',
      'termios',
      'dlfcn',
    ],
    ...['sys/mman', 'sys/time', 'semaphore', 'aio', 'spawn', 'complex'],
  ];
  /** Functions with a type that has no counterpart, which are an error when they are used. */
  const HAS_NONE = /no counterpart|va_list|_Float|not defined|has an alignment|packed|has no length/;

  /** The prototypes of a header, and how many cannot be used. */
  function read(header, options) {
    const input = `#include <${header}.h>\n`;
    const text = execFileSync('cc', ['-E', ...options, '-D_GNU_SOURCE', '-x', 'c', '-'], { input, encoding: 'utf8' });
    const { symbols } = cdef(text);
    const names = Object.keys(symbols);
    const without = names.filter((name) => {
      try {
        return symbols[name] === undefined;
      } catch (error) {
        assert.match(error.message, HAS_NONE, `${header}: ${name}`);
        return true;
      }
    });
    return { names, without };
  }

  for (const header of byScale(['stdio', 'regex'], HEADERS_OF)) {
    test(`<${header}.h>, as the preprocessor writes it, is read`, (t) => {
      const { names, without } = read(header, byScale(['-P'], []));
      t.diagnostic(`${names.length} functions, ${without.length} have types that have no counterpart`);
      assert.ok(names.length > 0);
      assert.ok(without.length < names.length / 2 || ['math', 'complex'].includes(header), without.join());
    });
  }

  test('declarations that are pasted from preprocessed headers work', () => {
    const input = '#include <stdlib.h>\n#include <time.h>\n';
    const all = execFileSync('cc', ['-E', '-P', '-x', 'c', '-'], { input, encoding: 'utf8' });
    const lines = all.split('\n').filter((line) => /\b(abs|gmtime)\b/.test(line));
    const { symbols } = ffi.dlopen('c', [cdef(all), ...lines]);
    assert.equal(symbols.abs(-4), 4);
    assert.equal(typeof symbols.gmtime(BigInt64Array.of(0n)), 'number');
  });
});

describe('a prototype means the same however a manual writes it', () => {
  const cases = {
    qsort: [
      ['ptr', 'size_t', 'size_t', 'fn'],
      'void qsort(void *base, size_t nmemb, size_t size, int (*compar)(const void *, const void *));',
      'void qsort(void base[.size * .nmemb], size_t nmemb, size_t size,\n           int (*compar)(const void [.size], const void [.size]));',
      'extern void qsort (void *__base, size_t __nmemb, size_t __size, int (*__compar)(const void *, const void *)) __nonnull ((1, 4));',
      'void qsort( void* ptr, size_t count, size_t size,\n int (*comp)(const void*, const void*) ); /* C89 */',
      'void qsort(void *base, size_t nel, size_t width, int compar(const void *a, const void *b));',
    ],
    getline: [
      ['pointer(ptr)', 'pointer(size_t)', 'FILE'],
      'ssize_t getline(char **restrict lineptr, size_t *restrict n, FILE *restrict stream);',
      'ssize_t getline(char **lineptr, size_t *n, FILE *stream);',
      'extern __ssize_t getline (char **__restrict __lineptr, size_t *__restrict __n, FILE *__restrict __stream) __wur;',
      'extern "C" ssize_t getline(char **lineptr, \\\n  size_t *n, // bytes\n  FILE *stream)',
    ],
    strftime: [
      ['ptr', 'size_t', 'cstring', 'ptr'],
      'size_t strftime(char s[restrict .max], size_t max, const char *restrict format, const struct tm *restrict tm);',
      'size_t strftime(char *s, size_t max, const char *format, const struct tm *tm);',
      'size_t strftime( char* str, size_t count, const char* format, const struct tm* tp );',
      'extern size_t strftime (char *__restrict __s, size_t __maxsize, const char *__restrict __format, const struct tm *__restrict __tp) __attribute__ ((__nothrow__ , __leaf__));',
    ],
    readdir: [
      ['DIR'],
      'struct dirent *readdir(DIR *dirp);',
      'struct dirent *readdir(DIR *);',
      'extern struct dirent *readdir (DIR *__dirp) __attribute__ ((__nonnull__ (1)));',
    ],
    poll: [
      ['ptr', 'unsigned long', 'int'],
      'int poll(struct pollfd *fds, nfds_t nfds, int timeout);',
      'int poll(struct pollfd fds[], nfds_t nfds, int timeout);',
      'extern int poll (struct pollfd *__fds, nfds_t __nfds, int __timeout)\n __attribute__ ((__access__ (__write_only__, 1, 2)));',
    ],
    getaddrinfo: [
      ['cstring', 'cstring', 'ptr', 'pointer(ptr)'],
      'int getaddrinfo(const char *restrict node,\n  const char *restrict service,\n  const struct addrinfo *restrict hints,\n  struct addrinfo **restrict res);',
      'int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);',
    ],
    regcomp: [
      ['ptr', 'cstring', 'int'],
      'int regcomp(regex_t *restrict preg, const char *restrict regex, int cflags);',
      'int regcomp(regex_t *restrict preg, const char *restrict pattern, int cflags);',
      'extern int regcomp (regex_t *_Restrict_ __preg, const char *_Restrict_ __pattern, int __cflags);',
    ],
    dl_iterate_phdr: [
      ['fn', 'ptr'],
      'int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *info, size_t size, void *data), void *data);',
      'int dl_iterate_phdr(\n  int (*callback)(struct dl_phdr_info *info,\n                  size_t size, void *data),\n  void *data);',
    ],
    nftw: [
      ['cstring', 'fn', 'int', 'int'],
      'int nftw(const char *dirpath,\n  int (*fn)(const char *fpath, const struct stat *sb, int typeflag, struct FTW *ftwbuf),\n  int nopenfd, int flags);',
      'int nftw(const char *path, int (*fn)(const char *, const struct stat *, int, struct FTW *), int fd_limit, int flags);',
    ],
    asprintf: [
      ['pointer(ptr)', 'cstring'],
      'int asprintf(char **restrict strp, const char *restrict fmt, ...);',
      'int asprintf(char **strp, const char *fmt, ...);',
      '[[nodiscard]] int asprintf(char **restrict strp, const char *restrict fmt, ... /* values */ );',
      'extern int asprintf (char **__restrict __ptr, const char *__restrict __fmt, ...) __attribute__ ((__nothrow__ , __leaf__)) __attribute__ ((__format__ (__printf__, 2, 3))) __attribute__ ((__warn_unused_result__));',
    ],
  };
  for (const [name, [args, ...texts]] of Object.entries(cases)) {
    test(`${name} means the same however a manual writes it`, { skip: onlyOn('linux') }, () => {
      for (const text of texts) {
        assert.deepEqual(named(cdef(text).symbols[name])[0], args, text);
        assert.equal(typeof ffi.dlopen('c', text).symbols[name], 'function', text);
      }
    });
  }
});
