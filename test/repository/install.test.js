'use strict';
// The package as users get it: packed, installed into an empty project without network and scripts, and used from
// there.

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { root } = require('../helpers.js');
const { platformKey } = require('../../lib/native/platform.js');
const startup = require('../../scripts/startup.js');

const TIMEOUT_MS = 120_000;
const isWindows = process.platform === 'win32';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-install-'));
const project = path.join(folder, 'project');
const installed = path.join(project, 'node_modules', 'pinned-ffi');
const addon = path.join(installed, 'prebuilds', `${platformKey()}.node`);
let packed;
/** What npm has put into node_modules. */
let names;

function run(command, args, options = {}) {
  const env = { ...process.env, ...options.env };
  delete env.NODE_TEST_CONTEXT;
  return spawnSync(command, args, { cwd: project, encoding: 'utf8', timeout: TIMEOUT_MS, ...options, env });
}

/** Runs a command that must end well; gives its standard output. */
function succeed(command, args, options) {
  const { status, signal, stdout, stderr, error } = run(command, args, options);
  const shown = `${command} ${args.join(' ')}: ${error ?? stderr}\n${stdout}`;
  assert.deepEqual({ status, signal }, { status: 0, signal: null }, shown);
  return stdout;
}

const npm = (args, options) =>
  succeed('npm', [...args, '--ignore-scripts', '--offline'], { shell: isWindows, ...options });
const node = (...args) => succeed(process.execPath, args);
const write = (name, content) => fs.writeFileSync(path.join(project, name), content);

/** Two calls, which print a line. */
const CALLS = `
  const { symbols, close } = dlopen(null, { strlen: { args: ['cstring'], returns: 'size_t' } });
  console.log(Number(symbols.strlen('Grüße')), ptr(alloc(8)) % 16);
  close();
`;

// ---- programs in JavaScript

const SCRIPTS = {
  'app.cjs': `const { alloc, dlopen, ptr } = require('pinned-ffi');${CALLS}`,
  'app.mjs': `import { alloc, dlopen, ptr } from 'pinned-ffi';${CALLS}`,
  'default.mjs': `import ffi from 'pinned-ffi';\nconst { alloc, dlopen, ptr } = ffi;${CALLS}`,
  'both.cjs': "import('pinned-ffi').then((m) => console.log(m.dlopen === require('pinned-ffi').dlopen));",
  'where.cjs': `console.log(require.resolve('pinned-ffi/prebuilds/${platformKey()}.node'));`,
};
/** What each prints, and the examples. They run while the compiler works. */
let printed;

