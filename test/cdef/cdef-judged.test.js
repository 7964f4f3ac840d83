'use strict';
// What is C and what is not: a compiler judges random texts, right and wrong ones, and the parser must say the same.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, makeRandom } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);
const HEAD = 'struct P { int p; }; enum E { E1, K = 5 }; typedef int T;\n';
const BASES = ['int', 'unsigned', 'long', 'short', 'char', 'float', 'double', '_Bool', 'struct P', 'enum E', 'T'];
const OTHERS = [...BASES, 'long long', 'signed', 'const', 'volatile', 'static', 'extern', 'typedef'];

/** Random texts out of the words of declarations. */
function makeTexts(random) {
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const list = (most, make, separator) => Array.from({ length: 1 + below(most) }, make).join(separator);
  // A base type is always there: that a declaration without one is an int went with C99.
  const specifiers = () => [list(2, () => pick(OTHERS), ' '), pick(BASES)].slice(below(2)).join(' ');
  function declarator(name, depth = 0) {
    if (depth > 3) return name;
    const inner = () => declarator(name, depth + 1);
    return pick([
      () => name,
      () => name,
      () => `*${inner()}`,
      () => `* const ${inner()}`,
      () => `(*${inner()})`,
      () => `${inner()}[${pick(['1', '2', '', '-1', 'K'])}]`,
      () => `${inner()}(${pick(['void', 'int'])})`,
    ])();
  }
  function expression(depth) {
    const inner = () => expression(depth - 1);
    if (depth === 0)
      return pick(['1', '2', '7', 'sizeof(int)', "'a'", '0x10', '010', '09', '4u', 'sizeof 1', 'K', 'Q']);
    return pick([
      inner,
      () => `(${inner()})`,
      () => `~${inner()}`,
      () => `(${pick(['int', 'char', 'long', 'unsigned', 'void'])})${inner()}`,
      () => `${inner()} ? ${inner()} : ${inner()}`,
      () => `${inner()} ${pick(['+', '-', '*', '|', '&', '==', '<', '&&'])} ${inner()}`,
    ])();
  }
  const name = () => pick(['a', 'b', 'c', 'd', 'e', 'T']);
  const parameter = () => pick(['void', `${specifiers()} ${declarator(name())}`, `${specifiers()} ${declarator('')}`]);
  const field = () =>
    pick([
      () => `${specifiers()} ${declarator(name())};`,
      () => `${specifiers()} ${name()} : ${below(20)};`,
      () => `${specifiers()} : ${below(9)};`,
    ])();
  return () =>
    pick([
      () => `${specifiers()} ${declarator('f')};`,
      () => `int f(${list(2, parameter, ', ')});`,
      () => `struct S { ${list(3, field, ' ')} };`,
      () => `union U { ${list(3, field, ' ')} };`,
      () => `enum F { A = ${expression(2)}, B };`,
      () => `char g[sizeof(char[${expression(2)}])];`,
    ])();
}

/**
 * Names of parameters may be there twice, which no call minds; the lengths of their arrays are not looked at. A struct
 * may be nothing but a flexible array.
 */
const TAKEN = /redefinition of parameter|conflicting types for|conflicting type qualifiers|no named members/;
const isTaken = (text, stderr) => TAKEN.test(stderr) || (text.includes('int f(') && stderr.includes('is negative'));

