'use strict';
// Who may import whom. Downwards only, no circles; a new file needs a row here.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { root } = require('./helpers.js');

// ---- the allowed imports --------------------------------------------------------------------------------------------

// File of lib/ -> the files of lib/ it may require. Every file may also require errors and what Node has built in.
const JS = {
  index: ['entries'],
  bun: ['entries'],
  koffi: ['entries'],
  entries: ['main', 'bun/main', 'bun/hook', 'koffi/main', 'copies', 'late', 'engine'],
  main: [
    'errno', 'fence', 'library', 'callback', 'pointer', 'cstring', 'struct', 'reference', 'enumeration', 'opaque', 'fn',
    'cc', 'pin', 'platform', 'types', 'late',
  ],
  'bun/main': ['bun/library', 'bun/callback', 'bun/memory', 'bun/cstring', 'bun/native', 'fence', 'platform', 'types'],
  'bun/native': ['bun/library'],
  'bun/library': ['bun/declaration', 'bun/words', 'cc', 'library', 'late'],
  'bun/callback': ['bun/declaration', 'bun/words', 'callback'],
  'bun/cstring': ['bun/memory', 'cstring'],
  'bun/memory': ['bun/words', 'pointer'],
  'bun/declaration': ['bun/types', 'bun/words'],
  'bun/types': ['bun/words', 'declared', 'types'],
  'bun/words': [],
  'bun/hook': [],
  'koffi/main': ['koffi/callback', 'koffi/decode', 'koffi/library', 'koffi/make', 'koffi/memory', 'koffi/primitives', 'koffi/record', 'koffi/system', 'koffi/type', 'fence'],
  'koffi/library': ['koffi/function', 'koffi/make', 'koffi/system', 'koffi/words', 'library'],
  'koffi/memory': ['koffi/callback', 'koffi/decode', 'koffi/encode', 'koffi/make', 'koffi/pass', 'koffi/type', 'koffi/words', 'frame', 'library', 'memory', 'pointer'],
  'koffi/callback': ['koffi/decode', 'koffi/encode', 'koffi/function', 'koffi/make', 'koffi/pass', 'koffi/type', 'callback', 'library'],
  'koffi/system': ['koffi/decode', 'koffi/type', 'library', 'platform', 'pointer'],
  'koffi/function': ['koffi/encode', 'koffi/make', 'koffi/pass', 'koffi/scratch', 'koffi/words', 'kept'],
  'koffi/pass': ['koffi/decode', 'koffi/encode', 'koffi/record', 'koffi/scratch', 'koffi/type', 'declared', 'fn', 'types'],
  'koffi/encode': ['koffi/decode', 'koffi/scratch', 'koffi/type', 'memory', 'types'],
  'koffi/scratch': ['memory', 'pointer'],
  'koffi/decode': ['koffi/make', 'koffi/type', 'memory', 'types'],
  'koffi/record': ['koffi/make', 'koffi/type', 'struct'],
  'koffi/make': ['koffi/primitives', 'koffi/text', 'koffi/type', 'types'],
  'koffi/text': ['koffi/primitives', 'koffi/type', 'cdef/declarator', 'cdef/fault', 'cdef/parser', 'cdef/scope', 'cdef/specifiers'],
  'koffi/primitives': ['koffi/type', 'declared', 'types'],
  'koffi/type': [],
  'koffi/words': [],
  cache: ['platform'],
  cc: ['cache', 'library', 'search', 'platform', 'options', 'late'],
  errno: ['binding'],
  lifetime: [],
  late: [],
  library: ['late', 'addon', 'lifetime', 'call', 'trace', 'global', 'owned', 'search', 'settings', 'options', 'types', 'memory', 'binding', 'locate'],
  global: ['view', 'types', 'memory'],
  owned: ['call', 'declared', 'options', 'types'],
  fn: ['call', 'closure', 'lifetime', 'marshal', 'declared', 'kept', 'options', 'types', 'binding'],
  call: ['late', 'around', 'lane', 'trace', 'settings', 'pending', 'marshal', 'types', 'binding'],
  around: ['outs', 'variadic', 'opaque', 'marshal', 'types'],
  pending: ['kept', 'marshal', 'pin', 'binding', 'context', 'frame', 'handler', 'inline', 'results', 'memory'],
  pin: ['engine', 'memory', 'binding'],
  outs: ['after', 'aggregate', 'kept', 'memory'],
  after: [],
  variadic: ['types'],
  opaque: ['after', 'declared', 'options', 'types', 'binding'],
  enumeration: ['declared', 'options', 'types'],
  reference: ['declared', 'types', 'memory'],
  exit: ['binding'],
  closure: ['engine', 'verified', 'exit', 'memory', 'binding', 'frame'],
  callback: ['closure', 'marshal', 'options', 'types', 'memory', 'binding', 'context'],
  struct: ['aggregate', 'view', 'declared', 'options', 'types', 'memory', 'binding', 'frame'],
  view: ['aggregate', 'kept', 'types', 'memory'],
  aggregate: ['inline', 'memory'],
  declared: ['types'],
  cstring: ['pointer', 'memory'],
  pointer: ['read', 'types', 'memory'],
  read: ['inline', 'lane', 'settings', 'memory', 'binding'],
  contract: ['types', 'memory', 'options'],
  lane: ['engine', 'verified', 'settings', 'types', 'memory', 'binding', 'frame', 'inline'],
  marshal: ['late', 'settings', 'contract', 'kept', 'types', 'memory', 'binding', 'frame', 'handler', 'inline', 'result-source'],
  'result-source': ['frame', 'inline'],
  types: ['wrapped', 'memory', 'inline'],
  wrapped: [],
  trace: ['settings', 'binding'],
  settings: [],
  engine: ['platform'],
  verified: ['binding', 'engine', 'settings'],
  memory: ['engine', 'verified', 'settings', 'kept', 'binding', 'options', 'frame'],
  fence: ['engine', 'settings', 'memory', 'binding'],
  context: ['engine'],
  handler: ['context', 'frame', 'inline', 'kept', 'memory', 'results', 'binding'],
  results: ['frame'],
  inline: ['frame'],
  frame: [],
  binding: ['copies'],
  copies: ['addon'],
  addon: ['platform'],
  locate: ['search', 'binding'],
  search: ['platform'],
  kept: [],
  options: [],
  platform: [],
  errors: [],
};

