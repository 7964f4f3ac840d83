'use strict';
// The types of C text at scale: a text of 500 prototypes is understood, is exported to a declaration file, and does not
// take long. The types themselves are checked by `npm run test:types`. The lists of names in lib/cdef/, types/cdef/ and
// lib/koffi/ agree.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');
const main = require('../../index.js');
const koffi = require('../../koffi.js');
const { makeDeclarations } = require('../cdef/declarations.js');
const { callbackOf, measure, typeOfValue } = require('../../lib/cdef/convert.js');
const names = require('../../lib/cdef/names.js');
const { Parser } = require('../../lib/cdef/parser.js');
const { Scope } = require('../../lib/cdef/scope.js');
const { byScale } = require('../scale.js');
const { onlyOn } = require('../requirements.js');

const root = path.join(__dirname, '..', '..');
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-cdef-types-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);
const COUNT = 500;
/** What the compiler does for the text, however fast the machine is. It was 370,000 when this was written. */
const MOST_INSTANTIATIONS = 500_000;

const TYPES = (i) => `
  /* struct number ${i}; has a comment */
  typedef struct s${i} { int x, y; double *z; const char *name; } s${i}_t;
  struct opaque${i};
  typedef int (*callback${i})(struct opaque${i} *self, const void *data, size_t n);`;
const FUNCTIONS = [
  (i) => `int f${i}(int a, unsigned long b, const char *name${i});`,
  (i) => `const char *f${i}(struct opaque${i % 20} *o, char *buf, size_t n);`,
  (i) => `s${i % 20}_t f${i}(const s${i % 20}_t *p, struct opaque${(i + 3) % 20} **out);`,
  (i) => `void f${i}(void *base, size_t nmemb, size_t size, int (*compare)(const void *, const void *));`,
  (i) => `unsigned long long f${i}(callback${i % 20} callback, void *userdata, ...); // what follows is not declared`,
];

function compile(name, code) {
  const packages = path.join(folder, 'node_modules');
  if (!fs.existsSync(packages)) {
    fs.mkdirSync(packages);
    fs.symlinkSync(root, path.join(packages, 'pinned-ffi'), 'junction');
    fs.symlinkSync(path.join(root, 'node_modules', '@types'), path.join(packages, '@types'), 'junction');
  }
  fs.writeFileSync(path.join(folder, name), code);
  const options = [
    '--ignoreConfig',
    '--strict',
    '--skipLibCheck',
    '--declaration',
    '--extendedDiagnostics',
    '--outDir',
    'out',
  ];
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, name, ...options, '--target', 'es2022', '--module', 'nodenext', '--types', 'node'],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
  const numberOf = (label) => Number(new RegExp(`^${label}: +([\\d.]+)`, 'm').exec(stdout)[1]);
  return { instantiations: numberOf('Instantiations'), seconds: numberOf('Check time') };
}

test(`a text of ${COUNT} prototypes compiles`, (t) => {
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  const text = [...numbers.slice(0, 20).map(TYPES), ...numbers.map((i) => FUNCTIONS[i % FUNCTIONS.length](i))].join(
    '\n',
  );
  const { instantiations, seconds } = compile(
    'large.mts',
    `
    import { dlopen } from 'pinned-ffi';
    export const library = dlopen('c', \`${text}\`);
    export const { f0, f1, f2, f3, f4 } = library.symbols;
    ${numbers.map((i) => `library.symbols.f${i}.ptr;`).join('\n')}
    // @ts-expect-error it is not declared
    library.symbols.f${COUNT};
  `,
  );
  t.diagnostic(`checked in ${seconds} s, ${instantiations} instantiations`);
  assert.ok(instantiations < MOST_INSTANTIATIONS, `${instantiations} instantiations`);
  const declared = fs.readFileSync(path.join(folder, 'out', 'large.d.mts'), 'utf8');
  assert.match(declared, /library: import\("pinned-ffi"\)\.Library</);
  assert.match(declared, /f0: \(\(arg0: number \| bigint, arg1: number \| bigint, arg2: .*\) => number\)/);
});

