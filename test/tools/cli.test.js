'use strict';
// The command line: `pinned-ffi info` and `pinned-ffi doctor`, its help, and its errors.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { ffi, root, fixture } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { withoutSections } = require('../fixtures/elf.js');
const { version } = require('../../package.json');
const { findCompiler } = require('../../scripts/build.js');

const bin = path.join(root, 'bin', 'pinned-ffi.js');
let folder;

before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-test-cli-'))));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function cli(args, env = {}) {
  const environment = { ...process.env, ...env };
  delete environment.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: root,
      env: environment,
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    const streams = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (streams[name] += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...streams }));
  });
}

async function prints(args, env) {
  const result = await cli(args, env);
  assert.deepEqual([result.code, result.signal, result.stderr], [0, null, ''], result.stdout);
  return result.stdout;
}

async function fails(args, code, message, env) {
  const result = await cli(args, env);
  assert.deepEqual([result.code, result.signal, result.stdout], [code, null, ''], result.stderr);
  assert.match(result.stderr, message);
}

/** A file with these bytes. */
function write(name, bytes) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
}

describe('the command line', () => {
  test('the command line lists its commands, and each has a help of its own', async () => {
    const help = await prints(['--help']);
    for (const name of ['info', 'doctor', 'bind']) {
      assert.match(help, new RegExp(`^ {2}${name} +\\S`, 'm'));
      assert.match(await prints([name, '--help']), new RegExp(`^Usage: pinned-ffi ${name}`));
    }
    assert.equal(await prints(['-h']), help);
  });

  test('the command line says its version', async () => {
    assert.equal(await prints(['--version']), `${version}\n`);
  });

  test('the command line refuses what it does not know, with the exit code 2 and the help on stderr', async () => {
    await fails([], 2, /a command is missing[^]*Usage/);
    await fails(['nonsense'], 2, /there is no command 'nonsense'[^]*Usage/);
    await fails(['toString'], 2, /there is no command 'toString'/);
    await fails(['info', '--nonsense'], 2, /Unknown option '--nonsense'[^]*Usage: pinned-ffi info/);
    await fails(['info'], 2, /library is missing/);
    await fails(['info', 'a', 'b'], 2, /takes one library, received 2/);
    await fails(['doctor', 'x'], 2, /takes no argument, received 'x'/);
  });

  test('the command line is the bin of the package, and needs no addon to say what it can', async () => {
    const { bin: bins, files } = require('../../package.json');
    assert.deepEqual(bins, { 'pinned-ffi': 'bin/pinned-ffi.js' });
    for (const wanted of ['bin/', 'cli/']) assert.ok(files.includes(wanted));
    await prints(['--help'], { PINNED_FFI_ADDON: '/nowhere' });
    await fails(['info', 'c'], 1, /no native addon/, { PINNED_FFI_ADDON: '/nowhere' });
  });
});

