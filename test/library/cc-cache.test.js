'use strict';
// The cache of compiled C: its keys, its directory, and failed compilations.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, fixture, throws } = require('../helpers.js');
const { cacheOfTest, compiled, folder, value, write } = require('./own-cache.js');
const { onlyOn } = require('../requirements.js');
const { compile } = require('../../lib/cc/compile.js');

const { cc } = ffi;
const number = { returns: 'i32' };

describe('the cache', () => {
  const source = 'int f(void) { return 1; }';

  test('the same source is compiled once', () => {
    const first = compile({ source, symbols: {} });
    const before = fs.statSync(first, { bigint: true });
    assert.equal(compile({ source, symbols: {} }), first);
    const now = fs.statSync(first, { bigint: true });
    assert.deepEqual([now.ino, now.mtimeNs], [before.ino, before.mtimeNs]);
    assert.equal(compiled().length, 1);
  });

  test('another source, macro, flag or library is compiled anew', () => {
    const changes = [{ define: { A: '1' } }, { flags: '-O1' }, { source: `${source}\nint g;` }, { library: fixture }];
    const variants = [{}, ...changes];
    const paths = variants.map((variant) => compile({ source, symbols: {}, ...variant }));
    assert.equal(new Set(paths).size, variants.length);
  });

  test('a header that changes is noticed', () => {
    const header = write('changing.h', '#define VALUE 1\n');
    const options = { source: '#include "changing.h"\nint f(void) { return VALUE; }', include: folder };
    assert.equal(value(options), 1);
    fs.writeFileSync(header, '#define VALUE 2\n');
    assert.equal(value(options), 2);
  });

  test(
    'the directory of the cache is for its owner alone and holds nothing but libraries',
    { skip: onlyOn('posix') },
    () => {
      value({ source });
      throws(() => value({ source: 'int f(void) { return; nonsense }' }), 'ERR_FFI_COMPILE_FAILED');
      assert.equal(fs.statSync(path.join(cacheOfTest(), 'cc')).mode & 0o777, 0o700);
      const isEntry = (file) => file.endsWith(`.${ffi.suffix}`) || file.endsWith('.json');
      assert.deepEqual(
        fs.readdirSync(path.join(cacheOfTest(), 'cc')).filter((file) => !isEntry(file)),
        [],
      );
    },
  );

  test('a directory of the user that others may read becomes private', { skip: onlyOn('posix') }, () => {
    fs.mkdirSync(path.join(cacheOfTest(), 'cc'), { recursive: true, mode: 0o755 });
    assert.equal(value({ source }), 1);
    assert.equal(compiled().length, 1);
    assert.equal(fs.statSync(path.join(cacheOfTest(), 'cc')).mode & 0o777, 0o700);
  });

  test('a directory that others may put another one in the place of is not used', { skip: onlyOn('posix') }, () => {
    fs.mkdirSync(cacheOfTest());
    fs.chmodSync(cacheOfTest(), 0o777);
    assert.equal(value({ source }), 1);
    assert.deepEqual(fs.readdirSync(path.join(cacheOfTest(), 'cc')), []);
    // As /tmp: only the owner of a file may rename it.
    fs.chmodSync(cacheOfTest(), 0o1777);
    assert.equal(value({ source }), 1);
    assert.equal(compiled().length, 1);
  });

  test("another user's directory is not used", { skip: onlyOn('posix', 'root') }, () => {
    for (const owned of [cacheOfTest(), path.join(cacheOfTest(), 'cc')]) {
      fs.rmSync(cacheOfTest(), { recursive: true, force: true });
      fs.mkdirSync(path.join(cacheOfTest(), 'cc'), { recursive: true, mode: 0o700 });
      fs.chownSync(owned, 1234, 1234);
      assert.equal(value({ source }), 1);
      assert.deepEqual(fs.readdirSync(path.join(cacheOfTest(), 'cc')), []);
    }
  });

  test('a directory that others may write to is not used', { skip: onlyOn('posix') }, () => {
    fs.mkdirSync(path.join(cacheOfTest(), 'cc'), { recursive: true });
    fs.chmodSync(path.join(cacheOfTest(), 'cc'), 0o777);
    assert.equal(value({ source }), 1);
    assert.deepEqual(fs.readdirSync(path.join(cacheOfTest(), 'cc')), []);
  });

  test('a directory of this process serves where the directory of the cache cannot be made', () => {
    process.env.PINNED_FFI_CACHE = write('a file', '');
    assert.equal(value({ source }), 1);
    if (process.platform === 'linux') {
      process.env.PINNED_FFI_CACHE = '/proc/nowhere';
      assert.equal(value({ source }), 1);
    }
  });

  test('processes that compile the same source at the same time all get it', async () => {
    const text = 'int f(void) { return 99; }';
    const script =
      `const { cc } = require(${JSON.stringify(require.resolve('../../index.js'))});` +
      `process.exitCode = cc({ source: '${text}', symbols: { f: { returns: 'i32' } } }).symbols.f()`;
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, ['-e', script], { stdio: 'inherit' }));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]));
    assert.deepEqual(codes, [99, 99, 99, 99]);
    assert.equal(compiled().length, 1);
  });
});