// File of cli/ -> the files of cli/ it may require, and those of lib/ (`lib/...`), the package (`index`) and its manifest.
const CLI = {
  main: ['info', 'doctor', 'bind', 'build', 'package'],
  build: ['usage', 'scripts/build'],
  info: ['table', 'usage', 'lib/search', 'lib/locate'],
  doctor: ['table', 'usage', 'doctor/tests', 'index', 'lib/binding', 'lib/lane', 'lib/platform', 'package'],
  'doctor/tests': ['index'],
  bind: ['progress', 'usage', 'bind/clang', 'bind/module', 'package'],
  'bind/module': [
    'bind/declarations', 'bind/emit', 'bind/entities', 'bind/left-out', 'bind/macros', 'bind/names', 'bind/probe',
    'bind/resolve', 'bind/target', 'bind/text', 'bind/types', 'bind/validate', 'info', 'table', 'usage', 'index',
  ],
  'bind/clang': ['usage'],
  'bind/declarations': ['bind/syntax'],
  'bind/emit': ['bind/check', 'bind/layout', 'bind/names', 'bind/text'],
  'bind/entities': ['bind/comments', 'bind/declarations'],
  'bind/layout': ['bind/macros', 'bind/types'],
  'bind/left-out': ['bind/text'],
  'bind/macros': ['usage'],
  'bind/resolve': ['bind/comments', 'bind/layout', 'bind/macros', 'bind/types'],
  'bind/target': ['usage', 'lib/locate'],
  'bind/validate': ['bind/layout', 'bind/types'],
  'bind/check': [],
  'bind/comments': [],
  'bind/text': [],
  'bind/names': [],
  'bind/probe': [],
  'bind/syntax': [],
  'bind/types': [],
  progress: [],
  table: [],
  usage: [],
};

