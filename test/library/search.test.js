'use strict';
// Which files the loader is asked for, and whether a person's name for a library leads to it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { describe, test } = require('node:test');
const { ffi, fixture, root, throws, makeFolder } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { candidates, toPath } = require('../../lib/library/resolve.js');
const { cachedFiles } = require('../../lib/library/search.js');
const { entriesFor } = require('../../lib/library/ld-cache.js');
const { suffix, isMusl, platformKey } = require('../../lib/native/platform.js');

const onLinux = { skip: onlyOn('linux') };
const folder = makeFolder('pinned-ffi-search');

/** Puts copies of the fixture into a directory of the search path for the length of `fn`. */
function withLibraries(files, fn) {
  const directory = fs.mkdtempSync(path.join(folder, 'lib-'));
  for (const file of files) fs.copyFileSync(fixture, path.join(directory, file));
  const before = process.env.LD_LIBRARY_PATH;
  process.env.LD_LIBRARY_PATH = directory;
  try {
    return fn(directory);
  } finally {
    if (before === undefined) delete process.env.LD_LIBRARY_PATH;
    else process.env.LD_LIBRARY_PATH = before;
  }
}

/** An /etc/ld.so.cache with these [flags, soname, file]. */
function makeCache(entries) {
  const big = os.endianness() === 'BE';
  const size = 48 + 24 * entries.length;
  const header = Buffer.alloc(size);
  const u32 = (value, at) => (big ? header.writeUInt32BE(value, at) : header.writeUInt32LE(value, at));
  header.write('glibc-ld.so.cache1.1');
  u32(entries.length, 20);
  let strings = Buffer.alloc(0);
  const place = (text) => {
    const at = size + strings.length;
    strings = Buffer.concat([strings, Buffer.from(`${text}\0`)]);
    return at;
  };
  entries.forEach(([flags, soname, file], index) => {
    [flags, place(soname), place(file)].forEach((value, field) => u32(value, 48 + 24 * index + 4 * field));
  });
  return Buffer.concat([header, strings]);
}

describe('names', () => {
  test('a name with a path separator is tried as it is and nothing else', () => {
    const paths = ['/usr/lib/libz.so', './libz.so', '../a', 'folder/z'];
    for (const name of paths) assert.deepEqual(candidates(name), [name]);
    const windowsPaths = ['C:\\a\\z.dll', 'a\\z', 'a/z', 'C:z'];
    for (const name of windowsPaths) assert.deepEqual(candidates(name, 'win32'), [name]);
  });

  test('a bare name becomes the file name of the platform', () => {
    assert.equal(candidates('nowhere', 'linux')[0], 'libnowhere.so');
    assert.equal(candidates('nowhere', 'darwin')[0], 'libnowhere.dylib');
    assert.deepEqual(candidates('nowhere', 'win32'), ['nowhere.dll', 'libnowhere.dll']);
  });

  test('a file name is tried as it is first', () => {
    assert.deepEqual(candidates('nowhere.so', 'linux'), ['nowhere.so', 'libnowhere.so']);
    assert.deepEqual(candidates('libnowhere.so.1', 'linux'), ['libnowhere.so.1']);
    assert.equal(candidates('libnowhere.1.dylib', 'darwin')[0], 'libnowhere.1.dylib');
    assert.equal(candidates('nowhere.dll', 'win32')[0], 'nowhere.dll');
  });

  test('a name that already begins with lib is not given a second lib before it was tried with one', () => {
    assert.deepEqual(candidates('libnowhere', 'linux'), ['libnowhere.so', 'liblibnowhere.so']);
  });

  test('on macOS a bare name may be a framework or come from Homebrew', () => {
    const names = candidates('CoreFoundation', 'darwin');
    assert.ok(names.includes('CoreFoundation.framework/CoreFoundation'));
    assert.ok(names.includes('/opt/homebrew/lib/libCoreFoundation.dylib'));
  });

  test('odd names give names to try, never an exception', () => {
    for (const name of ['', '.', '.so', '.so.1', 'a.so.', '(', '[a', '*', '\0', 'ü', '__proto__', 'constructor']) {
      for (const platform of ['linux', 'darwin', 'win32']) assert.ok(Array.isArray(candidates(name, platform)), name);
    }
  });
});

