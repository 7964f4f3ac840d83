'use strict';
// The codes of lib/errors.js, src/error.rs, docs/errors.md and index.d.ts are one list, and describe() is safe.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { root } = require('../helpers.js');
const { TABLE, makeError, describe: show } = require('../../lib/errors.js');

const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const CODE = /\bERR_[A-Z][A-Z_]*[A-Z]\b/g;
const codesIn = (text) => [...new Set(text.match(CODE) ?? [])].sort();
const table = Object.keys(TABLE).sort();

/** The arms of the match of a function of src/error.rs: the variants before the arrow, and what is after it. */
function armsOf(name) {
  const source = textOf('src/error.rs')
    .split(`pub fn ${name}(`)[1]
    .split(/^ {4}}$/m)[0];
  return source
    .split(/^ {12}(?=Self::|_ =>)/m)
    .slice(1)
    .map((arm) => {
      const [head, ...body] = arm.split('=>');
      return {
        variants: head.startsWith('_') ? ['_'] : [...head.matchAll(/Self::(\w+)/g)].map(([, variant]) => variant),
        body: body.join('=>'),
      };
    });
}

/** The sources of the package, JavaScript and Rust, as paths from the root. */
const sourceFiles = () => ['lib', 'src'].flatMap(filesIn);

/** Node 20.0 cannot list folders of folders by itself. */
const filesIn = (folder) =>
  fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesIn(file);
    return /\.(js|rs)$/.test(file) ? [file] : [];
  });