describe('info', () => {
  const info = async (...args) => JSON.parse(await prints(['info', '--json', ...args]));

  test('pinned-ffi info lists the functions and variables of a library by a path, a file: URL and a relative path', async () => {
    const relative = `./${path.relative(root, fixture)}`;
    for (const name of [fixture, pathToFileURL(fixture).href, relative]) {
      const {
        path: found,
        libraries: [library],
      } = await info(name);
      assert.equal(found, fixture);
      assert.deepEqual(
        [library.format, library.architecture, library.bits, library.endianness, library.loadable],
        [{ linux: 'ELF', darwin: 'Mach-O', win32: 'PE' }[process.platform], process.arch, 64, os.endianness(), true],
      );
      const symbol = (wanted) => library.exports.find((each) => each.name === wanted);
      assert.equal(symbol('add_i32').kind, 'function');
      assert.equal(symbol('bind_counter').kind, 'data');
      if (library.format === 'ELF') assert.equal(symbol('bind_counter').size, 4);
      assert.equal(symbol('no_such_symbol'), undefined);
      assert.ok(library.dependencies.some((each) => /libc\b/.test(each.name) && fs.existsSync(each.path)));
    }
  });

  test('pinned-ffi info finds a bare name as dlopen does', { skip: needs('z') }, async () => {
    const found = await info('z');
    assert.ok(found.libraries[0].exports.some(({ name, kind }) => name === 'inflate' && kind === 'function'));
    assert.ok(path.isAbsolute(found.path));
    const { path: opened, close } = ffi.dlopen('z', {});
    close();
    assert.equal(found.foundAs, opened);
  });

  test(
    'pinned-ffi info prints an aligned table: where it was found, what it needs, names, kinds, sizes, versions',
    { skip: needs('z') },
    async () => {
      const text = await prints(['info', 'z', '--symbols', 'inflateE*', '--imports']);
      assert.match(
        text,
        /^\/.*libz\.so\S*( -> \/.*libz\.so\S+)?\n {2}format {2}ELF, 64 bits, x64\n {2}soname {2}libz\.so\.1\n/,
      );
      assert.match(text, /\nneeds 1 library\n {2}libc\.so\.6 {2}\/.*libc\.so\.6\n/);
      assert.match(text, /\nexports 1 symbol\n {2}name {8}kind {6}size {2}version\n {2}inflateEnd {2}function +\d+\n/);
      assert.match(text, /\nimports 0 symbols\n/);
    },
  );

  test('pinned-ffi info takes patterns of * and ?, and parts of names', async () => {
    const names = async (pattern) =>
      (await info(fixture, '--symbols', pattern)).libraries[0].exports.map(({ name }) => name);
    assert.deepEqual(await names('bind_ad?'), ['bind_add']);
    assert.deepEqual(await names('ind_ad'), ['bind_add']);
    assert.deepEqual(await names('bind.add'), []);
    assert.ok((await names('add_*')).every((name) => name.startsWith('add_')));
  });

  test('pinned-ffi info says the versions of symbols, and which of them is meant', async () => {
    const {
      libraries: [{ exports }],
    } = await info('m', '--symbols', 'pow');
    const versions = exports.filter(({ name }) => name === 'pow');
    assert.equal(versions.filter(({ isDefault }) => isDefault).length, 1);
    for (const { version: each } of versions) assert.match(each, /^GLIBC_2\.\d+/);
  });

  test('pinned-ffi info does not load the library: its constructors do not run', async () => {
    const trace = path.join(folder, 'loaded');
    const source = write(
      'loud.c',
      `#include <stdio.h>
      __attribute__((constructor)) static void loaded(void) { FILE *f = fopen("${trace}", "w"); fclose(f); }
      int loud(void) { return 1; }`,
    );
    const library = path.join(folder, `libloud.${ffi.suffix}`);
    const [command, ...args] = findCompiler();
    assert.equal(
      spawnSync(command, [...args, '-shared', '-fPIC', '-o', library, source], { stdio: 'inherit' }).status,
      0,
    );
    assert.ok((await info(library)).libraries[0].exports.some(({ name }) => name === 'loud'));
    assert.equal(fs.existsSync(trace), false);
    ffi.dlopen(library, {}).close();
    assert.equal(fs.existsSync(trace), true, 'dlopen does run them');
  });

  test('pinned-ffi info reads libraries of other systems and machines, and says that they are not for this one', async () => {
    for (const [name, format, architecture, functions, dependency] of [
      ['tiny.dll', 'PE', 'x64', ['add', 'sub'], 'KERNEL32.dll'],
      ['tiny.dylib', 'Mach-O', 'arm64', ['add'], '/usr/lib/libSystem.B.dylib'],
    ]) {
      const file = write(name, require('../fixtures/foreign.js')[name]());
      const {
        libraries: [library],
      } = await info(file);
      assert.deepEqual([library.format, library.architecture, library.loadable], [format, architecture, false]);
      assert.deepEqual(
        library.exports.map((each) => [each.name, each.kind]),
        functions.map((each) => [each, 'function']),
      );
      assert.deepEqual(
        library.dependencies.map((each) => each.name),
        [dependency],
      );
      assert.match(await prints(['info', file]), /not for this process/);
    }
    const other = Buffer.from(fs.readFileSync(fixture));
    other.writeUInt16LE(183, 18);
    const {
      libraries: [arm],
    } = await info(write('other.so', other));
    assert.deepEqual([arm.architecture, arm.loadable], ['arm64', false]);
  });

  test('pinned-ffi info lists every architecture of a fat Mach-O file', async () => {
    const { libraries } = await info(write('fat.dylib', require('../fixtures/foreign.js')['fat.dylib']()));
    assert.deepEqual(
      libraries.map(({ architecture }) => architecture),
      ['x64', 'arm64'],
    );
    for (const { exports } of libraries)
      assert.deepEqual(
        exports.map(({ name }) => name),
        ['add'],
      );
  });

  test('pinned-ffi info says of what is no library why it is none', async () => {
    for (const [file, message] of [
      [folder, /is a directory/],
      [write('empty.so', ''), /is empty/],
      [write('script.so', 'INPUT(libreal.so)\n'), /is text/],
      [write('static.a', '!<arch>\n\0\0'), /is a static library/],
      [
        write('random.so', Buffer.from('\x01\x02\x03\x80 no library at all \0'.repeat(50), 'latin1')),
        /neither ELF nor Mach-O nor PE/,
      ],
      [write('short.so', fs.readFileSync(fixture).subarray(0, 50)), /damaged or cut off|neither ELF/],
      [write('half.so', fs.readFileSync(fixture).subarray(0, 5000)), /damaged or cut off/],
    ])
      await fails(['info', file], 1, message);
    await fails(
      ['info', 'no-such-library'],
      1,
      /no library is found by "no-such-library"; tried:\n {2}libno-such-library/,
    );
    await fails(['info', './no-such.so'], 1, /no library is found/);
  });

  test('pinned-ffi info lists the same symbols where a file has no section headers', { skip: onlyOn('linux') }, () => {
    const binding = require('../../lib/native/binding.js');
    const file = write('sectionless.so', withoutSections(fs.readFileSync(fixture)));
    const [found] = binding.inspect(file);
    const [expected] = binding.inspect(fixture);
    assert.ok(expected.exports.length > 100);
    // The versions of symbols, which name the libraries of imports, have a table that is not read then.
    const imports = expected.imports.map(({ name }) => ({ name }));
    assert.deepEqual(found, { ...expected, imports });
  });

  test('pinned-ffi info survives a file whose every byte may be wrong', () => {
    // In this process, where a crash would be seen: a few thousand damaged copies of three formats.
    const binding = require('../../lib/native/binding.js');
    const { makeRandom } = require('../helpers.js');
    const seed = Number(process.env.PINNED_FFI_TEST_SEED ?? 20);
    const random = makeRandom(seed);
    const foreign = require('../fixtures/foreign.js');
    const originals = [
      fs.readFileSync(fixture),
      ...(process.platform === 'linux' ? [withoutSections(fs.readFileSync(fixture))] : []),
      foreign['tiny.dll'](),
      foreign['tiny.dylib'](),
      foreign['fat.dylib'](),
    ];
    const outcomes = { read: 0, refused: 0 };
    for (let i = 0; i < 1200; i += 1) {
      const bytes = Buffer.from(originals[i % originals.length]);
      // The tables of a file are at its two ends.
      const at = () => Math.floor(random() < 0.5 ? random() * Math.min(1024, bytes.length) : random() * bytes.length);
      for (let n = 0; n < 1 + random() * 8; n += 1) bytes[at()] = random() < 0.3 ? 255 : Math.floor(random() * 256);
      const file = write('damaged', random() < 0.2 ? bytes.subarray(0, at()) : bytes);
      try {
        binding.inspect(file);
        outcomes.read += 1;
      } catch (error) {
        assert.equal(error.code, 'ERR_FFI_LIBRARY_INVALID', `seed ${seed}, file ${i}: ${error.stack}`);
        outcomes.refused += 1;
      }
    }
    assert.ok(outcomes.read > 50 && outcomes.refused > 50, JSON.stringify(outcomes));
  });

  test('pinned-ffi info writes control characters of names out, so that a file cannot command the terminal', async () => {
    const bytes = fs.readFileSync(fixture);
    const at = bytes.indexOf('\0bind_move\0') + 1;
    assert.ok(at > 0);
    bytes.write('b\x1b[31mxxx', at, 'latin1');
    const text = await prints(['info', write('terminal.so', bytes)]);
    assert.doesNotMatch(text, /\x1b/);
    assert.match(text, /b\\x1b\[31mxxx/);
  });

  test('pinned-ffi info ends quietly when nobody reads any more', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${bin}" info c | head -n 1`], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
  });
});

