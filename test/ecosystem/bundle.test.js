'use strict';
// Bundlers: the package left outside of a bundle, and bundled with only the addon outside.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const esbuild = require('esbuild');
const { root } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { platformKey } = require('../../lib/native/platform.js');

const TIMEOUT_MS = 60_000;
const file = `${platformKey()}.node`;
const addon = path.join(root, 'prebuilds', file);
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-bundle-')));
const app = path.join(folder, 'app');
const copied = path.join(folder, 'copied');
const bundlers = path.join(__dirname, 'bundlers', 'node_modules');

const CODE = `
import { JSCallback, dlopen, read } from 'pinned-ffi';
const { symbols } = dlopen(null, { qsort: { args: ['ptr', 'size_t', 'size_t', 'function'] } });
const compare = new JSCallback((a, b) => Math.sign(read.f64(a) - read.f64(b)), { args: ['ptr', 'ptr'], returns: 'i32' });
const numbers = Float64Array.of(3, 1, 2);
symbols.qsort(numbers, numbers.length, 8, compare);
compare.close();
console.log(numbers.join());
`;

// What a bundle in the form of an ES module lacks of CommonJS. The error and docs/bundlers.md show this line.
const BANNER = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

before(() => {
  fs.mkdirSync(path.join(app, 'node_modules'), { recursive: true });
  fs.symlinkSync(root, path.join(app, 'node_modules', 'pinned-ffi'), 'junction');
  fs.writeFileSync(path.join(app, 'app.mjs'), CODE);
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Bundles the app; gives the path of the bundle. Where it lies there is no node_modules unless it is in the app. */
async function bundle(outfile, options = {}) {
  const entryPoints = [path.join(app, 'app.mjs')];
  const usual = { entryPoints, bundle: true, platform: 'node', logLevel: 'silent' };
  const result = await esbuild.build({ ...usual, outfile, ...options });
  assert.deepEqual([result.errors, result.warnings], [[], []]);
  return outfile;
}

function run(bundled, env = {}) {
  const all = { ...process.env, ...env };
  delete all.NODE_TEST_CONTEXT;
  return spawnSync(process.execPath, [bundled], { cwd: os.tmpdir(), encoding: 'utf8', env: all, timeout: TIMEOUT_MS });
}

function works(bundled, env) {
  const { status, stdout, stderr } = run(bundled, env);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '1,2,3\n');
}

describe('esbuild', () => {
  for (const format of ['cjs', 'esm']) {
    const name = `out.${format === 'cjs' ? 'cjs' : 'mjs'}`;
    const own = format === 'esm' ? { banner: { js: BANNER } } : {};

    test(`esbuild leaves the package outside of a bundle: external, ${format}`, async () => {
      works(await bundle(path.join(app, 'dist', name), { format, external: ['pinned-ffi'] }));
    });

    test(`esbuild bundles the package, with prebuilds/ beside the bundle, ${format}`, async () => {
      const outfile = await bundle(path.join(folder, `beside-${format}`, name), { format, ...own });
      fs.mkdirSync(path.join(path.dirname(outfile), 'prebuilds'));
      fs.copyFileSync(addon, path.join(path.dirname(outfile), 'prebuilds', file));
      works(outfile);
    });
  }

  test('esbuild bundles the package and makes it small', async () => {
    const outfile = await bundle(path.join(folder, 'small', 'out.cjs'), { minify: true });
    fs.copyFileSync(addon, path.join(path.dirname(outfile), file));
    works(outfile);
  });

  test("esbuild carries the addon along by the loader 'file'", async () => {
    const entry = path.join(app, 'carries.cjs');
    const name = `require('pinned-ffi/prebuilds/${file}')`;
    const set = `process.env.PINNED_FFI_ADDON = require('node:path').resolve(__dirname, ${name});\n`;
    fs.writeFileSync(entry, `${set}require('./app.mjs');\n`);
    const outfile = path.join(folder, 'carried', 'out.cjs');
    works(await bundle(outfile, { entryPoints: [entry], loader: { '.node': 'file' } }));
  });

  test('a bundle takes the addon that PINNED_FFI_ADDON names', async () => {
    works(await bundle(path.join(folder, 'named', 'out.cjs')), { PINNED_FFI_ADDON: addon });
  });

  test('a bundle finds the addon of a package that is installed where it lies', async () => {
    works(await bundle(path.join(app, 'dist', 'inner', 'bundled.cjs')));
  });

  test('a bundle without the addon says which command copies it, and not to build anything', async () => {
    const outfile = await bundle(path.join(folder, 'none', 'out.cjs'));
    const { status, stderr } = run(outfile);
    assert.equal(status, 1);
    assert.match(stderr, /ERR_FFI_ADDON_NOT_FOUND/);
    const command = `cp node_modules/pinned-ffi/prebuilds/${file} ${path.dirname(outfile)}/`;
    assert.ok(stderr.includes(`this program is a bundle, which needs the addon beside it: ${command}`), stderr);
    assert.doesNotMatch(stderr, /cargo|pinned-ffi build/);
  });

  test('a bundle that is an ES module without require() says which line to add', async () => {
    const { status, stderr } = run(await bundle(path.join(folder, 'bare', 'out.mjs'), { format: 'esm' }));
    assert.equal(status, 1);
    assert.ok(stderr.includes(`begin it with the line: ${BANNER}`), stderr);
  });
});

/** A project where the package is no link: some bundlers take files along only from within a project. */
function copyApp() {
  const installed = path.join(copied, 'node_modules', 'pinned-ffi');
  for (const name of ['package.json', 'index.js', 'index.mjs', 'lib', 'prebuilds'])
    fs.cpSync(path.join(root, name), path.join(installed, name), { recursive: true });
  fs.writeFileSync(path.join(copied, 'app.mjs'), CODE);
}

/** Runs a program in the project; fails with what it says. */
function build(args, env = {}) {
  const all = { ...process.env, ...env, NODE_PATH: bundlers };
  delete all.NODE_TEST_CONTEXT;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copied, encoding: 'utf8', env: all });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.doesNotMatch(stdout + stderr, /warning/i);
}

