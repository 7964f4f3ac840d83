'use strict';
// Libraries that bring their own copy of something that Node exports: they call their own.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { runs, run, makeFolder } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { withoutSections } = require('../fixtures/elf.js');

const isGlibc = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime !== undefined;
const directory = makeFolder('pinned-ffi-interpose');

function library(name, source, flags = []) {
  const file = path.join(directory, `${name}.so`);
  fs.writeFileSync(path.join(directory, `${name}.c`), source);
  execFileSync('cc', ['-shared', '-fPIC', '-o', file, path.join(directory, `${name}.c`), ...flags]);
  return file;
}

describe('a library that defines what Node exports', { skip: onlyOn('glibc') }, () => {
  const own =
    isGlibc &&
    library(
      'own',
      `const char *zlibVersion(void) { return "mine"; }
    const char *which(void) { return zlibVersion(); }
    int crash(void) { return *(volatile int *)8; }`,
    );
  const weak =
    isGlibc &&
    library(
      'weak',
      `__attribute__((weak)) const char *zlibVersion(void) { return "mine"; }
    const char *which(void) { return zlibVersion(); }`,
    );
  const none =
    isGlibc &&
    library('none', 'extern const char *zlibVersion(void); const char *which(void) { return zlibVersion(); }');
  const malloc =
    isGlibc &&
    library(
      'malloc',
      `#define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stddef.h>
    void *malloc(size_t n) { static void *(*real)(size_t); if (!real) real = dlsym(RTLD_NEXT, "malloc"); return real(n); }`,
      ['-ldl'],
    );
  const which = (file, options) =>
    `ffi.dlopen(${JSON.stringify(file)}, { which: { returns: 'cstring' } }${options ?? ''}).symbols.which()`;
  const bun = (file, options) =>
    `require(h.root + '/bun.js').dlopen(${JSON.stringify(file)}, { which: { returns: 'cstring' } }${options ?? ''}).symbols.which()`;
  const nodes = process.versions.zlib;
  const said = async (code, env) => runs(`console.log(String(${code}))`, { env });
  const isMine = (text) => text === 'mine';

  test('a library that defines what Node exports calls its own', async () =>
    assert.equal(await said(which(own)), 'mine'));

  test('a library that defines what Node exports calls its own in the dialect of bun, too, which takes the same options', async () => {
    assert.equal(await said(bun(own)), 'mine');
    const { RTLD_NOW } = os.constants.dlopen;
    assert.ok(!isMine(await said(bun(own, `, { flags: ${RTLD_NOW} }`))));
  });

  test("a library that defines what Node exports calls Node's with flags that say so, and with PINNED_FFI_DEEPBIND=0", async () => {
    assert.ok(!isMine(await said(which(own, `, { flags: ${os.constants.dlopen.RTLD_NOW} }`))), nodes);
    assert.ok(!isMine(await said(which(own), { PINNED_FFI_DEEPBIND: '0' })));
    assert.ok(!isMine(await said(bun(own), { PINNED_FFI_DEEPBIND: '0' })));
  });

  test('a library that defines what Node exports is left alone where its definition is weak, or it has none: the process has one', async () => {
    assert.ok(!isMine(await said(which(weak))));
    assert.ok(!isMine(await said(which(none))));
    assert.equal(await said(which(weak), { PINNED_FFI_DEEPBIND: '1' }), 'mine');
  });

  test('a library that defines what Node exports is left alone where it uses variables of the process, but for its streams', async () => {
    const source = (body) => `#include <stdio.h>
      extern char **environ;
      const char *zlibVersion(void) { return "mine"; }
      const char *which(void) { ${body} return zlibVersion(); }`;
    const environment = library(
      'environment',
      source('if (environ == NULL || *environ == NULL) return "no environment";'),
    );
    const streams = library('streams', source('fprintf(stderr, " "); fflush(stdout);'));
    assert.ok(!['mine', 'no environment'].includes(await said(which(environment))));
    assert.equal(await said(which(streams)), 'mine');
  });

  describe('by a dependency that defines it', () => {
    const beside = ['-L', directory, '-Wl,-rpath,$ORIGIN'];
    const uses = `extern const char *zlibVersion(void); const char *which(void) { return zlibVersion(); }`;
    const dependent = (name, ...libraries) =>
      library(name, uses, [...beside, ...libraries.map((each) => `-l:${each}.so`)]);
    const has = (call) => `console.log(ffi.dlopen(${JSON.stringify(call)}, {}).path)`;

    test('a library calls what its dependency defines, and so does one that needs it by another', async () => {
      library('dependency', 'const char *zlibVersion(void) { return "mine"; }', ['-Wl,-soname,dependency.so']);
      const direct = dependent('direct', 'dependency');
      library('between', 'int between(void) { return 1; }', [...beside, '-Wl,--no-as-needed', '-l:dependency.so']);
      const indirect = library('indirect', uses, [...beside, '-Wl,--no-as-needed', '-l:between.so']);
      assert.equal(await said(which(direct)), 'mine');
      assert.equal(await said(which(indirect)), 'mine');
      assert.ok(!isMine(await said(which(direct), { PINNED_FFI_DEEPBIND: '0' })));
    });

    test('two libraries that need the same dependency call the same functions', async () => {
      library('common', 'const char *zlibVersion(void) { return "mine"; }', ['-Wl,-soname,common.so']);
      const [first, second] = ['first', 'second'].map((name) => dependent(name, 'common'));
      assert.equal(await said(`[${which(first)}, ${which(second)}]`), 'mine,mine');
    });

    test('a library is left alone where a dependency uses variables of the process that no dependency defines', async () => {
      const source = 'extern char **environ; const char *zlibVersion(void) { return environ ? "mine" : "none"; }';
      library('with-environment', source, ['-Wl,-soname,with-environment.so']);
      assert.ok(!['mine', 'none'].includes(await said(which(dependent('direct-environment', 'with-environment')))));
      // A variable that one dependency defines and another one uses.
      library('defines', 'int adler32_z = 7; const char *zlibVersion(void) { return "mine"; }', [
        '-Wl,-soname,defines.so',
      ]);
      const both = library('both', `${uses} extern int adler32_z; int *used(void) { return &adler32_z; }`, [
        ...beside,
        '-l:defines.so',
      ]);
      assert.equal(await said(which(both)), 'mine');
    });

    test('a dependency that is missing is the error of the loader', async () => {
      library('gone', 'const char *zlibVersion(void) { return "mine"; }', ['-Wl,-soname,gone.so']);
      const file = dependent('without', 'gone');
      fs.rmSync(path.join(directory, 'gone.so'));
      const { stderr } = await run({ code: has(file) });
      assert.match(stderr, /ERR_FFI_LIBRARY_NOT_FOUND|ERR_FFI_LIBRARY/);
      assert.match(stderr, /gone\.so: cannot open shared object file/);
    });
  });

  for (const style of ['gnu', 'sysv', 'both']) {
    test(`a library that defines what Node exports calls its own where the file has no section headers, with a hash table of the style ${style}`, async () => {
      const source = `const char *zlibVersion(void) { return "mine"; } const char *which(void) { return zlibVersion(); }`;
      const file = library(`sectionless-${style}`, source, [`-Wl,--hash-style=${style}`]);
      fs.writeFileSync(file, withoutSections(fs.readFileSync(file)));
      assert.equal(await said(which(file)), 'mine');
    });
  }

  test('a library that defines what Node exports is left alone where malloc is replaced', async () => {
    assert.ok(!isMine(await said(which(own), { LD_PRELOAD: malloc })));
  });

  test("a library that defines what Node exports is named in the report of a crash, if it calls Node's", async () => {
    const { stderr, signal } = await run({
      code: `ffi.dlopen(${JSON.stringify(own)}, { crash: { returns: 'int' } }).symbols.crash()`,
      env: { PINNED_FFI_TRACE: '1', PINNED_FFI_DEEPBIND: '0' },
    });
    assert.equal(signal, 'SIGSEGV');
    assert.match(stderr, /it calls Node's zlibVersion in place of its own: try PINNED_FFI_DEEPBIND=1/);
  });

  test('wrong settings are refused', async () => {
    const { stderr, code } = await run({ code: '', env: { PINNED_FFI_DEEPBIND: 'yes' } });
    assert.notEqual(code, 0);
    assert.match(stderr, /PINNED_FFI_DEEPBIND must be 0 or 1/);
  });
});