/** To the compiler, types that differ between platforms are what is common to all. */
const SAME = new Map([
  ...['i64_fast', 'long', 'int64_t'].map((name) => [name, 'i64']),
  ...['u64_fast', 'unsigned long', 'uint64_t'].map((name) => [name, 'u64']),
]);

/**
 * A kind of each type, for the compiler: what the type is, as far as all that a pointer points to. Enumerations are the
 * only declared types that take names.
 */
const KINDS = `
type Kind<T> = T extends keyof Differs ? Differs[T] : T extends string ? T
  : T extends FunctionType<infer D> ? ['function', ...(D extends { args: infer A } ? KindsOf<A> : never), KindOf<D>]
  : T extends OpaqueType<string> ? 'opaque'
  : T extends PointerType<infer P> ? ['pointer', Kind<P>]
  : T extends { values: any } ? 'enumeration'
  : T extends AggregateType<any, any, any, 'value'> ? 'record'
  : T extends AggregateType<any, any, any, 'array'> ? 'array' : 'unknown';
interface Differs { ${[...SAME].map(([name, kind]) => `${JSON.stringify(name)}: '${kind}'`).join('; ')} }
type KindsOf<A> = A extends readonly [infer First, ...infer Rest] ? [Kind<First>, ...KindsOf<Rest>] : [];
type KindOf<D> = D extends { returns: infer R } ? Kind<R> : never;
type KindsOfFunction<D> = [KindsOf<D extends { args: infer A } ? A : never>, KindOf<D>, D extends { varargs: true } ? true : false];
`;

/** The same kind at run time, of a C type. */
function kindOf(type) {
  const same = (name) => SAME.get(name) ?? name;
  if (type.kind === 'scalar') return same(type.name);
  if (type.kind === 'enum') return 'enumeration';
  if (type.kind === 'array') return 'array';
  if (type.kind === 'record') return 'record';
  const { to } = type;
  if (to.kind === 'function') {
    const { args, returns } = callbackOf(to);
    const kinds = to.parameters.map((parameter, i) => (args[i] === 'ptr' ? 'ptr' : kindOf(parameter.type)));
    return ['function', ...kinds, typeof returns === 'string' ? same(returns) : kindOf(to.returns)];
  }
  const declared = typeOfValue(type);
  return typeof declared === 'string' ? same(declared) : ['pointer', kindOf(to)];
}

/** The kinds of the functions of a text; undefined where one takes a struct that no call can pass. */
function kindsIn(scope) {
  try {
    return [...scope.functions].map(([name, { type }]) => {
      const kinds = [type.parameters.map((parameter) => kindOf(parameter.type)), kindOf(type.returns), type.isVariadic];
      return `${name}: ${JSON.stringify(kinds)}`;
    });
  } catch (error) {
    assert.match(error.message, /cannot be passed by value/);
    return undefined;
  }
}

test(`the compiler reads random declarations as the run time does (PINNED_FFI_TEST_SEED=${SEED})`, () => {
  let code = `
    import type { SymbolsOf } from './types/cdef/sources.js';
    import type { AggregateType, FunctionType, OpaqueType, PointerType } from './types/declared.js';
    ${KINDS}`;
  let count = 0;
  for (let id = 0; id < byScale(40, 600); id += 1) {
    const { text } = makeDeclarations(SEED, id);
    const scope = new Parser(text, new Scope(), measure).parse();
    const expected = kindsIn(scope);
    if (expected === undefined) continue;
    count += expected.length;
    code += `
      declare const kinds${id}: { [K in keyof SymbolsOf<${JSON.stringify(text)}>]: KindsOfFunction<SymbolsOf<${JSON.stringify(text)}>[K]> };
      const expected${id}: { ${expected.join('; ')} } = kinds${id};`;
  }
  fs.symlinkSync(path.join(root, 'types'), path.join(folder, 'types'), 'junction');
  compile('random.mts', code);
  assert.ok(count > byScale(80, 1200), `${count} functions`);
});