describe('on Linux', onLinux, () => {
  test('versions are tried from the highest to the lowest, by number and not by letter', () => {
    const others = ['libpick.so.9-gdb.py', 'libpicks.so.99'];
    withLibraries(['libpick.so.2', 'libpick.so.10', 'libpick.so.10.1', ...others], (dir) => {
      const names = ['libpick.so.10', 'libpick.so.10.1', 'libpick.so.2'].map((file) => path.join(dir, file));
      assert.deepEqual(candidates('pick'), ['libpick.so', ...names]);
      assert.deepEqual(candidates('libpick.so.2'), ['libpick.so.2', names[2]]);
    });
  });

  test('a library that has only a versioned file is opened by its bare name', () => {
    withLibraries(['libonlyversioned.so.3'], (directory) => {
      const library = ffi.dlopen('onlyversioned', { add_i32: { args: ['i32', 'i32'], returns: 'i32' } });
      assert.equal(library.symbols.add_i32(20, 22), 42);
      assert.equal(library.path, path.join(directory, 'libonlyversioned.so.3'));
      library.close();
    });
  });

  test('a name with half a character is a library that is not found, like any other', () => {
    for (const name of ['\ud800', 'a\ud800b', 'lib\udc00.so'])
      throws(() => ffi.dlopen(name, {}), 'ERR_FFI_LIBRARY_INVALID', /^Failed to open library/);
  });

  test(
    'the error for a name that resembles that of an installed library has that name',
    { skip: onlyOn('glibc') },
    () => {
      for (const [name, hint] of [
        ['libc.so.99', /\nAnother version of it is installed, which the name without a version finds: 'c'\.$/],
        ['pthraed', /\nDid you mean 'pthread'\?$/],
        ['libpthraed.so', /\nDid you mean 'pthread'\?$/],
        ['/nowhere/libpthraed.so', /(?<!\?)$/],
      ])
        throws(() => ffi.dlopen(name), 'ERR_FFI_LIBRARY_NOT_FOUND', hint);
    },
  );

  test('a library that appears while the process runs is found', () => {
    withLibraries([], (directory) => {
      assert.deepEqual(candidates('late'), ['liblate.so']);
      fs.copyFileSync(fixture, path.join(directory, 'liblate.so.1'));
      fs.utimesSync(directory, new Date(), new Date(Date.now() + 5000));
      assert.deepEqual(candidates('late'), ['liblate.so', path.join(directory, 'liblate.so.1')]);
    });
  });

  test('a text file where a library is expected does not hide the next version of it', () => {
    withLibraries(['libscript.so.1'], (directory) => {
      fs.writeFileSync(path.join(directory, 'libscript.so.2'), '/* GNU ld script */ GROUP ( libscript.so.1 )\n');
      const library = ffi.dlopen('script', { add_i32: { args: ['i32', 'i32'], returns: 'i32' } });
      assert.equal(library.path, path.join(directory, 'libscript.so.1'));
      library.close();
    });
  });

  test('a file under two names is tried once', () => {
    withLibraries(['libtwice.so.1.0'], (directory) => {
      fs.symlinkSync('libtwice.so.1.0', path.join(directory, 'libtwice.so.1'));
      assert.deepEqual(candidates('twice'), ['libtwice.so', path.join(directory, 'libtwice.so.1')]);
    });
  });

  test('the directories are not read where the loader or its cache knows the name', { skip: onlyOn('glibc') }, () => {
    const { readdirSync } = fs;
    let reads = 0;
    fs.readdirSync = (...values) => ((reads += 1), readdirSync(...values));
    try {
      for (const name of ['libc.so.6', 'libm.so.6', 'libc.so.6']) ffi.dlopen(name, {}).close();
      assert.equal(reads, 0);
      withLibraries(['libthere.so.1'], () => ffi.dlopen('there', {}).close());
      assert.notEqual(reads, 0);
    } finally {
      fs.readdirSync = readdirSync;
    }
  });

  test('the math library opens by its bare name, even where libm.so is a text file for the linker', () => {
    const library = ffi.dlopen('m', { cos: { args: ['f64'], returns: 'f64' } });
    assert.equal(library.symbols.cos(0), 1);
    library.close();
  });

  test('directories in the search path that are missing or are files are passed over', () => {
    const before = process.env.LD_LIBRARY_PATH;
    process.env.LD_LIBRARY_PATH = `/nowhere:${__filename}::;relative`;
    try {
      assert.deepEqual(candidates('nowhere'), ['libnowhere.so']);
    } finally {
      if (before === undefined) delete process.env.LD_LIBRARY_PATH;
      else process.env.LD_LIBRARY_PATH = before;
    }
  });

  test("the loader's cache agrees with ldconfig", { skip: onlyOn('glibc') || needs('ldconfig') }, () => {
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    const { stdout, status } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8', env });
    assert.equal(status, 0);
    const lines = [...stdout.matchAll(/^\t(\S+) \(.*\) => (.*)$/gm)];
    const all = new Set(lines.map(([, soname, file]) => `${soname} => ${file}`));
    const found = lines.flatMap(([, soname]) => cachedFiles(soname).map((file) => `${soname} => ${file}`));
    assert.ok(found.length > 0);
    assert.deepEqual(
      found.filter((entry) => !all.has(entry)),
      [],
    );
    // A machine may have libraries of other architectures, too.
    assert.ok(new Set(found).size > all.size / 3);
  });
});