describe('doctor', () => {
  test('pinned-ffi doctor says what is installed, tries it, and ends with 0 where all of it works', async () => {
    const text = await prints(['doctor']);
    assert.match(text, new RegExp(`^pinned-ffi ${version}\\n {2}platform +${process.platform}-${process.arch}`));
    assert.match(text, new RegExp(`\\n {2}runtime +Node\\.js ${process.versions.node}`));
    assert.match(text, /\n {2}libffi +3\.\d+\.\d+\n/);
    assert.match(text, /\n {2}call path +(fast|generic|libffi)\b/);
    assert.match(text, /self-test\n( {2}ok {2}.*\n){10,}\nEverything works\.\n$/);
  });

  test('pinned-ffi doctor gives the same to programs as JSON', async () => {
    const report = JSON.parse(await prints(['doctor', '--json'], { PINNED_FFI_FENCE: '4096' }));
    assert.deepEqual(
      [report.version, report.platform, report.arch, report.ok],
      [version, process.platform, process.arch, true],
    );
    assert.deepEqual([report.fences.after, report.settings.PINNED_FFI_FENCE], [4096, '4096']);
    assert.ok(path.isAbsolute(report.addon) && report.addon.endsWith('.node'));
    assert.ok(report.tests.length >= 10 && report.tests.every(({ ok }) => ok));
  });

  test('pinned-ffi doctor works without fences, and says that there are none and why', async () => {
    assert.match(
      await prints(['doctor'], { PINNED_FFI_FENCE: 'off' }),
      /fences +only memory of alloc.*PINNED_FFI_FENCE=off[^]*Everything works/,
    );
  });

  test('pinned-ffi doctor ends with 1 and says what is wrong where the addon or a setting is', async () => {
    for (const [env, message] of [
      [{ PINNED_FFI_ADDON: '/nowhere.node' }, /FAILED: .*there is no native addon for .*\/nowhere\.node/],
      [{ PINNED_FFI_FENCE: 'wide' }, /FAILED: PINNED_FFI_FENCE must be off, on or a width/],
    ]) {
      const text = await cli(['doctor'], env);
      assert.equal(text.code, 1);
      assert.match(text.stdout, message);
      const json = await cli(['doctor', '--json'], env);
      assert.equal(json.code, 1);
      assert.equal(JSON.parse(json.stdout).ok, false);
    }
  });
});