describe(`a compiler judges (PINNED_FFI_TEST_SEED=${SEED})`, { skip: onlyOn('posix') }, () => {
  test('random texts are taken and refused as it does', (t) => {
    const makeText = makeTexts(makeRandom(SEED));
    const counts = { taken: 0, refused: 0 };
    for (let i = 0; i < byScale(90, 600); i += 1) {
      const text = HEAD + makeText();
      const { status, stderr } = spawnSync('cc', ['-x', 'c', '-std=gnu17', '-w', '-fsyntax-only', '-'], {
        input: text,
        encoding: 'utf8',
      });
      if (isTaken(text, stderr)) continue;
      let refusal;
      try {
        ffi.cdef(text);
      } catch (error) {
        refusal = error;
        assert.equal(error.code, 'ERR_FFI_DECLARATION_INVALID', text);
        assert.match(error.message, /line \d+, column \d+[^]*\n *\^/, text);
      }
      counts[status === 0 ? 'taken' : 'refused'] += 1;
      if ((refusal === undefined) !== (status === 0)) assert.fail(`${text}\n${stderr}\n${refusal?.message}`);
    }
    t.diagnostic(`${counts.taken} are C, ${counts.refused} are not`);
    assert.ok(counts.taken > byScale(20, 150) && counts.refused > byScale(20, 150));
  });

  test('what is close to C', () => {
    for (const [text, column] of [
      ['void f(void v);', 8],
      ['void f(void a[3]);', 14],
      ['int f(const void a[]);', 19],
      ['int f(static int a);', 7],
      ['extern static int f(void);', 8],
      ['typedef extern int T;', 9],
      ['struct S { static int a; };', 12],
      ['struct S { inline int a; };', 12],
      ['struct S { _Bool a : 2; };', 22],
      ['union U { bool : 3; };', 18],
      ['int f(void', 11],
      ['_Pragma("pack(3)") int f(void);', 1],
      ['_Pragma(pack) int f(void);', 1],
      ['int f(int restrict a);', 11],
      ['int f(_Thread_local int a);', 7],
      ['struct S { _Thread_local int a; };', 12],
      ['auto int f(void);', 1],
      ['register int x;', 1],
      ['struct S { _Alignas(3) int x; };', 21],
      ['struct S { int x __attribute__((aligned(3))); };', 41],
      ['struct S { union { int a; float b; }; int a; };', 43],
      ['struct S { union { struct { int a; }; float b; }; struct { int b; }; };', 51],
    ]) {
      assert.throws(
        () => ffi.cdef(text),
        (error) => error.code === 'ERR_FFI_DECLARATION_INVALID' && error.message.includes(`(line 1, column ${column})`),
        text,
      );
    }
    const { types } = ffi.cdef(
      'extern long x; struct S { char a[sizeof x * 2 + sizeof -1 + sizeof "abc"]; }; struct B { bool a : 1, b : 1; };',
    );
    assert.equal(ffi.sizeof(types['struct S'] ?? types.S), 24);
  });

  test('a bool has one bit', () => {
    assert.throws(() => ffi.struct({ a: { type: 'bool', bits: 2 } }), /a\.bits must be 1, as a bool has, received 2/);
    assert.equal(ffi.sizeof(ffi.struct({ a: { type: 'bool', bits: 1 }, b: { type: 'bool', bits: 1 } })), 1);
  });

  test('what C has beside brackets and names', () => {
    const text = `%:define N 3
      struct S <% int a<:N:>; enum { S_A = 1, S_B }; char *restrict b; %>;
      _Pragma("GCC diagnostic push") int abs(int) _Pragma("once");
      _Pragma("pack(push, 1)") struct P { char a; int b; }; _Pragma("pack(pop)")
      #define PACKED _Pragma("pack(2)")
      PACKED struct Q { char a; int b; };`;
    const { types, constants, symbols } = ffi.cdef(text);
    assert.deepEqual([types.S.size, types.P.size, types.Q.size], [24, 5, 6]);
    assert.equal(constants.S_B, 2);
    assert.ok('abs' in symbols);
  });

  test('bitfields without a name are laid out as a compiler does', () => {
    const packed = [
      'char a; int : 0; char c;',
      'char a; int b : 3; int : 0; int d : 5; char c;',
      'int b : 3; long : 0; int d : 5; char c;',
      'int b : 3; char : 0; int d : 5; short : 0; int : 0; char c;',
      'char a : 7; long : 0; long b : 63; int : 0; long d; char c;',
    ].map((body) => ['struct', '__attribute__((packed))', body]);
    const bodies = [
      ['struct', '__attribute__((aligned(8)))', 'long : 64; int : 32; char c;'],
      ['union', '', 'int : 3; int a; char c;'],
      ['union', '', 'long a : 40; int : 0; long : 40; char c;'],
      ['union', '__attribute__((packed))', 'int : 3; int a; char c;'],
      ...(process.arch === 'x64' ? packed : []),
    ];
    const declarations = bodies.map(([keyword, attribute, body], i) => `${keyword} ${attribute} R${i} { ${body} };`);
    if (process.arch === 'x64')
      declarations.push(
        `_Pragma("pack(2)") struct R${bodies.length} { int b : 3; int : 0; int d : 5; char c; }; _Pragma("pack()")`,
      );
    const prints = declarations.map((_, i) => {
      const type = `${bodies[i]?.[0] ?? 'struct'} R${i}`;
      return `printf("%zu %zu %zu\\n", sizeof(${type}), _Alignof(${type}), __builtin_offsetof(${type}, c));`;
    });
    const source = `#include <stdio.h>\n${declarations.join('\n')}\nint main(void) { ${prints.join(' ')} }`;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-judged-'));
    try {
      const program = path.join(folder, 'layouts');
      const { stderr } = spawnSync('cc', ['-x', 'c', '-o', program, '-'], { input: source, encoding: 'utf8' });
      const { stdout } = spawnSync(program, { encoding: 'utf8' });
      const { types } = ffi.cdef(declarations.join('\n'));
      const found = declarations.map((_, i) => {
        const type = types[`R${i}`];
        return `${type.size} ${ffi.alignof(type)} ${ffi.offsetof(type, 'c')}`;
      });
      assert.deepEqual(found, stdout.trim().split('\n'), stderr);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
