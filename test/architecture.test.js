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
  entries: ['main', 'bun/main', 'bun/hook', 'copies', 'late', 'engine'],
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

// Folder of src/ (or file, where it lies beside the folders) -> the folders that it may use.
const RUST = {
  node: ['v8', 'call', 'callback', 'threads', 'abi', 'loader', 'memory', 'error', 'sync', 'trace'],
  v8: ['call', 'abi', 'loader', 'memory'],
  call: ['abi', 'loader', 'memory'],
  callback: ['abi', 'memory', 'error'],
  threads: ['loader', 'memory', 'sync'],
  abi: ['memory', 'error'],
  loader: ['memory', 'error'],
  memory: ['error', 'sync'],
  error: [],
  sync: [],
  trace: [],
};

// Crate -> where it may be used.
const CRATES = {
  napi: /^node\//,
  napi_derive: /^node\//,
  libffi: /^(abi\/(ctype|layout|signature)|call\/invoke|callback\/closure)\.rs$/,
  libloading: /^loader\/(library|instances)\.rs$/,
  dynasmrt: /^v8\/trampoline\.rs$/,
  object: /^loader\/(preflight|inspect|interpose)\.rs$/,
};

// The only files that may lift the ban on unsafe code.
const UNSAFE =
  /^(abi\/(layout|signature)|loader\/(instances|interpose|library)|memory\/[\w/]+|call\/\w+|callback\/\w+|threads\/(exit|models)|v8\/\w+|trace\/\w+|node\/[\w/]+)\.rs$/;

// ---- lib/ -----------------------------------------------------------------------------------------------------------

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const withoutComments = (text) => text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const libFiles = fs
  .readdirSync(path.join(root, 'lib'), { recursive: true })
  .map((name) => name.split(path.sep).join('/'))
  .filter((name) => /\.js$/.test(name))
  .map((name) => name.replace(/\.\w+$/, ''));

const ENTRIES = ['index', 'bun'];
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
const rustOf = (name) =>
  /(^|\/)tests\.rs$/.test(name) ? '' : withoutComments(read(`src/${name}`)).split(/#\[cfg\((?:test|all\(test,[^\]]*)\)\]\s*mod /)[0];

/** The folder of a file of src/; a file that lies beside the folders stands for itself. */
const folderOf = (name) => name.split('/')[0].replace(/\.rs$/, '');

/** `memory/fence/mod.rs` -> `memory::fence`. */
const moduleOf = (name) => name.replace(/(\/mod)?\.rs$/, '').replaceAll('/', '::');

const fileOfModule = new Map(rustFiles.map((name) => [moduleOf(name), name]));

/** The paths of a `use` tree, or of a path in an expression: `a::{b, c::{d, e}}` -> `a::b`, `a::c::d`, `a::c::e`. */
function expandTree(text) {
  const open = text.indexOf('{');
  if (open === -1) return [text.trim().replace(/\s+as\s+\w+$/, '').replace(/::(self|\*)$/, '')];
  const parts = [''];
  let depth = 0;
  for (const letter of text.slice(open + 1, text.lastIndexOf('}'))) {
    depth += letter === '{' ? 1 : letter === '}' ? -1 : 0;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.filter((part) => part.trim() !== '').flatMap((part) => expandTree(text.slice(0, open).trim() + part.trim()));
}

/** The files of src/ that a file names by a path from the crate's root, or from its own folder. */
function rustUses(name) {
  const text = rustOf(name);
  const trees = [...text.matchAll(/\buse\s+((?:crate|super)\b[^;]*);/g)].map(([, tree]) => tree);
  const paths = [...text.replace(/\buse\s[^;]*;/g, '').matchAll(/(?<![\w:])(?:crate|super)(?:::\w+)+/g)].map(([found]) => found);
  const used = [...trees.flatMap(expandTree), ...paths].map((found) => {
    let base = moduleOf(name).split('::');
    let rest = found.split('::');
    if (rest[0] === 'crate') [base, rest] = [[], rest.slice(1)];
    while (rest[0] === 'super') [base, rest] = [base.slice(0, -1), rest.slice(1)];
    for (let path = [...base, ...rest]; path.length > 0; path = path.slice(0, -1)) {
      const file = fileOfModule.get(path.join('::'));
      if (file !== undefined) return file;
    }
    return undefined;
  });
  return [...new Set(used)].filter((file) => file !== undefined && file !== name);
}

/** The circles of a graph: its strongly connected components of more than one node (Tarjan). */
function findCircles(nodes, edgesOf) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const circles = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of edgesOf(node)) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return circles;
}

describe('src/', () => {
  test('lib.rs is a map of modules and lints, nothing else', () => {
    const rest = rustOf('lib.rs')
      .replace(/^\s*(#!\[[^\]]*\]|(pub(\([^)]*\))? )?mod \w+;|#\[[^\]]*\])\s*$/gm, '')
      .replace(/#!\[[^]*?\)\]/g, '');
    assert.equal(rest.trim(), '');
  });

  for (const name of rustFiles.filter((file) => file !== 'lib.rs')) {
    test(`src/${name} uses only the folders it may`, () => {
      const folder = folderOf(name);
      assert.ok(Object.hasOwn(RUST, folder), `src/${name} is not in the table of test/architecture.test.js`);
      for (const used of rustUses(name)) {
        const other = folderOf(used);
        assert.ok(other === folder || RUST[folder].includes(other), `src/${name} may not use src/${used}`);
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

  test('the table has no circles, and nothing that the code does not use', () => {
    assert.deepEqual(findCircles(Object.keys(RUST), (folder) => RUST[folder]), []);
    for (const [folder, allowed] of Object.entries(RUST)) {
      const used = rustFiles.filter((name) => folderOf(name) === folder).flatMap(rustUses).map(folderOf);
      assert.deepEqual(allowed.filter((other) => !used.includes(other)), [], `of the row of ${folder}`);
    }
  });

  test('the files have no circles', () => {
    assert.deepEqual(findCircles(rustFiles, rustUses), []);
  });

  test('only src/v8/symbols.rs names functions of V8 and Node', () => {
    const others = rustFiles.filter((name) => name !== 'v8/symbols.rs' && /_Z[NKT]|@v8@@/.test(rustOf(name)));
    assert.deepEqual(others, []);
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
