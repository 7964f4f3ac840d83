'use strict';
// The grammar of C text: that it is C's, by two compilers and by random declarations; that each way of reading it agrees.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { describe, test } = require('node:test');
const { ffi, makeRandom } = require('./helpers.js');
const { needs, onlyOn } = require('./requirements.js');
const { byScale } = require('./scale.js');
const { HEADERS, makeDeclarations, typeInC } = require('./cdef/declarations.js');
const names = require('../lib/cdef/names.js');
const { Lexer } = require('../lib/cdef/lexer.js');
const { Parser } = require('../lib/cdef/parser.js');
const { declarationOf, measure } = require('../lib/cdef/convert.js');
const { plainEntries, RESERVED, startReading, readPrototype } = require('../lib/cdef/plain.js');
const { Scope } = require('../lib/cdef/scope.js');

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

  test(`gcc, on random declarations (PINNED_FFI_TEST_SEED=${SEED})`, (t) => check('cc', t));
  test(`clang, on random declarations (PINNED_FFI_TEST_SEED=${SEED})`, { skip: needs('clang') }, (t) =>
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

  test('each type name, with qualifiers and a star', () => {
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

  test('random texts of their words', () => {
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
    assert.ok(plain > 50, `${plain} were plain`);
  });

  test('random declarations', () => {
    let plain = 0;
    for (let id = 0; id < byScale(300, 3000); id += 1) {
      const { text } = makeDeclarations(SEED, id);
      const scope = parseAll(text);
      let symbols;
      try {
        ({ symbols } = cdef(text));
      } catch (error) {
        assert.match(error.message, /a packed struct of this shape/);
        continue;
      }
      for (const [name, declared] of scope.functions)
        assert.deepEqual(named(symbols[name]), named(declarationOf(declared, name)), text);
      if (plainEntries(text) !== undefined) plain += 1;
    }
    assert.ok(plain > 5, `${plain} were plain`);
  });

  test('no word that means something else is taken for a name', () => {
    const { ARITHMETIC, CONVENTIONS, QUALIFIERS, REFUSED, SPELLINGS, STORAGE } = names;
    for (const word of [
      ...ARITHMETIC,
      ...CONVENTIONS,
      ...QUALIFIERS,
      ...REFUSED.keys(),
      ...Object.keys(SPELLINGS),
      ...STORAGE,
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
    structs: (i) => `struct s${i} { int x, y; struct s${i} *next; }; struct s${i} *f${i}(void);\n`,
    constants: (i) => `enum { A${i} = ${i}, B${i} = A${i} + 1 };\n#define N${i} (A${i} << 1)\n`,
    'comments and continuations': (i) => `/* ${i} */ int a${i}; // b\n\\\n`,
    variables: (i) => `extern int a${i};\n`,
    'one declaration': (i) => `${i === 0 ? 'int ' : ', '}a${i}`,
    'one function': (i) => `${i === 0 ? 'int f(int' : ', int'} a${i}${i < 100 ? '' : ''}`,
    'unclosed brackets': () => '(',
    words: (i) => `w${i} `,
    spaces: () => '          ',
    stars: () => '*',
  };

  /** How many tokens are read, and how many characters are searched for parentheses. */
  function workOf(text) {
    const { next } = Lexer.prototype;
    const { indexOf } = String.prototype;
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
    try {
      cdef(text);
    } catch (error) {
      assert.equal(error.code, 'ERR_FFI_DECLARATION_INVALID');
    } finally {
      Lexer.prototype.next = next;
      String.prototype.indexOf = indexOf;
    }
    return work;
  }

  for (const [kind, make] of Object.entries(KINDS)) {
    test(kind, () => {
      const textOf = (count) => Array.from({ length: count }, (_, i) => make(i)).join('');
      const [once, twice] = [workOf(textOf(400)), workOf(textOf(800))];
      assert.ok(twice <= 2.2 * once + 100, `${once} for a text, ${twice} for one twice as long`);
    });
  }
});
