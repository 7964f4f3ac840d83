'use strict';
// C that is compiled while the program runs: what comes out, what the cache does, and what errors say.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { after, beforeEach, describe, test } = require('node:test');
const { ffi, fixture, throws } = require('./helpers.js');
const { onlyOn } = require('./requirements.js');
const { compile } = require('../lib/cc/compile.js');

const { cc } = ffi;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-cc-'));
after(() => fs.rmSync(folder, { recursive: true }));

const add = { args: ['i32', 'i32'], returns: 'i32' };
const number = { returns: 'i32' };
let count = 0;
let cache;

// Each test has a cache of its own, so that what is compiled is what the test says.
beforeEach(() => {
  cache = path.join(folder, `cache-${count++}`);
  process.env.PINNED_FFI_CACHE = cache;
});

function write(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

/** Compiles, calls the function f without arguments, and closes. */
function value(options) {
  const library = cc({ symbols: { f: number }, ...options });
  try {
    return library.symbols.f();
  } finally {
    library.close();
  }
}

const compiled = () => fs.readdirSync(path.join(cache, 'cc')).filter((file) => file.endsWith(`.${ffi.suffix}`));

describe('what is compiled', () => {
  test('C text becomes functions', () => {
    const library = cc({ source: 'int add(int a, int b) { return a + b; }', symbols: { add } });
    assert.equal(library.symbols.add(20, 22), 42);
    library.close();
    throws(() => library.symbols.add(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('a source may be a path, a file: URL or a file: string', () => {
    const file = write('a b ü.c', 'int f(void) { return 7; }');
    for (const source of [file, pathToFileURL(file), pathToFileURL(file).href]) assert.equal(value({ source }), 7);
  });

  test('several sources are linked together', () => {
    const other = write('other.c', 'int other(void) { return 5; }');
    const source = ['int other(void);\nint f(void) { return other() + 1; }', other];
    assert.equal(value({ source }), 6);
  });

  test('a path that exists is a path, even where it looks like C', () => {
    assert.equal(value({ source: write('odd;{}.c', 'int f(void) { return 8; }') }), 8);
  });

  test('macros, headers and flags reach the compiler in the order they were given', () => {
    const [first, second] = ['first', 'second'].map((name) => path.join(folder, name));
    [first, second].forEach((directory, index) => {
      fs.mkdirSync(directory, { recursive: true });
      fs.writeFileSync(path.join(directory, 'which.h'), `#define WHICH ${index + 1}\n`);
    });
    const source = '#include "which.h"\nint f(void) { return WHICH * SCALE + EXTRA; }';
    const options = { source, define: { SCALE: '10', EXTRA: '(1 + 2)' } };
    assert.equal(value({ ...options, include: [first, second] }), 13);
    assert.equal(value({ ...options, include: [second, first] }), 23);
    assert.equal(value({ source, include: first, flags: '-DSCALE=100  -DEXTRA=4' }), 104);
    assert.equal(value({ source, include: first, flags: ['-DSCALE=100', '-DEXTRA=5'] }), 105);
  });

  test('a library is linked by its name or by its path', { skip: onlyOn('posix') }, () => {
    const source = '#include <math.h>\nint f(void) { volatile double x = 0; return (int)cos(x); }';
    assert.equal(value({ source, library: 'm', flags: '-Wl,-z,defs'.repeat(process.platform === 'linux') }), 1);
    const calls = 'int add_i32(int, int);\nint f(void) { return add_i32(20, 22); }';
    assert.equal(value({ source: calls, library: fixture }), 42);
    assert.equal(value({ source: calls, library: [fixture] }), 42);
  });

  test('a symbol that the source does not have is an error', () => {
    const make = () => cc({ source: 'int f(void) { return 1; }', symbols: { g: number } });
    throws(make, 'ERR_FFI_SYMBOL_NOT_FOUND', /g/);
  });

  test('a warning is not an error and says nothing', async () => {
    const script =
      `require(${JSON.stringify(require.resolve('../lib/cc/compile.js'))})` +
      ".compile({ source: 'int f(void) { int unused; return 1; }', symbols: {}, flags: '-Wall' })";
    const child = spawn(process.execPath, ['-e', script]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    const [exitCode] = await once(child, 'close');
    assert.deepEqual([exitCode, output], [0, '']);
  });
});

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

  test('its directory is for its owner alone and holds nothing but libraries', { skip: onlyOn('posix') }, () => {
    value({ source });
    throws(() => value({ source: 'int f(void) { return; nonsense }' }), 'ERR_FFI_COMPILE_FAILED');
    assert.equal(fs.statSync(path.join(cache, 'cc')).mode & 0o777, 0o700);
    const isEntry = (file) => file.endsWith(`.${ffi.suffix}`) || file.endsWith('.json');
    assert.deepEqual(
      fs.readdirSync(path.join(cache, 'cc')).filter((file) => !isEntry(file)),
      [],
    );
  });

  test('a directory of its owner that others may read becomes private', { skip: onlyOn('posix') }, () => {
    fs.mkdirSync(path.join(cache, 'cc'), { recursive: true, mode: 0o755 });
    assert.equal(value({ source }), 1);
    assert.equal(compiled().length, 1);
    assert.equal(fs.statSync(path.join(cache, 'cc')).mode & 0o777, 0o700);
  });

  test('a directory that others may put another one in the place of is not used', { skip: onlyOn('posix') }, () => {
    fs.mkdirSync(cache);
    fs.chmodSync(cache, 0o777);
    assert.equal(value({ source }), 1);
    assert.deepEqual(fs.readdirSync(path.join(cache, 'cc')), []);
    // As /tmp: only the owner of a file may rename it.
    fs.chmodSync(cache, 0o1777);
    assert.equal(value({ source }), 1);
    assert.equal(compiled().length, 1);
  });

  test("another user's directory is not used", { skip: onlyOn('posix', 'root') }, () => {
    for (const owned of [cache, path.join(cache, 'cc')]) {
      fs.rmSync(cache, { recursive: true, force: true });
      fs.mkdirSync(path.join(cache, 'cc'), { recursive: true, mode: 0o700 });
      fs.chownSync(owned, 1234, 1234);
      assert.equal(value({ source }), 1);
      assert.deepEqual(fs.readdirSync(path.join(cache, 'cc')), []);
    }
  });

  test('a directory that others may write to is not used', { skip: onlyOn('posix') }, () => {
    fs.mkdirSync(path.join(cache, 'cc'), { recursive: true });
    fs.chmodSync(path.join(cache, 'cc'), 0o777);
    assert.equal(value({ source }), 1);
    assert.deepEqual(fs.readdirSync(path.join(cache, 'cc')), []);
  });

  test('where it cannot be made, a directory of this process serves', () => {
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
      `const { cc } = require(${JSON.stringify(require.resolve('../index.js'))});` +
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
    'library by name, -L apart': (folder) => ({ library: 'part', flags: ['-L', folder] }),
    'an archive in flags': (folder) => ({
      flags: ['-Wl,--whole-archive', path.join(folder, 'libpart.a'), '-Wl,--no-whole-archive'],
    }),
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
    test(name, () => {
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

  test('a file of arguments', () => {
    const file = path.join(folder, 'arguments');
    follows({ source: 'int f(void) { return VALUE; }', flags: [`@${file}`] }, (result) =>
      fs.writeFileSync(file, `-DVALUE=${result}\n`),
    );
    fs.writeFileSync(path.join(folder, 'outer'), `@${file}\n`);
    follows({ source: 'int f(void) { return VALUE; }', flags: [`@${path.join(folder, 'outer')}`] }, (result) =>
      fs.writeFileSync(file, `-DVALUE=${result}\n`),
    );
  });

  test('a header that flags include', () => {
    const file = path.join(folder, 'included.h');
    follows({ source: 'int f(void) { return VALUE; }', flags: ['-include', file] }, (result) =>
      fs.writeFileSync(file, `#define VALUE ${result}\n`),
    );
  });

  test('bytes that the assembler includes', { skip: onlyOn('linux') }, () => {
    const file = path.join(folder, 'bytes');
    const source = `__asm__(".section .rodata\\nbytes: .incbin \\"" ${JSON.stringify(file)} "\\"\\n.text");
extern const unsigned char bytes[] __attribute__((visibility("hidden")));
int f(void) { return bytes[0]; }`;
    follows({ source }, (result) => fs.writeFileSync(file, Buffer.of(result)));
  });

  test('a script of the linker', { skip: onlyOn('linux') }, () => {
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

  test('the directory that flags are relative to', () => {
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

  test('a library that is found in an earlier directory by now', () => {
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
    const file = write(`compiler ${count}`.replace(' ', '-'), `#!/bin/sh\n${script}\n`);
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
    test(`because it ${name} leaves no entry`, () => {
      withCompiler(half(end), () => {
        throws(() => value({ source }), 'ERR_FFI_COMPILE_FAILED');
        assert.deepEqual(fs.readdirSync(path.join(cache, 'cc')), []);
      });
      assert.equal(value({ source }), 4);
    });
  }

  test('because the process is killed leaves no entry, and its files go later', async () => {
    const script = `process.env.PINNED_FFI_CACHE = ${JSON.stringify(cache)};
      require(${JSON.stringify(require.resolve('../lib/cc/compile.js'))}).compile({ source: '${source}', symbols: {} });`;
    await withCompiler(half('kill -9 $PPID; sleep 1'), async () => {
      const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
      assert.deepEqual((await once(child, 'close'))[1], 'SIGKILL');
    });
    const left = fs.readdirSync(path.join(cache, 'cc'));
    assert.equal(left.length, 1);
    assert.equal(value({ source }), 4);
    const old = path.join(cache, 'cc', left[0]);
    assert.ok(fs.existsSync(old));
    fs.utimesSync(old, 0, 0);
    assert.equal(value({ source }), 4);
    assert.equal(fs.existsSync(old), false);
  });

  test('because what it read is changing is not kept', () => {
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

describe('errors', () => {
  test("source that does not compile is an error with the compiler's diagnostics", () => {
    const make = () => value({ source: 'int f(void) {\n  return missing_name;\n}' });
    const error = throws(make, 'ERR_FFI_COMPILE_FAILED', /missing_name/);
    assert.match(error.diagnostics, /<source>:2:\d+: error: .*missing_name/);
    assert.ok(Array.isArray(error.command) && error.command.length > 3);
  });

  test('a header or a library that is missing is named', () => {
    const include = '#include <no_such_header.h>\nint f;';
    throws(() => value({ source: include }), 'ERR_FFI_COMPILE_FAILED', /no_such_header\.h/);
    const make = () => value({ source: 'int f(void) { return 1; }', library: 'no_such_library' });
    throws(make, 'ERR_FFI_COMPILE_FAILED', /no_such_library/);
  });

  test('diagnostics name the file and the line of a source that is a file', () => {
    const file = write('broken.c', '\n\nint f(void) { return nothing; }\n');
    const error = throws(() => value({ source: file }), 'ERR_FFI_COMPILE_FAILED');
    assert.match(error.diagnostics, /broken\.c:3:\d+: error/);
  });

  test('a missing compiler is an error that says what was tried and what to install', () => {
    const { PATH, CC } = process.env;
    process.env.PATH = path.join(folder, 'nothing here');
    process.env.CC = 'no-such-cc --flag';
    try {
      const error = throws(() => value({ source: 'int f;' }), 'ERR_FFI_COMPILER_NOT_FOUND', /install/);
      assert.deepEqual(error.tried.slice(0, 1), ['no-such-cc --flag']);
      assert.ok(error.tried.includes('gcc') && error.tried.includes('clang'));
    } finally {
      process.env.PATH = PATH;
      if (CC === undefined) delete process.env.CC;
      else process.env.CC = CC;
    }
  });

  test('nothing in the options reaches a shell', () => {
    const trap = path.join(folder, 'trap');
    const source = 'int f(void) { return 1; }';
    for (const more of [{ flags: [`;touch ${trap}`] }, { library: '$(touch trap)' }, { library: '; touch trap' }]) {
      throws(() => value({ source, ...more }), 'ERR_FFI_COMPILE_FAILED');
    }
    assert.equal(fs.existsSync(trap) || fs.existsSync('trap'), false);
  });

  test('options of the wrong kind are refused by name', () => {
    const source = 'int f(void) { return 1; }';
    const wrong = [
      [{ source: 5 }, /source/],
      [{ source: [source, 5] }, /source\[1\]/],
      [{ source, library: 5 }, /library/],
      [{ source, include: [5] }, /include\[0\]/],
      [{ source, define: [] }, /define/],
      [{ source, define: 'A' }, /define/],
      [{ source, define: { A: 1 } }, /define\.A/],
      [{ source, flags: 5 }, /flags/],
      [{ source, flags: ['-O2', null] }, /flags\[1\]/],
      [{ source, symbols: null }, /symbols/],
      [{}, /source/],
    ];
    for (const [options, message] of wrong) {
      throws(() => cc({ symbols: {}, ...options }), 'ERR_INVALID_ARG_TYPE', message);
    }
    for (const options of [undefined, null, 5, 'int f;', []]) {
      throws(() => cc(options), 'ERR_INVALID_ARG_TYPE', /cc: options/);
    }
  });

  test('options of the right kind with a wrong value are refused by name', () => {
    const source = 'int f(void) { return 1; }';
    const wrong = [
      [{ source, sources: 1 }, /sources/],
      [{ source: [] }, /source/],
      [{ source: '' }, /source/],
      [{ source: 'no-such-file.c' }, /no-such-file\.c/],
      [{ source: `${source}\0` }, /NUL/],
      [{ source, library: '' }, /library/],
      [{ source, library: './no-such.so' }, /no-such\.so/],
      [{ source, define: { '1 A': '' } }, /1 A/],
      [{ source, define: { A: '\0' } }, /define\.A/],
      [{ source, include: ['a\0b'] }, /include\[0\]/],
    ];
    for (const [options, message] of wrong) {
      throws(() => cc({ symbols: {}, ...options }), 'ERR_INVALID_ARG_VALUE', message);
    }
  });
});