const print = (file) =>
  new Promise((resolve, reject) => {
    const options = { cwd: project, timeout: TIMEOUT_MS };
    execFile(process.execPath, [file], options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });

function startPrograms() {
  fs.cpSync(path.join(installed, 'examples'), path.join(project, 'copied'), { recursive: true });
  for (const [name, source] of Object.entries(SCRIPTS)) write(name, source);
  const files = [path.join('copied', 'demo.mjs'), path.join('copied', 'own-c.mjs'), ...Object.keys(SCRIPTS)];
  return Promise.all(files.map(async (file) => [path.basename(file), await print(file)]));
}

// ---- programs in TypeScript

const PROGRAMS = [
  { files: ['esm.mts', 'cjs.cts'], options: ['--module', 'nodenext'] },
  { files: ['bundled.mts'], options: ['--module', 'esnext', '--moduleResolution', 'bundler'] },
];
const OPTIONS = ['--ignoreConfig', '--outDir', 'out', '--strict', '--target', 'es2022', '--types', 'node'];
const WRONG = "dlopen('m', { cos: { args: ['f64'] } }).symbols.cos('1');";
/** What the compiler says of each program, by its options. It works while other tests run. */
let compiled;
/** What npx prints for the help of the command line, which takes a second. */
let help;

const printHelp = () =>
  new Promise((resolve, reject) => {
    const options = { cwd: project, shell: isWindows, timeout: TIMEOUT_MS };
    execFile('npx', ['--offline', 'pinned-ffi', '--help'], options, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });

/** What the compiler says of some files. It writes the programs that are right all the same. */
const compile = (files, options) =>
  new Promise((resolve) => {
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [tsc, ...files, ...OPTIONS, ...options];
    execFile(process.execPath, args, { cwd: project, timeout: TIMEOUT_MS }, (_, stdout) => resolve(stdout));
  });

function startCompiling() {
  const types = path.join('node_modules', '@types');
  fs.symlinkSync(path.join(root, types), path.join(project, types), 'junction');
  write('wrong.mts', `import { dlopen } from 'pinned-ffi';\n${WRONG}\n`);
  return Promise.all(
    PROGRAMS.map(async ({ files, options }) => {
      for (const file of files) write(file, `import { alloc, dlopen, ptr } from 'pinned-ffi';${CALLS}`);
      return [options, await compile([...files, 'wrong.mts'], options)];
    }),
  );
}

before(async () => {
  fs.mkdirSync(project);
  write('package.json', '{ "private": true }\n');
  [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], { cwd: root }));
  npm(['install', '--no-audit', '--no-fund', path.join(folder, packed.filename)]);
  names = fs.readdirSync(path.join(project, 'node_modules'));
  // As `npm publish` does before it packs; here other tests use the files of lib/ meanwhile.
  startup.write(installed);
  compiled = startCompiling();
  help = printHelp();
  printed = new Map(await startPrograms());
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  test('the published package holds what is used and what builds it, and nothing else', (t) => {
    const files = packed.files.map((file) => file.path);
    const top = new Set(files.map((file) => file.split('/')[0]));
    const known = ['bin', 'bun', 'cli', 'docs', 'examples', 'lib', 'prebuilds', 'scripts', 'src', 'types'];
    const knownFile = /^([\w-]+\.(js|mjs|d\.ts|d\.mts)|build\.rs|Cargo\.(toml|lock)|package\.json|LICENSE|\w+\.md)$/;
    const isKnown = (name) => known.includes(name) || knownFile.test(name);
    assert.deepEqual(
      [...top].filter((name) => !isKnown(name)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => /\.(test|tmp|old|map)\b|node_modules|target\//.test(file)),
      [],
    );
    const source = [
      'build.rs',
      'Cargo.toml',
      'Cargo.lock',
      'src/lib.rs',
      'scripts/build.js',
      'scripts/make/make',
      'bin/pinned-ffi.js',
    ];
    const surface = ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'LICENSE', 'README.md'];
    for (const needed of [...source, ...surface, `prebuilds/${platformKey()}.node`]) {
      assert.ok(files.includes(needed), `${needed} is not packed`);
    }
    t.diagnostic(`${packed.entryCount} files, ${packed.size} bytes packed, ${packed.unpackedSize} unpacked`);
  });

  test('the published package has every file that its package.json names', () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8'));
    const namesIn = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(namesIn));
    const named = [manifest.main, manifest.types, ...namesIn(manifest.bin), ...namesIn(manifest.exports)];
    for (const name of named.filter((each) => !each.includes('*'))) {
      assert.ok(fs.existsSync(path.join(installed, name)), `${name} is not there`);
    }
    assert.deepEqual(Object.keys(manifest.dependencies ?? {}), []);
    const runAtInstall = ['preinstall', 'install', 'postinstall', 'prepare'];
    assert.deepEqual(
      runAtInstall.filter((name) => name in manifest.scripts),
      [],
    );
  });

  test('the published package has its documents, and every file to which they link', () => {
    const files = new Set(packed.files.map((file) => file.path));
    const isThere = (name) => files.has(name) || [...files].some((file) => file.startsWith(`${name}/`));
    const documents = [...files].filter((file) => file.endsWith('.md'));
    assert.ok(documents.length > 20, documents.join());
    for (const document of documents) {
      const text = fs.readFileSync(path.join(installed, document), 'utf8').replace(/^```[^]*?^```/gm, '');
      for (const [, link] of text.matchAll(/\]\(([^)\s#]+)/g)) {
        if (/^\w+:/.test(link)) continue;
        const target = path.posix.join(path.posix.dirname(document), link);
        assert.ok(isThere(target), `${document} links to ${link}, which is not packed`);
      }
    }
  });

  test('the published package is installed alone, with no other package', () => {
    assert.deepEqual(
      names.filter((name) => !name.startsWith('.')),
      ['pinned-ffi'],
    );
  });
});