describe('what was read for a library is a part of what it is known by', { skip: onlyOn('posix') }, () => {
  const calls = 'int part(void);\nint f(void) { return part(); }';

  const made = new Map();

  /** Has the compiler write an object, and an archive of it, whose function returns `result`: once for each result. */
  function compilePart(result) {
    if (made.has(result)) return made.get(result);
    const directory = path.join(folder, `compiled part ${result}`);
    fs.mkdirSync(directory);
    const [source, object, archive] = ['part.c', 'part.o', 'libpart.a'].map((name) => path.join(directory, name));
    fs.writeFileSync(source, `int part(void) { return ${result}; }\n`);
    for (const [command, ...args] of [
      ['cc', '-c', '-fPIC', source, '-o', object],
      ['ar', 'rcsD', archive, object],
    ]) {
      const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
    made.set(result, [object, archive]);
    return made.get(result);
  }

  /** Writes part.o and libpart.a, whose function returns `result`. */
  function makePart(directory, result) {
    fs.mkdirSync(directory, { recursive: true });
    for (const file of compilePart(result)) fs.copyFileSync(file, path.join(directory, path.basename(file)));
  }

  /** The value follows what `change` does; without a change it is not compiled again. */
  function follows(options, change, values = [1, 2]) {
    for (const result of values) {
      change(result);
      for (let i = 0; i < 2; i += 1) assert.equal(value(options), result);
    }
  }

  const ways = {
    'library by name, -L in flags': (folder) => ({ library: 'part', flags: [`-L${folder}`] }),
    'a library by its name in flags': (folder) => ({ flags: ['-L', folder, '-l', 'part'] }),
    'an archive in flags': (folder) => ({
      flags: ['-Wl,--whole-archive', path.join(folder, 'libpart.a'), '-Wl,--no-whole-archive'],
    }),
    'an archive in flags, which the source comes before': (folder) => ({ flags: [path.join(folder, 'libpart.a')] }),
    'an object in flags': (folder) => ({ flags: [path.join(folder, 'part.o')] }),
    'a library by its path': (folder) => ({ library: path.join(folder, 'libpart.a') }),
    'an archive in a file of arguments': (folder) => {
      fs.writeFileSync(
        path.join(folder, 'args'),
        `-Wl,--whole-archive "${path.join(folder, 'libpart.a')}" -Wl,--no-whole-archive\n`,
      );
      return { flags: [`@${path.join(folder, 'args')}`] };
    },
    'an archive that an input of the linker names': (folder) => {
      fs.writeFileSync(path.join(folder, 'libscript.so'), `INPUT(${path.join(folder, 'libpart.a')})\n`);
      return { library: 'script', flags: [`-L${folder}`] };
    },
    'a thin archive': (folder) => {
      fs.rmSync(path.join(folder, 'libthin.a'), { force: true });
      spawnSync('ar', ['rcsDT', path.join(folder, 'libthin.a'), path.join(folder, 'part.o')]);
      return { library: 'thin', flags: [`-L${folder}`] };
    },
  };
  for (const [name, optionsIn] of Object.entries(ways)) {
    if (process.platform !== 'linux' && /thin|input|arguments|flags/.test(name)) continue;
    test(`a change of ${name} is noticed`, () => {
      const directory = path.join(folder, `parts ${name}`.replaceAll(' ', '-').replaceAll(',', ''));
      makePart(directory, 0);
      const options = optionsIn(directory);
      follows({ source: calls, ...options }, (result) => makePart(directory, result));
      assert.ok(compiled().length >= 2);
      const before = compiled().length;
      value({ source: calls, ...options });
      assert.equal(compiled().length, before);
    });
  }

  test('a file of arguments that has changed is read again', () => {
    const file = path.join(folder, 'arguments');
    follows({ source: 'int f(void) { return VALUE; }', flags: [`@${file}`] }, (result) =>
      fs.writeFileSync(file, `-DVALUE=${result}\n`),
    );
    fs.writeFileSync(path.join(folder, 'outer'), `@${file}\n`);
    follows({ source: 'int f(void) { return VALUE; }', flags: [`@${path.join(folder, 'outer')}`] }, (result) =>
      fs.writeFileSync(file, `-DVALUE=${result}\n`),
    );
  });

  test('a header that flags include and that has changed is noticed', () => {
    const file = path.join(folder, 'included.h');
    follows({ source: 'int f(void) { return VALUE; }', flags: ['-include', file] }, (result) =>
      fs.writeFileSync(file, `#define VALUE ${result}\n`),
    );
  });

  test('bytes that the assembler includes and that have changed are noticed', { skip: onlyOn('linux') }, () => {
    const file = path.join(folder, 'bytes');
    const source = `__asm__(".section .rodata\\nbytes: .incbin \\"" ${JSON.stringify(file)} "\\"\\n.text");
extern const unsigned char bytes[] __attribute__((visibility("hidden")));
int f(void) { return bytes[0]; }`;
    follows({ source }, (result) => fs.writeFileSync(file, Buffer.of(result)));
  });

  test('a script of the linker that has changed is noticed', { skip: onlyOn('linux') }, () => {
    const file = path.join(folder, 'versions');
    const options = {
      source: 'int f(void) { return 1; }\nint g(void) { return 2; }',
      flags: [`-Wl,--version-script=${file}`],
    };
    fs.writeFileSync(file, '{ global: f; local: *; };\n');
    assert.equal(value(options), 1);
    throws(() => cc({ ...options, symbols: { g: number } }), 'ERR_FFI_SYMBOL_NOT_FOUND');
    fs.writeFileSync(file, '{ global: f; g; local: *; };\n');
    assert.equal(value({ ...options, symbols: { f: { ...number, name: 'g' } } }), 2);
  });

  test('the directory that flags are relative to is noticed', () => {
    const directories = [1, 2].map((result) => {
      const directory = path.join(folder, `relative ${result}`);
      makePart(directory, result);
      return directory;
    });
    const here = process.cwd();
    try {
      for (const [i, directory] of [...directories.entries(), ...directories.entries()]) {
        process.chdir(directory);
        assert.equal(value({ source: calls, flags: ['-L.', '-Wl,-L.'], library: 'part' }), i + 1);
        assert.equal(value({ source: calls, flags: ['-Wl,-L.'], library: 'part' }), i + 1);
      }
    } finally {
      process.chdir(here);
    }
  });

  test('a library that is found in an earlier directory by now is noticed', () => {
    const [first, second] = ['earlier', 'later'].map((name) => path.join(folder, name));
    fs.mkdirSync(first);
    makePart(second, 2);
    const options = { source: calls, flags: [`-L${first}`, `-L${second}`], library: 'part' };
    assert.equal(value(options), 2);
    makePart(first, 1);
    assert.equal(value(options), 1);
  });
});

describe('a compilation that comes to no end', { skip: onlyOn('posix') }, () => {
  const source = 'int f(void) { return 4; }';
  const withCompiler = (script, body) => {
    const { CC } = process.env;
    const file = write(`compiler-${path.basename(cacheOfTest())}`, `#!/bin/sh\n${script}\n`);
    fs.chmodSync(file, 0o755);
    process.env.CC = file;
    try {
      return body();
    } finally {
      if (CC === undefined) delete process.env.CC;
      else process.env.CC = CC;
    }
  };
  // Has the real compiler do all but the last step, of which it leaves a half.
  const half = (end) => `out=; for a; do test "$last" = -o && out=$a; last=$a; done
case "$*" in *-shared*) cc "$@" >/dev/null; dd if="$out" of="$out.half" bs=1000 count=1 2>/dev/null; mv "$out.half" "$out"; ${end};; *) exec cc "$@";; esac`;

  for (const [name, end] of [
    ['is killed', 'kill -9 $$'],
    ['has no room on the disk', 'echo "No space left on device" >&2; exit 1'],
  ]) {
    test(`a compilation that ${name} leaves no entry`, () => {
      withCompiler(half(end), () => {
        throws(() => value({ source }), 'ERR_FFI_COMPILE_FAILED');
        assert.deepEqual(fs.readdirSync(path.join(cacheOfTest(), 'cc')), []);
      });
      assert.equal(value({ source }), 4);
    });
  }

  test('a compilation whose process is killed leaves no entry, and its files go later', async () => {
    const script = `process.env.PINNED_FFI_CACHE = ${JSON.stringify(cacheOfTest())};
      require(${JSON.stringify(require.resolve('../../lib/cc/compile.js'))}).compile({ source: '${source}', symbols: {} });`;
    await withCompiler(half('kill -9 $PPID; sleep 1'), async () => {
      const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
      assert.deepEqual((await once(child, 'close'))[1], 'SIGKILL');
    });
    const left = fs.readdirSync(path.join(cacheOfTest(), 'cc'));
    assert.equal(left.length, 1);
    assert.equal(value({ source }), 4);
    const old = path.join(cacheOfTest(), 'cc', left[0]);
    assert.ok(fs.existsSync(old));
    fs.utimesSync(old, 0, 0);
    assert.equal(value({ source }), 4);
    assert.equal(fs.existsSync(old), false);
  });

  test('a compilation whose input changes meanwhile is not kept', () => {
    const directory = path.join(folder, 'changing');
    fs.mkdirSync(directory);
    const object = path.join(directory, 'part.o');
    spawnSync('cc', ['-c', '-fPIC', '-x', 'c', '-', '-o', object], { input: 'int part(void) { return 1; }' });
    spawnSync('cc', ['-c', '-fPIC', '-x', 'c', '-', '-o', `${object}.2`], { input: 'int part(void) { return 2; }' });
    const options = { source: 'int part(void);\nint f(void) { return part(); }', flags: [object] };
    withCompiler(
      `cc "$@"; status=$?; case "$*" in *-shared*) cp '${object}.2' '${object}';; esac; exit $status`,
      () => {
        assert.equal(value(options), 1);
        assert.deepEqual(compiled(), []);
        assert.equal(value(options), 2);
        assert.equal(value(options), 2);
      },
    );
  });
});