describe('names of types are the same at run time and in the declarations', () => {
  const declarations = fs.readFileSync(path.join(root, 'types', 'cdef', 'words.d.ts'), 'utf8');
  const withoutComments = declarations.replace(/\/\*\*[^]*?\*\/|\/\/.*/g, '');

  /** The members of an interface: name -> type. */
  function membersOf(name) {
    const [, body] = new RegExp(`interface ${name} \\{([^]*?)\\n\\}`).exec(withoutComments);
    return new Map([...body.matchAll(/(\w+): ((?:[^;'<]|'[^']*'|<'[^']*'>)+);/g)].map(([, key, type]) => [key, type]));
  }

  /** The texts of a union of texts, without those of other unions in it. */
  function textsOf(name) {
    const [, body] = new RegExp(`type ${name} =([^]*?);`).exec(withoutComments);
    return [...body.matchAll(/'([^']*)'/g)].map(([, text]) => text).filter((text) => text !== '');
  }

  const sorted = (values) => [...values].sort();

  test(
    'the names that need no declaration stand for the same at run time and in the declarations',
    { skip: onlyOn('linux') },
    () => {
      const known = membersOf('Known');
      assert.deepEqual(sorted(known.keys()), sorted([...names.KNOWN.keys(), ...names.HIDDEN]));
      assert.deepEqual(sorted(membersOf('Outermost').keys()), sorted(names.OPAQUE));
      for (const [name, type] of names.KNOWN) {
        const declared = known.get(name);
        // These differ by platform; the declarations have the common part.
        if (/^'[iu]64_fast'$/.test(declared)) continue;
        const [, pointee] = /^(\w+) \*$/.exec(type) ?? [];
        const inC =
          { cstring: 'const char', utf16: 'const char16_t', 'void *': 'void' }[type] ?? names.KNOWN.get(pointee ?? '');
        assert.equal(declared, inC === undefined ? `'${type}'` : `To<'${inC}'>`, name);
      }
      for (const name of names.HIDDEN) assert.equal(known.get(name), `Tag<'${name}'>`);
    },
  );

  test('the words around types are the same at run time and in the declarations', () => {
    const { ARITHMETIC, ARITHMETICS, CONVENTIONS, QUALIFIERS, REFUSED, SPELLINGS, STORAGE } = names;
    assert.deepEqual(sorted(textsOf('Convention')), sorted(CONVENTIONS));
    assert.deepEqual(sorted([...textsOf('Qualifier'), ...textsOf('PlainQualifier')]), sorted(QUALIFIERS));
    assert.deepEqual(sorted(textsOf('Unsupported')), sorted(names.UNSUPPORTED));
    assert.deepEqual(sorted(textsOf('TypeOf')), sorted(names.TYPE_OF));
    assert.deepEqual(sorted(textsOf('Skipped')), sorted([...STORAGE, '"C"', '"C++"', 'typedef']));
    assert.deepEqual(sorted(textsOf('Arithmetic')), sorted(ARITHMETIC));
    assert.deepEqual(
      Object.fromEntries(membersOf('Spellings')),
      Object.fromEntries(Object.entries(SPELLINGS).map(([key, word]) => [key, `'${word}'`])),
    );
    assert.deepEqual(membersOf('Refused'), new Map([...REFUSED].map(([key, why]) => [key, `'${why}'`])));
    const [, body] = /interface Arithmetics \{([^]*?)\n\}/.exec(withoutComments);
    const signs = new Map([...membersOf('Signs')].map(([key, type]) => [key, type.slice(1, -1)]));
    const results = new Set([...body.matchAll(/': '([^']*)'/g)].map(([, type]) => signs.get(type) ?? type));
    assert.deepEqual(sorted(results), sorted(new Set(ARITHMETICS.values())));
  });

  test('C text means the same in pinned-ffi/koffi', () => {
    for (const [name, type] of names.KNOWN) {
      // koffi's 64-bit integers are numbers as they are.
      if (type.includes('*') || type.endsWith('_number') || ['void', 'function', 'cstring', 'utf16'].includes(type))
        continue;
      const { size, alignment } = koffi.type(name);
      assert.deepEqual([size, alignment], [main.sizeof(name), main.alignof(name)], name);
    }
  });
});