/** Takes what was built elsewhere, puts the addon beside it, and runs it there. */
function worksElsewhere(built, name, addsAddon = true) {
  const moved = path.join(folder, `moved-${path.basename(built)}`);
  fs.renameSync(built, moved);
  if (addsAddon) fs.copyFileSync(addon, path.join(moved, file));
  works(path.join(moved, name));
}

describe('a bundle that is moved elsewhere, with the addon beside it', { skip: needs('bundlers') }, () => {
  before(copyApp);

  for (const format of ['cjs', 'es']) {
    test(`a bundle that rollup made works elsewhere, with the addon beside it, ${format}`, () => {
      const name = format === 'es' ? 'out.mjs' : 'out.cjs';
      const program = `
        const resolve = require('@rollup/plugin-node-resolve').default({ preferBuiltins: true });
        const commonjs = require('@rollup/plugin-commonjs')({ ignoreDynamicRequires: true });
        require('rollup').rollup({ input: 'app.mjs', plugins: [resolve, commonjs] })
          .then((made) => made.write({ file: 'rollup-${format}/${name}', format: '${format}' }));`;
      build(['-e', program]);
      worksElsewhere(path.join(copied, `rollup-${format}`), name);
    });
  }

  test('a bundle that webpack made works elsewhere, with the addon beside it', () => {
    const program = `
      const output = { path: require('node:path').resolve('webpack'), filename: 'out.cjs' };
      require('webpack')({ mode: 'production', target: 'node', entry: './app.mjs', output }, (error, stats) => {
        if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? stats.toString();
      });`;
    build(['-e', program]);
    worksElsewhere(path.join(copied, 'webpack'), 'out.cjs');
  });

  test('a bundle that vite made for the server with `noExternal` works elsewhere, with the addon beside it', () => {
    const program = `
      const ssr = { noExternal: true, target: 'node' };
      import(require.resolve('vite')).then(({ build }) =>
        build({ logLevel: 'warn', configFile: false, ssr, build: { ssr: 'app.mjs', outDir: 'vite' } }));`;
    build(['-e', program]);
    worksElsewhere(path.join(copied, 'vite'), 'app.mjs');
  });

  test('a bundle that ncc made, which takes the addon along by itself, works elsewhere', () => {
    build([path.join(bundlers, '@vercel', 'ncc', 'dist', 'ncc', 'cli.js'), 'build', 'app.mjs', '-o', 'ncc', '-q']);
    worksElsewhere(path.join(copied, 'ncc'), 'index.mjs', false);
  });
});