// Room of src/ -> the rooms it may use. js/ and memory/ are one room each.
const RUST = {
  js: [
    'bound', 'copies', 'exit', 'image', 'inspect', 'interpose', 'trace', 'wakers', 'pool', 'queue', 'jobs', 'sync', 'library', 'call', 'closure', 'fast', 'signature', 'sysv',
    'layout', 'memory',
    'ctype', 'error',
  ],
  fast: ['bound', 'sysv', 'library', 'memory'],
  bound: ['library', 'memory'],
  call: ['signature', 'sysv', 'memory', 'ctype', 'error'],
  closure: ['signature', 'sysv', 'thunk', 'memory', 'ctype', 'error'],
  thunk: ['sysv', 'memory', 'layout', 'ctype'],
  library: ['memory', 'error'],
  copies: [],
  exit: ['library'],
  image: [],
  interpose: [],
  inspect: ['error'],
  models: ['sync', 'pool', 'queue', 'jobs', 'library', 'memory'],
  queue: ['sync', 'memory'],
  jobs: ['sync'],
  pool: ['sync'],
  signature: ['sysv', 'layout', 'memory', 'ctype', 'error'],
  sysv: ['layout', 'memory', 'ctype'],
  sync: [],
  trace: [],
  layout: ['ctype', 'error'],
  memory: ['ctype', 'error', 'wakers'],
  wakers: [],
  ctype: ['error'],
  error: [],
};

// Crate -> where it may be used.
const CRATES = {
  napi: /^(js\/\w+|memory\/pin|memory\/view)\.rs$/,
  napi_derive: /^(js\/\w+|memory\/pin|memory\/view)\.rs$/,
  libffi: /^(ctype|layout|signature|call|closure)\.rs$/,
  libloading: /^(library|copies)\.rs$/,
  dynasmrt: /^fast\/trampoline\.rs$/,
  object: /^(image|inspect|interpose)\.rs$/,
};

// The only files that may lift the ban on unsafe code.
const UNSAFE =
  /^(memory\/\w+|bound|copies|layout|call|closure|exit|interpose|library|models|signature|sysv|thunk|fast\/\w+|trace\/\w+|js\/\w+)\.rs$/;

// ---- lib/ -----------------------------------------------------------------------------------------------------------

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const withoutComments = (text) => text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const libFiles = fs
  .readdirSync(path.join(root, 'lib'), { recursive: true })
  .map((name) => name.split(path.sep).join('/'))
  .filter((name) => /\.js$/.test(name))
  .map((name) => name.replace(/\.\w+$/, ''));

const ENTRIES = ['index', 'bun', 'koffi'];
const fileOf = (name) => (ENTRIES.includes(name) ? `${name}.js` : `lib/${name}.js`);

