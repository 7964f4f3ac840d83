'use strict';
// Who may import whom. Downwards only, no circles; a new folder needs a row here.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { root } = require('../helpers.js');

// ---- the allowed imports --------------------------------------------------------------------------------------------

// Folder of the package's JavaScript -> the folders it may require. Each may also require its own files and what Node
// has built in. A file that is a row of its own is in no folder's reach unless a row names it.
const FOLDERS = {
  '.': ['lib/instance'],
  bin: ['cli'],
  cli: ['.', 'lib/native', 'lib/call', 'lib/library', 'scripts'],
  'lib/instance': ['lib/entries'],
  'lib/entries': ['lib/index', 'lib/bun', 'lib/koffi', 'lib/node-ffi', 'lib/native', 'lib/base'],
  'lib/index': [
    'lib/cc',
    'lib/library',
    'lib/isolate',
    'lib/cdef',
    'lib/callback',
    'lib/pointer',
    'lib/call',
    'lib/types',
    'lib/memory',
    'lib/native',
    'lib/base',
  ],
  'lib/bun': [
    'lib/cc',
    'lib/library',
    'lib/callback',
    'lib/pointer',
    'lib/types',
    'lib/memory',
    'lib/native',
    'lib/base',
  ],
  'lib/koffi': [
    'lib/library',
    'lib/cdef',
    'lib/callback',
    'lib/pointer',
    'lib/types',
    'lib/codegen',
    'lib/memory',
    'lib/native',
    'lib/base',
  ],
  'lib/node-ffi': ['lib/library', 'lib/callback', 'lib/pointer', 'lib/types', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/cc': ['lib/library', 'lib/cdef', 'lib/native', 'lib/base'],
  'lib/library': ['lib/isolate', 'lib/cdef', 'lib/call', 'lib/types', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/isolate': ['lib/call', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/cdef': ['lib/callback', 'lib/types', 'lib/memory', 'lib/base'],
  'lib/callback': ['lib/call', 'lib/types', 'lib/codegen', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/pointer': ['lib/cdef', 'lib/call', 'lib/types', 'lib/codegen', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/call': ['lib/types', 'lib/codegen', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/types': ['lib/codegen', 'lib/memory', 'lib/native', 'lib/base'],
  'lib/codegen': ['lib/memory', 'lib/base'],
  'lib/memory': ['lib/native', 'lib/base'],
  'lib/native': ['lib/base'],
  'lib/base': [],
};

// Files directly under lib/ that every other file may use.
const BASE = [
  'bounded-map',
  'late-map',
  'errors',
  'exact-numbers',
  'fast-properties',
  'posix-errors',
  'win32-errors',
  'validate',
  'lazy',
  'nearest',
  'location',
];

// Folder of src/ (or file, where it lies beside the folders) -> the folders that it may use.
const RUST = {
  node: [
    'v8',
    'isolate',
    'call',
    'callback',
    'threads',
    'abi',
    'loader',
    'memory',
    'errno',
    'error',
    'panics',
    'sync',
    'trace',
  ],
  v8: ['call', 'abi', 'loader', 'memory'],
  call: ['abi', 'loader', 'memory', 'errno', 'error'],
  callback: ['abi', 'memory', 'error', 'panics'],
  threads: ['loader', 'memory', 'sync'],
  abi: ['memory', 'error'],
  loader: ['memory', 'error'],
  memory: ['error', 'sync'],
  errno: [],
  error: [],
  panics: [],
  sync: [],
  trace: ['errno'],
  host: ['isolate', 'callback', 'call', 'abi', 'memory', 'errno', 'trace'],
  isolate: ['call', 'abi', 'memory', 'errno', 'error', 'sync'],
};

// Crate -> where it may be used.
const CRATES = {
  napi: /^node\//,
  napi_derive: /^node\/exports\//,
  libffi: /^(abi\/(ctype|layout|signature)|call\/invoke|callback\/closure)\.rs$/,
  libloading: /^loader\/(library|instances)\.rs$/,
  dlmalloc: /^host\/heap\/shard\.rs$/,
  object: /^loader\/(preflight|inspect|interpose|dynamic|exports)\.rs$/,
};

// The only files that may lift the ban on unsafe code.
const UNSAFE =
  /^(errno|abi\/(layout|signature)|loader\/(exports|instances|interpose|library|modules|symbol_size)|memory\/[\w/]+|call\/\w+|callback\/\w+|threads\/(exit|models)|v8\/\w+|trace\/\w+|host\/[\w/]+|isolate\/\w+|node\/[\w/]+)\.rs$/;

// ---- JavaScript -----------------------------------------------------------------------------------------------------

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const withoutComments = (text) => text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const filesIn = (folder) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => `${folder}/${String(name).split(path.sep).join('/')}`)
    .filter((name) => /\.m?js$/.test(name))
    .sort();

const ENTRIES = ['index', 'bun', 'koffi', 'node-ffi'];
const libFiles = filesIn('lib');
const jsFiles = [...ENTRIES.map((name) => `${name}.js`), ...filesIn('bin'), ...filesIn('cli'), ...libFiles];

/** The row of FOLDERS that a file belongs to. */
function folderOf(file) {
  const parts = file.replace(/\.m?js$/, '').split('/');
  if (parts[0] !== 'lib') return parts.length === 1 ? '.' : parts[0];
  if (parts.length > 2) return `lib/${parts[1]}`;
  return BASE.includes(parts[1]) ? 'lib/base' : `lib/${parts[1]}`;
}

/** What a JavaScript file requires: files of the package and modules of Node. */
function importsOf(file) {
  const own = [];
  const builtin = [];
  for (const [, , name] of withoutComments(read(file)).matchAll(/(?:require|import)\s*\(\s*(['"`])([^'"`]+)\1\s*\)/g)) {
    if (!name.startsWith('.')) builtin.push(name);
    else {
      const target = path.posix.join(path.posix.dirname(file), name);
      const isFile = (each) => fs.statSync(path.join(root, each), { throwIfNoEntry: false })?.isFile();
      own.push([target, `${target}.js`, `${target}/index.js`].find(isFile) ?? target);
    }
  }
  return { own, builtin };
}

const imports = new Map(jsFiles.map((file) => [file, importsOf(file)]));

/** Fails if following `edgesOf` from any of `names` leads back to where it was. */
function refuseCircles(names, edgesOf) {
  const done = new Set();
  const visit = (name, trail) => {
    assert.ok(!trail.includes(name), `a circle: ${[...trail, name].join(' -> ')}`);
    if (done.has(name)) return;
    for (const next of edgesOf(name)) visit(next, [...trail, name]);
    done.add(name);
  };
  for (const name of names) visit(name, []);
}

describe('JavaScript', () => {
  for (const [file, { own, builtin }] of imports) {
    test(`${file} requires only what its folder may`, () => {
      const folder = folderOf(file);
      assert.ok(
        Object.hasOwn(FOLDERS, folder),
        `${file}: the folder is not in the table of test/repository/architecture.test.js`,
      );
      for (const target of own) {
        if (/^package\.json$/.test(target)) continue;
        assert.ok(fs.existsSync(path.join(root, target)), `${file} requires ${target}, which is not there`);
        const other = folderOf(target);
        assert.ok(other === folder || FOLDERS[folder].includes(other), `${file} may not require ${target}`);
      }
      for (const name of builtin)
        assert.match(name, /^node:/, `${file} requires ${name}: no dependency, and node: spelt out`);
    });
  }

  test('files import each other without circles', () => {
    refuseCircles(imports.keys(), (file) => imports.get(file)?.own ?? []);
  });

  test('folders import each other without circles, in the table and in the files', () => {
    refuseCircles(Object.keys(FOLDERS), (folder) => FOLDERS[folder] ?? []);
    const used = (folder) =>
      [...imports]
        .filter(([file]) => folderOf(file) === folder)
        .flatMap(([, { own }]) => own.map(folderOf))
        .filter((other) => other !== folder);
    refuseCircles(Object.keys(FOLDERS), used);
  });

  test('the table allows no more than the files use', () => {
    for (const [folder, allowed] of Object.entries(FOLDERS)) {
      const used = new Set(
        [...imports].filter(([file]) => folderOf(file) === folder).flatMap(([, { own }]) => own.map(folderOf)),
      );
      assert.deepEqual(
        allowed.filter((other) => !used.has(other)),
        [],
        `unused in the row of ${folder}`,
      );
    }
  });

  test('only lib/native/addon.js loads native code', () => {
    for (const file of jsFiles.filter((name) => name !== 'lib/native/addon.js')) {
      const code = withoutComments(read(file));
      // The message for a bundle without require() shows the line that defines it.
      assert.doesNotMatch(file === 'lib/errors.js' ? code.replace(/const line = .*/, '') : code, /createRequire/, file);
      assert.doesNotMatch(code, /process\.dlopen/, file);
      if (libFiles.includes(file)) assert.doesNotMatch(code, /\.node['"`]/, file);
    }
  });

  test('only lib/codegen/compile.js makes code of strings', () => {
    for (const file of libFiles.filter((name) => name !== 'lib/codegen/compile.js')) {
      assert.doesNotMatch(withoutComments(read(file)), /\bnew Function\b|\beval\(/, file);
    }
  });

  test('nothing of the package requires the command line', () => {
    for (const file of [...ENTRIES.map((name) => `${name}.js`), ...libFiles])
      assert.doesNotMatch(read(file), /\bcli\b\//);
  });

  test('the program is one line over cli/main.js', () => {
    assert.deepEqual(imports.get('bin/pinned-ffi.js').own, ['cli/main.js']);
  });

  for (const entry of ENTRIES) {
    test(`${entry}.mjs only passes on ${entry}.js, all of it`, () => {
      const froms = [...read(`${entry}.mjs`).matchAll(/from\s+'([^']+)'/g)].map(([, from]) => from);
      assert.deepEqual([...new Set(froms)], [`./${entry}.js`]);
      const names = read(`${entry}.mjs`)
        .match(/\{([^}]*)\}/)[1]
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean);
      assert.deepEqual(names.sort(), Object.keys(require(`../../${entry}.js`)).sort());
    });
  }
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
  /(^|\/)tests\.rs$/.test(name)
    ? ''
    : withoutComments(read(`src/${name}`)).split(/#\[cfg\((?:test|all\(test,[^\]]*)\)\]\s*mod /)[0];

/** The folder of a file of src/; a file that lies beside the folders stands for itself. */
const rustFolderOf = (name) => name.split('/')[0].replace(/\.rs$/, '');

/** `memory/fence/mod.rs` -> `memory::fence`. */
const moduleOf = (name) => name.replace(/(\/mod)?\.rs$/, '').replaceAll('/', '::');

const fileOfModule = new Map(rustFiles.map((name) => [moduleOf(name), name]));

/** The paths of a `use` tree, or of a path in an expression: `a::{b, c::{d, e}}` -> `a::b`, `a::c::d`, `a::c::e`. */
function expandTree(text) {
  const open = text.indexOf('{');
  if (open === -1)
    return [
      text
        .trim()
        .replace(/\s+as\s+\w+$/, '')
        .replace(/::(self|\*)$/, ''),
    ];
  const parts = [''];
  let depth = 0;
  for (const letter of text.slice(open + 1, text.lastIndexOf('}'))) {
    depth += letter === '{' ? 1 : letter === '}' ? -1 : 0;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts
    .filter((part) => part.trim() !== '')
    .flatMap((part) => expandTree(text.slice(0, open).trim() + part.trim()));
}

/** The files of src/ that a file names by a path from the crate's root, or from its own folder. */
function rustUses(name) {
  const text = rustOf(name);
  const trees = [...text.matchAll(/\buse\s+((?:crate|super)\b[^;]*);/g)].map(([, tree]) => tree);
  const paths = [...text.replace(/\buse\s[^;]*;/g, '').matchAll(/(?<![\w:])(?:crate|super)(?:::\w+)+/g)].map(
    ([found]) => found,
  );
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

test('no file of lib/ or src/ is longer than 400 lines, unit tests aside', () => {
  const isTests = (name) => /(^|\/)tests\.rs$/.test(name);
  const lengths = [
    ...libFiles.map((file) => [file, read(file)]),
    ...rustFiles.filter((name) => !isTests(name)).map((name) => [`src/${name}`, read(`src/${name}`)]),
  ].map(([file, text]) => [
    file,
    text.split(/^#\[cfg\((?:test|all\(test,[^\]]*)\)\]\nmod /m)[0].split('\n').length - 1,
  ]);
  assert.deepEqual(
    lengths.filter(([, lines]) => lines > 400),
    [],
  );
});

describe('src/', () => {
  test('lib.rs is a map of modules and lints, nothing else', () => {
    const rest = rustOf('lib.rs')
      .replace(/^\s*(#!\[[^\]]*\]|(pub(\([^)]*\))? )?mod \w+;|#\[[^\]]*\])\s*$/gm, '')
      .replace(/#!\[[^]*?\)\]/g, '');
    assert.equal(rest.trim(), '');
  });

  for (const name of rustFiles.filter((file) => file !== 'lib.rs')) {
    test(`src/${name} uses only the folders it may`, () => {
      const folder = rustFolderOf(name);
      assert.ok(Object.hasOwn(RUST, folder), `src/${name} is not in the table of test/repository/architecture.test.js`);
      for (const used of rustUses(name)) {
        const other = rustFolderOf(used);
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
    assert.deepEqual(
      findCircles(Object.keys(RUST), (folder) => RUST[folder]),
      [],
    );
    for (const [folder, allowed] of Object.entries(RUST)) {
      const used = rustFiles
        .filter((name) => rustFolderOf(name) === folder)
        .flatMap(rustUses)
        .map(rustFolderOf);
      assert.deepEqual(
        allowed.filter((other) => !used.includes(other)),
        [],
        `of the row of ${folder}`,
      );
    }
  });

  test('the files have no circles', () => {
    assert.deepEqual(findCircles(rustFiles, rustUses), []);
  });

  test('fuzz/core.rs has every file that the parts of src/ in it use', () => {
    const paths = [...read('fuzz/core.rs').matchAll(/"\.\.\/src\/([\w/]+?)(?:\/mod)?\.rs"/g)].map(([, part]) => part);
    assert.ok(paths.length > 5);
    const isIn = (name) => paths.some((part) => name === `${part}.rs` || name.startsWith(`${part}/`));
    const used = new Set(rustFiles.filter(isIn).flatMap(rustUses));
    assert.deepEqual(
      [...used].filter((name) => !isIn(name) && name !== 'loader/mod.rs'),
      [],
    );
  });

  test('nothing in src/ uses src/node/exports/, which only JavaScript calls', () => {
    const users = rustFiles.filter(
      (name) =>
        !name.startsWith('node/exports/') && rustUses(name).some((used) => /^node\/exports\/(?!mod\.rs)/.test(used)),
    );
    assert.deepEqual(users, []);
  });

  test('only src/v8/symbols.rs names functions of V8 and Node', () => {
    const others = rustFiles.filter((name) => name !== 'v8/symbols.rs' && /_Z[NKT]|@v8@@/.test(rustOf(name)));
    assert.deepEqual(others, []);
  });

  test('only src/panics.rs catches panics', () => {
    const others = rustFiles.filter((name) => name !== 'panics.rs' && /\bcatch_unwind\b/.test(rustOf(name)));
    assert.deepEqual(others, ['host/test_process.rs']);
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
