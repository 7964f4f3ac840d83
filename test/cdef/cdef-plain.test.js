'use strict';
// Structs, enumerations, typedefs and function pointers that are read without the parser: they are what the parser
// makes of the same text.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, makeRandom } = require('../helpers.js');
const { byScale } = require('../scale.js');
const { declarationOf, measure } = require('../../lib/cdef/convert.js');
const { Parser } = require('../../lib/cdef/parser.js');
const { plainDeclarations } = require('../../lib/cdef/plain.js');
const { Scope } = require('../../lib/cdef/scope.js');
const { descriptorOf } = require('../../lib/types/registry.js');

const { cdef, dlopen } = ffi;
const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);

/** What a type is, with what it points to and is made of. */
const shapeOf = (type, depth = 4) => (typeof type === 'object' ? shapeOfDescriptor(descriptorOf(type), depth) : type);

function shapeOfDescriptor({ name, size, align, fields, isUnion, members, pointee, declaration }, depth) {
  if (depth === 0) return name;
  return {
    name,
    size,
    align,
    isUnion,
    members: members && { ...members },
    fields: fields?.map(({ key, offset, descriptor }) => [key, offset, shapeOfDescriptor(descriptor, depth - 1)]),
    pointee: pointee && shapeOfDescriptor(pointee(), depth - 1),
    declaration: declaration && signatureOf(declaration, depth - 1),
  };
}

const signatureOf = ({ args, returns, varargs }, depth = 4) => ({
  args: args.map((type) => shapeOf(type, depth)),
  returns: shapeOf(returns, depth),
  varargs: varargs === true,
});

/** The functions that the parser alone reads. */
function parsed(text) {
  const scope = new Scope();
  scope.isPlain = false;
  new Parser(text, scope, measure).parse();
  return [...scope.functions].map(([name, declared]) => [name, signatureOf(declarationOf(declared, name))]);
}

/** Compares both. Returns whether the text was plain. */
function compare(text) {
  const plain = plainDeclarations(text);
  if (plain === undefined) return false;
  assert.deepEqual(
    plain.entries.map(([name, declaration]) => [name, signatureOf(declaration)]),
    parsed(text),
    text,
  );
  return true;
}

const PLAIN = [
  'typedef struct { int quot, rem; } div_t; div_t div(int, int);',
  'struct point { double x, y; }; double length(const struct point *p, struct point q);',
  'struct node { struct node *next, *last; int value; }; void f(struct node *n, struct node **m);',
  'struct node; typedef struct node node; struct node { node *next; }; node *f(node n);',
  'typedef struct sqlite3 sqlite3; int open(const char *name, sqlite3 **db); int close(sqlite3 *);',
  'typedef struct sqlite3 *handle; handle f(handle, handle *, struct sqlite3 *);',
  'union u { int i; float f; char bytes[8]; }; void f(union u, const union u *);',
  'enum color { RED, GREEN = 5, BLUE, ALL = -0x10, }; enum color f(enum color c, enum color *out);',
  'typedef enum { A, B } e; e f(e *); enum { C = 7 };',
  'typedef int my_int; typedef my_int other; typedef const char *text; other f(my_int *a, text b, text *c, other d);',
  'typedef char16_t c16; void f(const c16 *, c16 *); typedef char ch; void g(const ch *a, ch *b);',
  'typedef int (*compare)(const void *, const void *); void f(compare c, compare *d);',
  'typedef void (*log)(void *, const char *, int); void f(log l); struct s { log l; }; void g(struct s *);',
  'void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));',
  'int printf(const char *restrict format, ...); int execv(const char *path, char *const argv[]);',
  'struct s { char name[16]; int *p[4]; const char *t; struct s *n[2]; }; void f(struct s *s, int a[], char b[8]);',
  '// one\ntypedef struct { /* two */ int a; // three\n int b; } s; /* four */ void f(s *s /* five */);',
  'typedef double pid_t; pid_t f(pid_t a);',
  'int g(pid_t a); typedef double pid_t; pid_t f(pid_t a);',
  'typedef struct { int a; } pid_t; void f(pid_t a, pid_t *b);',
];