describe("the loader's cache", () => {
  const flags = 0x0303;

  test('only entries of the given machine count', () => {
    const file = makeCache([
      [flags, 'libpick.so.1', '/lib/libpick.so.1'],
      [0x0003, 'libpick.so.9', '/lib32/libpick.so.9'],
    ]);
    assert.deepEqual(entriesFor(file, 'libpick', flags), [{ soname: 'libpick.so.1', file: '/lib/libpick.so.1' }]);
  });

  test('the new format is found behind the old one', () => {
    const old = Buffer.from('ld.so-1.7.0 and its entries');
    const file = Buffer.concat([old, makeCache([[flags, 'liba.so.1', '/liba.so.1']])]);
    assert.deepEqual(entriesFor(file, 'liba.so', flags), [{ soname: 'liba.so.1', file: '/liba.so.1' }]);
  });

  test('a soname that is the end of a path is found, other places where the text occurs are not', () => {
    const entries = [
      [flags, 'libb.so.2', '/opt/liba.so.1'],
      [flags, 'liba.so.1', '/lib/libb.so.2'],
    ];
    const file = makeCache(entries);
    const at = file.indexOf('/opt/liba.so.1') + '/opt/'.length;
    (os.endianness() === 'BE' ? file.writeUInt32BE : file.writeUInt32LE).call(file, at, 48 + 24 + 4);
    assert.deepEqual(entriesFor(file, 'liba.so', flags), [{ soname: 'liba.so.1', file: '/lib/libb.so.2' }]);
    assert.deepEqual(entriesFor(file, 'lib', flags).length, 2);
  });

  test('a missing, foreign or cut file gives what is whole in it, never an exception', () => {
    const file = makeCache([
      [flags, 'liba.so.1', '/liba.so.1'],
      [flags, 'libb.so.1', '/libb.so.1'],
    ]);
    assert.deepEqual(entriesFor(undefined, 'lib', flags), []);
    assert.deepEqual(entriesFor(Buffer.from('something else'), 'lib', flags), []);
    for (let length = 0; length <= file.length; length++) {
      assert.ok(entriesFor(file.subarray(0, length), 'lib', flags).length <= 2);
    }
    const lying = Buffer.from(file);
    lying.fill(0xff, 20, 24);
    lying.fill(0xff, 52, 60);
    assert.ok(entriesFor(lying, 'lib', flags).length <= 2);
  });
});

describe('paths', () => {
  test('a file: URL and a file: string become the path they stand for', () => {
    const url = pathToFileURL(path.join(folder, 'a b ü.so'));
    assert.equal(toPath(url, 'x'), path.join(folder, 'a b ü.so'));
    assert.equal(toPath(url.href, 'x'), path.join(folder, 'a b ü.so'));
    assert.equal(toPath('sqlite3', 'x'), 'sqlite3');
  });

  test('a value that is no path is refused by a message that says where', () => {
    for (const value of [undefined, null, 5, 5n, {}, [], Symbol('s'), () => {}, Buffer.from('a')]) {
      throws(() => toPath(value, 'dlopen: path'), 'ERR_INVALID_ARG_TYPE', /^dlopen: path must be/);
    }
    for (const value of ['', 'a\0b', new URL('http://a/b'), 'file://%', 'file:///a%00b']) {
      throws(() => toPath(value, 'dlopen: path'), 'ERR_INVALID_ARG_VALUE', /^dlopen: path must be/);
    }
  });
});

describe('the platform', () => {
  test('the key of the platform names system, processor and, where it is musl, the C library', () => {
    assert.match(platformKey(), /^(linux|darwin|win32)-[a-z0-9]+(-musl)?$/);
    assert.ok(platformKey().startsWith(`${process.platform}-${process.arch}`));
    assert.equal(suffix, { win32: 'dll', darwin: 'dylib' }[process.platform] ?? 'so');
  });

  test('musl is told from glibc as Node itself reports it', onLinux, () => {
    process.report.excludeNetwork = true;
    assert.equal(isMusl(), process.report.getReport().header.glibcVersionRuntime === undefined);
  });
});

describe('the addon', () => {
  const load = (addon) => {
    const script =
      "try { require('./lib/native/binding.js') } catch (error) { console.log(JSON.stringify(error)); " +
      'console.log(error.message) }';
    const env = { ...process.env, PINNED_FFI_ADDON: addon };
    return spawnSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }).stdout;
  };

  test('a missing addon is an error that names the platform, the path and the command that builds it', () => {
    const output = load(path.join(folder, 'none.node'));
    assert.match(output, /"code":"ERR_FFI_ADDON_NOT_FOUND"/);
    for (const part of [platformKey(), path.join(folder, 'none.node'), 'npx pinned-ffi build']) {
      assert.ok(output.includes(part), `${part} in ${output}`);
    }
  });

  test("an addon that does not load is an error with the loader's text", () => {
    const bad = path.join(folder, 'bad.node');
    fs.writeFileSync(bad, 'no library');
    const output = load(bad);
    assert.match(output, /"code":"ERR_FFI_ADDON_NOT_FOUND"/);
    assert.match(output, /bad\.node.* does not load: .+/);
  });
});
