'use strict';
// Bundlers: the package left outside of a bundle, and bundled with only the addon outside.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const esbuild = require('esbuild');
const { root } = require('./helpers.js');
const { platformKey } = require('../lib/native/platform.js');

const TIMEOUT_MS = 60_000;
const file = `${platformKey()}.node`;
const addon = path.join(root, 'prebuilds', file);
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-bundle-')));
const app = path.join(folder, 'app');

const CODE = `
import { JSCallback, dlopen, read } from 'pinned-ffi';
const { symbols } = dlopen(null, { qsort: { args: ['ptr', 'size_t', 'size_t', 'function'] } });
const compare = new JSCallback((a, b) => Math.sign(read.f64(a) - read.f64(b)), { args: ['ptr', 'ptr'], returns: 'i32' });
const numbers = Float64Array.of(3, 1, 2);
symbols.qsort(numbers, numbers.length, 8, compare);
compare.close();
console.log(numbers.join());
`;

// What a bundle in the form of an ES module lacks of CommonJS, by esbuild's own advice.
const BANNER = `import { createRequire } from 'node:module'; import { fileURLToPath } from 'node:url';
const require = createRequire(import.meta.url); const __dirname = fileURLToPath(new URL('.', import.meta.url));`;

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

    test(`leaves the package outside of a bundle: external, ${format}`, async () => {
      works(await bundle(path.join(app, 'dist', name), { format, external: ['pinned-ffi'] }));
    });

    test(`bundles the package, with prebuilds/ beside the bundle, ${format}`, async () => {
      const outfile = await bundle(path.join(folder, `beside-${format}`, name), { format, ...own });
      fs.mkdirSync(path.join(path.dirname(outfile), 'prebuilds'));
      fs.copyFileSync(addon, path.join(path.dirname(outfile), 'prebuilds', file));
      works(outfile);
    });
  }

  test('bundles the package and makes it small', async () => {
    const outfile = await bundle(path.join(folder, 'small', 'out.cjs'), { minify: true });
    fs.copyFileSync(addon, path.join(path.dirname(outfile), file));
    works(outfile);
  });

  test("carries the addon along by the loader 'file'", async () => {
    const entry = path.join(app, 'carries.cjs');
    const name = `require('pinned-ffi/prebuilds/${file}')`;
    const set = `process.env.PINNED_FFI_ADDON = require('node:path').resolve(__dirname, ${name});\n`;
    fs.writeFileSync(entry, `${set}require('./app.mjs');\n`);
    const outfile = path.join(folder, 'carried', 'out.cjs');
    works(await bundle(outfile, { entryPoints: [entry], loader: { '.node': 'file' } }));
  });

  test('takes the addon that PINNED_FFI_ADDON names', async () => {
    works(await bundle(path.join(folder, 'named', 'out.cjs')), { PINNED_FFI_ADDON: addon });
  });

  test('without the addon says where it was looked for', async () => {
    const { status, stderr } = run(await bundle(path.join(folder, 'none', 'out.cjs')));
    assert.equal(status, 1);
    assert.match(stderr, /ERR_FFI_ADDON_NOT_FOUND/);
    assert.match(stderr, new RegExp(`no native addon for ${platformKey()}`));
  });
});