describe('types that are read without the parser are what they are with it', () => {
  for (const text of PLAIN)
    test(`without the parser, the types are the same: ${text.slice(0, 60)}`, () => assert.ok(compare(text), text));

  test('texts made of random parts of declarations mean the same', () => {
    const random = makeRandom(SEED);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const TYPES = ['int', 'char', 'const char', 'size_t', 's', 'struct s', 'struct t', 'union u', 'enum e', 'v', 'w'];
    const type = () => pick(TYPES) + pick([' ', ' ', ' *', ' *', ' **', ' *const ', ' const *']);
    const name = () => pick(['a', 'b', 'c', 's', 't', 'int', '']);
    const length = () => pick(['', '', '', '', '[4]', '[]', '[0]']);
    const field = () => `${type()}${name()}${length()}${pick(['', '', '', ', *d', ', d[2]', ' : 3'])};`;
    const body = () => `{ ${field()}${pick(['', field(), `int (*f)(${type()}, int);`])} }`;
    const members = () =>
      `{ ${pick(['A', 'B', 'C'])}${pick(['', '= 3', '= 010', ' = -1', '= A'])}${pick(['', ', D', ','])} }`;
    const parameter = () => pick([`${type()}${name()}${length()}`, `${type()}(*${name()})(${type()})`, 'void', '...']);
    const statement = () =>
      pick([
        () => `struct ${pick(['s', 't'])} ${body()};`,
        () => `typedef struct ${pick(['s', 't', ''])} ${body()} ${pick(['s', 'v', 'w', 't'])};`,
        () => `union u ${body()};`,
        () => `enum ${pick(['e', '', 's'])} ${members()};`,
        () => `struct ${pick(['s', 't', 'u'])};`,
        () => `typedef ${type()}${pick(['s', 'v', 'w', 'int'])};`,
        () => `typedef ${type()}(*${pick(['v', 'w'])})(${parameter()});`,
        () => `${type()}f${Math.floor(random() * 99)}(${parameter()}, ${parameter()});`,
        () => `${type()}g(${parameter()});`,
      ])();
    let plain = 0;
    for (let i = 0; i < byScale(2500, 200_000); i += 1) {
      const text = Array.from({ length: 1 + Math.floor(random() * 4) }, statement).join(pick(['\n', ' ', ' /* ; */ ']));
      if (compare(text)) plain += 1;
    }
    assert.ok(plain > byScale(30, 2000), `${plain} were plain`);
  });
});

describe('a text that was read without the parser declares one set of types', () => {
  const textOf = (tag) => `struct ${tag} { int x, y; };
    typedef struct ${tag} ${tag}_t;
    typedef enum { ${tag}A, ${tag}B } ${tag}_e;
    void *memcpy(struct ${tag} *to, const ${tag}_t *from, size_t n);
    int abs(${tag}_e kind);`;

  test('the types of the library are those of its functions', () => {
    const text = textOf('of_library');
    const before = plainDeclarations(text);
    const { types, symbols, constants } = dlopen(null, text);
    assert.equal(types['struct of_library'], before.types.get('struct of_library').type);
    assert.equal(types.of_library_t, types.of_library);
    assert.equal(types.of_library_e, before.types.get('of_library_e').type);
    assert.equal(constants.of_libraryB, 1);
    const [from, to] = [types.of_library.alloc({ x: 1, y: 2 }), types.of_library_t.alloc()];
    symbols.memcpy(to, from, 8);
    assert.deepEqual([to.x, to.y], [1, 2]);
    assert.equal(symbols.abs('of_libraryB'), 1);
  });

  test('a set of the same text has the same types, whichever is first', () => {
    const first = dlopen(null, textOf('first')).types.first;
    assert.equal(cdef(textOf('first')).types.first, first);
    const second = cdef(textOf('second')).types.second;
    assert.equal(dlopen(null, textOf('second')).types.second, second);
  });

  test('a function that is added later sees the types', () => {
    const library = dlopen(null, textOf('later'));
    const memmove = library.function('void *memmove(later_t *to, struct later *from, size_t n);');
    const { later } = library.types;
    const to = later.alloc();
    memmove(to, later.alloc({ x: 3, y: 4 }), 8);
    assert.equal(to.y, 4);
  });
});