describe('the table of errors', () => {
  test('docs/errors.md explains every code, and no other', () => {
    const explained = textOf('docs/errors.md');
    assert.deepEqual(codesIn(explained), table);
  });

  test('docs/errors.md gives every code the class it has', () => {
    const lines = textOf('docs/errors.md').split('\n');
    for (const [code, Class] of Object.entries(TABLE)) {
      const line = lines.find((text) => text.includes(`\`${code}\``) && /\b(Type|Range)?Error\b/.test(text));
      assert.ok(line !== undefined, `no line of docs/errors.md names ${code} and its class`);
      assert.equal(line.match(/\b(?:Type|Range)?Error\b/)[0], Class.name, code);
    }
  });

  test('index.d.ts declares every code, and no other', () => {
    const declared = textOf('index.d.ts').match(/type \w*Code\w* =\s*((?:\s*\/\*\*[^]*?\*\/|\s*\|?\s*'[A-Z_]+')+)/);
    assert.ok(declared !== null, 'index.d.ts has no union type of the codes');
    assert.deepEqual(codesIn(declared[1].replace(/\/\*\*[^]*?\*\//g, '')), table);
    for (const code of codesIn(textOf('index.d.ts'))) assert.ok(table.includes(code), code);
  });

  test('src/error.rs throws only codes of the table, each with its class', () => {
    const arms = armsOf('code');
    const classes = new Map(
      armsOf('class').flatMap(({ variants, body }) =>
        variants.map((variant) => [variant, body.match(/Class::(\w+)/)[1]]),
      ),
    );
    assert.ok(arms.length > 3, 'no codes were found in src/error.rs');
    for (const { variants, body } of arms) {
      assert.ok(codesIn(body).length > 0, `no code for ${variants}`);
      for (const code of codesIn(body)) {
        assert.ok(Object.hasOwn(TABLE, code), `${code} is not in lib/errors.js`);
        for (const variant of variants)
          assert.equal(classes.get(variant) ?? classes.get('_'), TABLE[code].name, `the class of ${variant}`);
      }
    }
  });

  test('every code that lib/ or src/ mentions is in the table', () => {
    for (const file of sourceFiles()) {
      for (const code of codesIn(textOf(file)).filter((found) => /^ERR_(FFI|INVALID|OUT)_/.test(found))) {
        assert.ok(table.includes(code), `${code} in ${file}`);
      }
    }
  });

  test('every code of the table is thrown somewhere', () => {
    const sources = sourceFiles()
      .filter((file) => file !== 'lib/errors.js')
      .map(textOf);
    // Made by the helpers of lib/errors.js under names of their own, or kept for the fences of a later version.
    const elsewhere = [
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_OUT_OF_RANGE',
      'ERR_FFI_CALL_FAILED',
      'ERR_FFI_BUFFER_OVERFLOW',
      'ERR_FFI_BUFFER_UNDERFLOW',
    ];
    for (const code of table.filter((name) => !elsewhere.includes(name))) {
      assert.ok(
        sources.some((text) => text.includes(code)),
        `${code} is thrown nowhere`,
      );
    }
  });

  test('only lib/errors.js makes errors', () => {
    for (const file of filesIn('lib').filter((name) => name !== 'lib/errors.js')) {
      const made = textOf(file).match(/\bnew (?:\w*Error)\(/);
      assert.equal(made, null, `${file} makes an error itself`);
    }
  });

  test('codes are ERR_FFI_ names, or those of Node for arguments, libraries and permissions', () => {
    for (const code of table)
      assert.match(
        code,
        /^ERR_(FFI_[A-Z]+(_[A-Z]+)*|INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE|DLOPEN_FAILED|ACCESS_DENIED)$/,
      );
  });
});

describe('makeError', () => {
  test('makeError() makes an error of the class of its code, with the code and the properties', () => {
    for (const [code, Class] of Object.entries(TABLE)) {
      const error = makeError(code, 'the message', { tried: [1] });
      assert.equal(Object.getPrototypeOf(error), Class.prototype);
      assert.equal(error.code, code);
      assert.equal(error.message, 'the message');
      assert.deepEqual(error.tried, [1]);
    }
  });
});

describe('describe', () => {
  test('describe() says what a value is', () => {
    for (const [value, expected] of [
      [undefined, 'undefined'],
      [null, 'null'],
      [7, '7'],
      [-0, '-0'],
      [NaN, 'NaN'],
      [7n, '7n'],
      ['x', "the string 'x'"],
      [true, 'the boolean true'],
      [Symbol('s'), 'the symbol Symbol(s)'],
      [() => 1, 'a function'],
      [Buffer.alloc(3), 'a Buffer of 3 bytes'],
      [new Uint8Array(2), 'a Uint8Array of 2 bytes'],
      [new Int32Array(2), 'an Int32Array of 8 bytes'],
      [new DataView(new ArrayBuffer(5)), 'a DataView of 5 bytes'],
    ])
      assert.equal(show(value), expected);
  });

  test('describe() is short, whatever the value', () => {
    const values = [
      'x'.repeat(1e6),
      Symbol('x'.repeat(1e6)),
      10n ** 10000n,
      Array(1e5).fill(1),
      { ['k'.repeat(1e6)]: 1 },
      Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i])),
      new Map(Array.from({ length: 1e4 }, (_, i) => [i, i])),
      new Set(Array.from({ length: 1e4 }, (_, i) => i)),
      new ArrayBuffer(1e6),
      new Error('x'.repeat(1e6)),
    ];
    for (const value of values) {
      const text = show(value);
      assert.ok(text.length < 1000, `${text.length} characters for ${text.slice(0, 60)}`);
    }
  });

  let ran;
  const run = (what) => () => {
    ran.push(what);
    throw new Error(`${what} ran`);
  };
  const everyTrap = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, run(trap)]));
  const withGetter = (object, key, what = String(key)) =>
    Object.defineProperty(object, key, { get: run(what), configurable: true });
  const named = (key) => {
    class Named {}
    withGetter(Named, key, `static ${String(key)}`);
    return new Named();
  };
  const hostile = {
    'an object with a toString': {
      toString: run('toString'),
      valueOf: run('valueOf'),
      [Symbol.toPrimitive]: run('toPrimitive'),
    },
    'an object with a custom inspect': { [Symbol.for('nodejs.util.inspect.custom')]: run('inspect') },
    'an object with getters': withGetter({}, 'getter'),
    'an object with a toStringTag getter': withGetter({}, Symbol.toStringTag),
    'an object with a constructor getter': withGetter({}, 'constructor'),
    'an object of a class whose name is a getter': named('name'),
    'an object of a class with its own instanceof': named(Symbol.hasInstance),
    'an array with a getter': withGetter([], 0),
    'an array with a length-like getter': withGetter([1], 'extra'),
    'a proxy': new Proxy({}, everyTrap),
    'a proxy of a function': new Proxy(() => 1, everyTrap),
    'a proxy of an array': new Proxy([], everyTrap),
    'an object whose prototype is a proxy': Object.create(new Proxy({}, everyTrap)),
    'a view with own getters': ['byteLength', 'constructor', 'length', 'buffer'].reduce(
      (view, key) => withGetter(view, key),
      new Uint8Array(4),
    ),
    'a view with a toStringTag getter': withGetter(new Uint8Array(4), Symbol.toStringTag),
    'a view whose prototype is a proxy': Object.setPrototypeOf(
      new Uint8Array(4),
      new Proxy(Uint8Array.prototype, everyTrap),
    ),
    'a DataView with own getters': withGetter(new DataView(new ArrayBuffer(4)), 'byteLength'),
    'a function with a name getter': withGetter(() => 1, 'name'),
    'an error with a stack getter': withGetter(withGetter(withGetter(new Error('x'), 'stack'), 'message'), 'name'),
    "a map whose iterator is the user's": withGetter(withGetter(new Map([[1, 2]]), Symbol.iterator), 'size'),
    'a date with a toISOString': Object.defineProperty(new Date(0), 'toISOString', { value: run('toISOString') }),
    'a boxed string with a toString': Object.assign(Object('x'), { toString: run('toString') }),
    'a regular expression with its own source': withGetter(withGetter(/x/, 'source'), 'flags'),
    'a promise with a then': withGetter(Promise.resolve(), 'then'),
  };

  for (const [name, value] of Object.entries(hostile)) {
    test(`describe() runs no code of ${name}`, () => {
      ran = [];
      let text;
      let thrown;
      try {
        text = show(value);
      } catch (error) {
        thrown = error;
      }
      const seen = [...ran];
      assert.equal(thrown, undefined);
      assert.deepEqual(seen, []);
      assert.equal(typeof text, 'string');
    });
  }

  test('describe() describes detached and revoked values', () => {
    const view = new Uint8Array(8);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    assert.match(show(view), /Uint8Array/);
    const dataView = new DataView(new ArrayBuffer(8));
    structuredClone(dataView.buffer, { transfer: [dataView.buffer] });
    assert.match(show(dataView), /DataView/);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.equal(typeof show(proxy), 'string');
    assert.equal(typeof show(Object.create(null)), 'string');
  });
});