/** The name in the table of a file of lib/. */
const partOf = (file) => file.replace(/^lib\//, '').replace(/\.js$/, '');

/** What a JS file requires: names of lib/ and names of Node's own. */
function requiresOf(file) {
  const own = [];
  const builtin = [];
  for (const [, , name] of withoutComments(read(file)).matchAll(/(?:require|import)\s*\(\s*(['"`])([^'"`]+)\1\s*\)/g)) {
    if (name.startsWith('.')) own.push(partOf(path.posix.join(path.posix.dirname(file), name)));
    else builtin.push(name);
  }
  return { own, builtin };
}

describe('lib/', () => {
  test('every file has a row in the table', () => {
    for (const name of libFiles)
      assert.ok(Object.hasOwn(JS, name), `lib/${name}.js is not in the table of test/architecture.test.js`);
  });

  for (const name of [...ENTRIES, ...libFiles]) {
    const file = fileOf(name);

    test(`${file} requires only what it may`, () => {
      const { own, builtin } = requiresOf(file);
      for (const wanted of own) {
        assert.ok(wanted === 'errors' || JS[name].includes(wanted), `${file} may not require ${wanted}`);
      }
      for (const wanted of builtin)
        assert.match(wanted, /^node:/, `${file} requires ${wanted}: no dependency, and node: spelt out`);
    });
  }

  test('the table and the files have no circles', () => {
    for (const edgesOf of [
      (name) => JS[name] ?? [],
      (name) => (libFiles.includes(name) ? requiresOf(`lib/${name}.js`).own : []),
    ]) {
      const visit = (name, trail) => {
        assert.ok(!trail.includes(name), `a circle: ${[...trail, name].join(' -> ')}`);
        for (const next of edgesOf(name)) visit(next, [...trail, name]);
      };
      for (const name of Object.keys(JS)) visit(name, []);
    }
  });

  test('only lib/addon.js loads native code', () => {
    for (const name of libFiles.filter((file) => file !== 'addon')) {
      assert.doesNotMatch(
        withoutComments(read(`lib/${name}.js`)),
        /process\.dlopen|\.node['"`]|createRequire/,
        `lib/${name}.js`,
      );
    }
  });

  for (const entry of ENTRIES) {
    test(`${entry}.mjs only passes on ${entry}.js, all of it`, () => {
      const froms = [...read(`${entry}.mjs`).matchAll(/from\s+'([^']+)'/g)].map(([, from]) => from);
      assert.deepEqual([...new Set(froms)], [`./${entry}.js`]);
      const names = read(`${entry}.mjs`).match(/\{([^}]*)\}/)[1].split(',').map((name) => name.trim()).filter(Boolean);
      assert.deepEqual(names.sort(), Object.keys(require(`../${entry}.js`)).sort());
    });
  }
});

// ---- cli/ -----------------------------------------------------------------------------------------------------------

/** The name of what a file of cli/ requires: of a file of cli/, `lib/...`, `index` or `package`. */
function cliName(file, wanted) {
  const place = path.relative(root, path.resolve(root, path.dirname(file), wanted)).split(path.sep).join('/');
  return place.replace(/^cli\//, '').replace(/\.(js|json)$/, '');
}

describe('cli/', () => {
  const files = fs.readdirSync(path.join(root, 'cli'), { recursive: true }).map(String)
    .filter((name) => name.endsWith('.js')).map((name) => name.split(path.sep).join('/').replace(/\.js$/, '')).sort();

  test('every file has a row in the table, and every row a file', () => {
    assert.deepEqual(files, Object.keys(CLI).sort());
  });

  const requiredBy = (name) => {
    const file = `cli/${name}.js`;
    const all = [...withoutComments(read(file)).matchAll(/require\(\s*'([^']+)'\s*\)/g)].map(([, wanted]) => wanted);
    return { own: all.filter((wanted) => wanted.startsWith('.')).map((wanted) => cliName(file, wanted)), others: all.filter((wanted) => !wanted.startsWith('.')) };
  };

  for (const name of files) {
    test(`cli/${name}.js requires only what it may, and loads no native code`, () => {
      const { own, others } = requiredBy(name);
      for (const wanted of own) assert.ok(CLI[name].includes(wanted), `cli/${name}.js may not require ${wanted}`);
      for (const wanted of others) assert.match(wanted, /^node:/, `cli/${name}.js requires ${wanted}`);
      assert.doesNotMatch(withoutComments(read(`cli/${name}.js`)), /process\.dlopen|createRequire/);
    });
  }

  test('the files have no circles, and nothing of the package requires them', () => {
    const visit = (name, trail) => {
      assert.ok(!trail.includes(name), `a circle: ${[...trail, name].join(' -> ')}`);
      for (const next of (CLI[name] ?? [])) if (Object.hasOwn(CLI, next)) visit(next, [...trail, name]);
    };
    files.forEach((name) => visit(name, []));
    for (const name of ['index', ...libFiles]) {
      assert.doesNotMatch(read(name === 'index' ? 'index.js' : `lib/${name}.js`), /\bcli\b\//);
    }
  });

  test('the program is one line over cli/main.js', () => {
    assert.deepEqual([...read('bin/pinned-ffi.js').matchAll(/require\('([^']+)'\)/g)].map(([, wanted]) => wanted), ['../cli/main']);
  });
});

// ---- src/ -----------------------------------------------------------------------------------------------------------

const rustFiles = fs
  .readdirSync(path.join(root, 'src'), { recursive: true })
  .map(String)
  .map((name) => name.split(path.sep).join('/'))
  .filter((name) => name.endsWith('.rs'))
  .sort();

/** The text of a Rust file without its comments and its unit tests. */
const rustOf = (name) => withoutComments(read(`src/${name}`)).split(/#\[cfg\(test\)\]\s*mod /)[0];

const roomOf = (name) => name.split('/')[0].replace(/\.rs$/, '');

/** The rooms a Rust file uses, by any path that begins at the crate. */
function roomsUsedBy(name) {
  const rooms = new Set();
  for (const [, grouped, single] of rustOf(name).matchAll(/\bcrate::(?:\{([^;]*)\}|(\w+))/g)) {
    if (single !== undefined) rooms.add(single);
    // The first name of every branch of a group: `crate::{a::b, c::{d, e}}`.
    else for (const [, first] of grouped.replace(/\{[^{}]*\}/g, '').matchAll(/(?:^|,)\s*(\w+)/g)) rooms.add(first);
  }
  return [...rooms];
}

describe('src/', () => {
  test('lib.rs is a map of modules and lints, nothing else', () => {
    const rest = rustOf('lib.rs')
      .replace(/^\s*(#!\[[^\]]*\]|(pub(\([^)]*\))? )?mod \w+;|#\[[^\]]*\])\s*$/gm, '')
      .replace(/#!\[[^]*?\)\]/g, '');
    assert.equal(rest.trim(), '');
  });

  for (const name of rustFiles.filter((file) => file !== 'lib.rs')) {
    test(`src/${name} uses only the rooms it may`, () => {
      const room = roomOf(name);
      assert.ok(Object.hasOwn(RUST, room), `src/${name} is not in the table of test/architecture.test.js`);
      for (const used of roomsUsedBy(name)) {
        assert.ok(used === room || RUST[room].includes(used), `src/${name} may not use crate::${used}`);
      }
    });

    test(`src/${name} uses only the crates it may`, () => {
      const text = rustOf(name);
      for (const [crate, allowed] of Object.entries(CRATES)) {
        if (new RegExp(`(^|[^\\w:])(::)?${crate}::|\\buse ${crate}\\b|#\\[${crate}\\b`, 'm').test(text)) {
          assert.match(name, allowed, `src/${name} may not use ${crate}`);
        }
      }
    });

    test(`src/${name} keeps to the rules of unsafe code`, () => {
      const text = rustOf(name);
      if (/\bunsafe\b/.test(text.replace(/unsafe_code|unsafe_op_in_unsafe_fn|undocumented_unsafe_blocks/g, ''))) {
        assert.match(name, UNSAFE, `src/${name} may not use unsafe`);
        assert.match(text, /#!?\[(?:expect|allow)\([^\]]*unsafe_code/, `src/${name} lifts the ban with a reason`);
      }
      assert.doesNotMatch(text, /(?<!')static mut\b/, `src/${name} has global mutable state`);
    });
  }

  test('the rooms have no circles', () => {
    const visit = (room, trail) => {
      assert.ok(!trail.includes(room), `a circle: ${[...trail, room].join(' -> ')}`);
      const files = rustFiles.filter((name) => roomOf(name) === room);
      const used = new Set(files.flatMap(roomsUsedBy).filter((other) => other !== room));
      for (const next of used) visit(next, [...trail, room]);
    };
    for (const room of Object.keys(RUST)) visit(room, []);
  });

  test('unsafe code is denied for the whole crate', () => {
    const manifest =
      read('Cargo.toml')
        .split(/^(?=\[)/m)
        .find((section) => section.startsWith('[lints.rust]')) ?? '';
    assert.match(`${read('src/lib.rs')}\n${manifest}`, /deny\([^)]*unsafe_code|^unsafe_code = "deny"/m);
    assert.match(
      `${read('src/lib.rs')}\n${manifest}`,
      /deny\([^)]*unsafe_op_in_unsafe_fn|^unsafe_op_in_unsafe_fn = "deny"/m,
    );
  });
});