describe('an installed package', () => {
  test('an installed package has examples that run in the project when they are copied', () => {
    assert.match(printed.get('demo.mjs'), /qsort/);
    assert.match(printed.get('own-c.mjs'), /distance 5/);
  });

  test('an installed package is used by require', () => assert.equal(printed.get('app.cjs'), '7 0\n'));

  test('an installed package is used by import, by name and by default', () => {
    assert.equal(printed.get('app.mjs'), '7 0\n');
    assert.equal(printed.get('default.mjs'), '7 0\n');
  });

  test('an installed package reads the files that most programs load out of one', () => {
    const errors = path.join(installed, 'lib', 'errors.js');
    write(
      'startup.cjs',
      `const { cdef, dlopen } = require('pinned-ffi');
      console.log(dlopen(null, { abs: { args: ['i32'], returns: 'i32' } }).symbols.abs(-7));
      // The files that make the error are loaded at the start where they are in no script.
      try { dlopen('libnone.so.1', {}); } catch ({ code }) { console.log(code); }
      const files = Object.keys(require.cache).filter((file) => file.includes('pinned-ffi'));
      console.log(files.includes(${JSON.stringify(fs.realpathSync(errors))}));
      // What is loaded later finds the modules by their names.
      if (process.argv[2] === 'later') console.log(cdef('struct s { int a; };').types.s.size, files.length);`,
    );
    fs.renameSync(errors, `${errors}.moved`);
    try {
      assert.equal(node('startup.cjs'), '7\nERR_FFI_LIBRARY_NOT_FOUND\ntrue\n');
    } finally {
      fs.renameSync(`${errors}.moved`, errors);
    }
    const later = node('startup.cjs', 'later');
    const scripts = startup.NAMES.map((name) => path.join(installed, 'lib', name));
    const contents = scripts.map((file) => fs.readFileSync(file));
    startup.remove(installed);
    try {
      assert.equal(node('startup.cjs', 'later'), later);
    } finally {
      scripts.forEach((file, i) => fs.writeFileSync(file, contents[i]));
    }
  });

  test('an installed package whose files went away while it runs says so, and works once they are back', () => {
    write(
      'moved.cjs',
      `const fs = require('node:fs');
      const { dlopen, struct } = require('pinned-ffi');
      const files = ${JSON.stringify(['pinned-ffi.cdef', 'pinned-ffi.later'].map((name) => path.join(installed, 'lib', name)))};
      const codeOf = (run) => { try { run(); } catch (error) { return error.code; } };
      const uses = [() => struct({ a: 'int' }), () => dlopen(null, 'typedef int n; n abs(n);')];
      for (const file of files) fs.renameSync(file, file + '.moved');
      try {
        console.log(...uses.map(codeOf));
      } finally {
        for (const file of files) fs.renameSync(file + '.moved', file);
      }
      console.log(...uses.map(codeOf));`,
    );
    assert.equal(node('moved.cjs'), 'ENOENT ENOENT\nundefined undefined\n');
  });

  test('an installed package has the lines of its files in the stacks of errors', () => {
    write(
      'stack.cjs',
      `try { require('pinned-ffi').dlopen.call(); } catch (error) { console.log(error.message); }
      const { makeError } = require(${JSON.stringify(path.join(installed, 'lib', 'errors.js'))});
      console.log(makeError('ERR_FFI_INTERNAL', '').stack);`,
    );
    // The script that has the files which every program loads.
    const [script] = startup.NAMES;
    const source = fs.readFileSync(path.join(installed, 'lib', script), 'utf8').split('\n');
    const line = source.findIndex((text) => text.includes('new TABLE[code](message)')) + 1;
    assert.match(node('stack.cjs'), new RegExp(`${script.replace('.', '\\.')}:${line}:`));
  });

  test('an installed package is the same instance for require and import', () => {
    assert.equal(printed.get('both.cjs'), 'true\n');
  });

  test('an installed package tells the name of the addon, so that a build can copy it', () => {
    assert.equal(printed.get('where.cjs').trim(), fs.realpathSync(addon));
  });

  test('an installed package has a command line', async () => {
    assert.match(await help, /^ +build /m);
  });

  describe('in TypeScript', () => {
    const said = new Map();
    before(async () => (await compiled).forEach(([options, errors]) => said.set(options, errors)));

    for (const { files, options } of PROGRAMS) {
      describe(options.join(' '), () => {
        for (const file of files) {
          test(`${file} compiles and runs`, () => {
            const errors = said.get(options);
            assert.ok(!errors.includes(file), errors);
            assert.equal(node(path.join('out', file.replace(/ts$/, 'js'))), '7 0\n');
          });
        }

        test('a wrong program does not compile', () => {
          const errors = said.get(options);
          assert.match(errors, /^wrong\.mts\(2,\d+\): error TS2345/);
          assert.equal(errors.match(/: error /g).length, 1, errors);
        });
      });
    }
  });

  test('a package without an addon for the platform names the one command that builds it', () => {
    const aside = `${addon}.aside`;
    fs.renameSync(addon, aside);
    try {
      const { status, stderr } = run(process.execPath, ['app.cjs']);
      assert.equal(status, 1);
      assert.match(stderr, /ERR_FFI_ADDON_NOT_FOUND/);
      assert.match(stderr, new RegExp(`no native addon for ${platformKey()}: .*"npx pinned-ffi build"`));
    } finally {
      fs.renameSync(aside, addon);
    }
  });

  test('an installed package finds an addon elsewhere by PINNED_FFI_ADDON', () => {
    const elsewhere = path.join(folder, 'elsewhere.node');
    fs.renameSync(addon, elsewhere);
    try {
      assert.equal(succeed(process.execPath, ['app.cjs'], { env: { PINNED_FFI_ADDON: elsewhere } }), '7 0\n');
    } finally {
      fs.renameSync(elsewhere, addon);
    }
  });
});
