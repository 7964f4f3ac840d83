'use strict';
// Checks the package as it would be published: publint and "are the types wrong" look at the tarball, and
// "npx pinned-ffi build" makes the addon from it, with the crates that cargo has already.
//   node scripts/check-package.js [--built]    --built: takes the addon in prebuilds/, and builds none

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { build } = require('./build.js');
const { PLACEHOLDER, problemsOf, readManifest } = require('./manifest.js');
const { FILE: NOTICES, differences } = require('./notices.js');
const startup = require('./startup.js');
const { platformKey } = require('../lib/native/platform.js');

const root = path.join(__dirname, '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-package-'));

function run(command, args, options = {}) {
  console.log(`$ ${[path.basename(command), ...args].join(' ')}`);
  const shell = process.platform === 'win32';
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell,
    ...options,
  });
  assert.equal(status, 0, `${command} failed: ${error?.message ?? stdout}`);
  return stdout;
}

function pack() {
  startup.write();
  const [{ filename, files, entryCount, size, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]),
  );
  startup.remove();
  for (const needed of ['LICENSE', 'README.md', NOTICES, ...startup.NAMES.map((name) => `lib/${name}`)]) {
    assert.ok(
      files.some((file) => file.path === needed),
      `${needed} is not in the package`,
    );
  }
  console.log(`${filename}: ${entryCount} files, ${size} bytes packed, ${unpackedSize} unpacked`);
  return path.join(folder, filename);
}

/** The tarball in an empty project, without its prebuilt addons: the error names the command, and the command helps. */
function buildFrom(tarball) {
  const project = path.join(folder, 'project');
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{ "private": true }\n');
  const inProject = { cwd: project };
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball], inProject);
  const installed = path.join(project, 'node_modules', 'pinned-ffi');
  fs.rmSync(path.join(installed, 'prebuilds'), { recursive: true });

  const code =
    "const { symbols } = require('pinned-ffi').dlopen(null, { abs: { args: ['i32'], returns: 'i32' } });" +
    'console.log(symbols.abs(-7));';
  const refused = spawnSync(process.execPath, ['-e', code], { cwd: project, encoding: 'utf8' });
  assert.match(refused.stderr, /ERR_FFI_ADDON_NOT_FOUND/);
  const [, command] = /"(npx pinned-ffi build)"/.exec(refused.stderr);
  // cargo's build of this checkout is used again; elsewhere it uses a separate directory, and removes it.
  const env = { ...process.env, CARGO_NET_OFFLINE: 'true', CARGO_TARGET_DIR: path.join(root, 'target') };
  console.log(run('npx', ['--offline', ...command.split(' ').slice(1)], { ...inProject, env }).trim());
  assert.ok(fs.existsSync(path.join(installed, 'prebuilds', `${platformKey()}.node`)));
  assert.equal(run(process.execPath, ['-e', code], { ...inProject, shell: false }).trim(), '7');
}

/** The fields of package.json and the licence notices. */
function checkManifest() {
  const manifest = readManifest();
  assert.deepEqual(problemsOf(manifest), [], 'package.json cannot be published as it is');
  assert.deepEqual(differences(), [], `${NOTICES} is out of date: run node scripts/notices.js`);
  if (JSON.stringify(manifest).includes(PLACEHOLDER)) {
    console.log(`package.json still has ${PLACEHOLDER}: a release will be refused (see CONTRIBUTING.md).`);
  }
}

async function main() {
  const isBuilt = process.argv.includes('--built');
  checkManifest();
  if (!isBuilt) await build();
  const tarball = pack();
  const bin = (name) => path.join(root, 'node_modules', '.bin', name);
  console.log(run(bin('publint'), ['run', '--strict', tarball]).trim());
  console.log(run(bin('attw'), ['--no-color', '--no-emoji', tarball]).trim());
  if (!isBuilt) buildFrom(tarball);
  console.log('The package is complete.');
}

main()
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .finally(() => fs.rmSync(folder, { recursive: true, force: true }));
