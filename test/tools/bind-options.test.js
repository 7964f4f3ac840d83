'use strict';
// `pinned-ffi bind`: hints, kinds of modules, where headers and libraries are, and what cannot be bound.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { fixture } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { header, folder, run, bind, generate, runs, fails, OUT } = require('./bind-folder.js');

describe('what a header does not say', { concurrency: 2 }, () => {
  const skip = needs('clang');

  test('options of the command line and of a file say it, and what does not fit is listed', { skip }, async () => {
    const hints = path.join(folder, 'bind.hints.json');
    fs.writeFileSync(
      hints,
      JSON.stringify({
        lib: fixture,
        out: ['*.created', '*.value', '!bind_packed_value.*', 'bind_add.a'],
        text: 'bind_owned',
        free: ['bind_owned=free', 'bind_destroy', 'bind_add'],
        number: ['bind_measure', 'bind_all_list.c', 'bind_all.wide', 'bind_all.list'],
        fails: ['bind_create=nonzero', 'no_such_function'],
        errno: ['bind_add'],
        length: ['bind_add.a=b', 'bind_sum.count=data'],
        threads: 'bind_call',
        leaf: ['bind_sum', 'bind_call'],
      }),
    );
    const { text, notes } = await generate('hinted', [header, '--hints', hints, '--out', 'bind_read.name']);
    assert.match(text, /bind_opaque = opaque\('bind_opaque', \{ free: 'bind_destroy' \}\)/);
    assert.match(text, /bind_add: \{ args: \['int', 'int'\], returns: 'int', errno: true \}/);
    assert.match(text, /bind_call: \{.*threads: true \}/);
    assert.match(text, /bind_sum: \{.*leaf: true \}/);
    assert.match(text, /\n {2}c: 'i64_number',/);
    assert.match(text, /\n {2}wide: \{ type: 'u64_number', bits: 40 \},/);
    for (const line of [
      /--out 'bind_add\.a': bind_add\.a: no pointer to a value of a known type/,
      /--leaf 'bind_call': bind_call: .*calls no callback/,
      /--free 'bind_add': bind_add: it takes no handle/,
      /--length 'bind_add\.a=b': bind_add\.a: .*lengthOf/,
      /--length 'bind_sum\.count=data': bind_sum\.count: bind_sum has no parameter data/,
      /--fails 'no_such_function': it matches nothing/,
    ])
      assert.match(notes, line);
    assert.deepEqual(
      await runs(
        'hinted',
        `const { out: [handle] } = m.bind_create();
      const read = m.bind_read(handle).out;
      m.bind_destroy(handle);
      let freed;
      try { m.bind_read(handle); } catch (error) { freed = error.message; }
      print([m.bind_owned(), m.bind_measure('text'), read, /freed/.test(freed)]);`,
      ),
      ['owned', 4, [11, 'opaque'], true],
    );
  });

  test('a file of hints with an unknown option, or that is none, is refused', { skip }, async () => {
    const file = path.join(folder, 'wrong.hints.json');
    fs.writeFileSync(file, '{ "outs": "*" }');
    await fails([header, '--hints', file], 2, /wrong\.hints\.json: there is no option 'outs'/);
    fs.writeFileSync(file, '{ "out": 1 }');
    await fails([header, '--hints', file], 1, /must be an object of texts and lists of texts/);
    await fails([header, '--hints', path.join(folder, 'none.json')], 1, /none\.json: ENOENT/);
  });

  test('inline functions and macros with parameters are bound by C that the module compiles', { skip }, async () => {
    const args = [header, '--lib', fixture, '--inline', 'bind_*', '--inline', 'int BIND_CALL(int x)'];
    await generate('inline', args);
    assert.deepEqual(await runs('inline', 'print([m.bind_inline(4), m.BIND_CALL(41)]);'), [5, 42]);
  });

  test('a length is checked against the buffer that it counts', { skip }, async () => {
    const file = path.join(folder, 'lengths.h');
    fs.writeFileSync(
      file,
      '#include <stddef.h>\nvoid *memcpy(void *to, const void *from, size_t bytes);\nsize_t strlen(const char *text);\n',
    );
    await generate('lengths', [file, '--lib', 'c', '--length', '*.bytes=to', '--length', 'strlen.text=text']);
    assert.deepEqual(
      await runs(
        'lengths',
        `const to = Buffer.alloc(4);
      let code;
      try { m.memcpy(to, Buffer.from('longer'), 6); } catch (error) { code = error.code; }
      m.memcpy(to, Buffer.from('longer'), 4);
      print([code, to.toString()]);`,
      ),
      ['ERR_OUT_OF_RANGE', 'long'],
    );
  });
});

describe('what kind of module it is', { concurrency: 2 }, () => {
  const skip = needs('clang');
  const args = [header, '--lib', fixture];

  test('.cjs is CommonJS, and so is .js unless package.json says that it is not', { skip }, async () => {
    const inner = path.join(folder, 'inner');
    fs.mkdirSync(inner, { recursive: true });
    for (const [type, extension, isCommonJs] of [
      [undefined, 'cjs', true],
      ['commonjs', 'js', true],
      ['module', 'js', false],
    ]) {
      fs.writeFileSync(path.join(inner, 'package.json'), JSON.stringify({ type }));
      const file = path.join(inner, `made.${extension}`);
      const made = await bind([...args, '-o', file]);
      assert.equal(made.code, 0, made.stderr);
      assert.equal(/^module\.exports = \{/m.test(fs.readFileSync(file, 'utf8')), isCommonJs, `${type} ${extension}`);
      const program = path.join(inner, `program.${isCommonJs ? 'cjs' : 'mjs'}`);
      const start = isCommonJs ? "const m = require('./made.EXT');" : "import * as m from './made.EXT';";
      fs.writeFileSync(program, `${start.replace('EXT', extension)}\nconsole.log(m.bind_add(20, 22), m.BIND_INT);\n`);
      const { stdout, stderr } = await run(program, []);
      assert.equal(stdout, '42 42\n', stderr);
    }
  });

  test('.h is C text with comments and names, which dlopen takes', { skip }, async () => {
    const file = path.join(folder, 'text.h');
    const made = await bind([...args, ...OUT, '--free', 'bind_owned=free', '-o', file]);
    assert.equal(made.code, 0, made.stderr);
    const text = fs.readFileSync(file, 'utf8');
    assert.match(text, /\* Adds two numbers\.\n[^]*?\*\/\nint bind_add\(int a, int b\);/);
    assert.match(text, /int bind_create\(_Out_ bind_opaque \*\*created\);/);
    const program = path.join(folder, 'text-program.mjs');
    fs.writeFileSync(
      program,
      `import { cdef, dlopen } from 'pinned-ffi';
      import { readFileSync } from 'node:fs';
      const text = readFileSync(${JSON.stringify(file)}, 'utf8');
      const { symbols } = dlopen(${JSON.stringify(fixture)}, text);
      const { types, constants } = cdef(text);
      const all = types.bind_all.alloc();
      symbols.bind_fill(all);
      console.log(JSON.stringify([symbols.bind_add(1, 2), symbols.bind_move({ x: 1, y: 2 }, 1), symbols.bind_owned(),
        symbols.bind_create().out[0].type, types.bind_all.read(all).level, constants.BIND_TEXT.length, types.bind_packed.size]));`,
    );
    const { stdout, stderr } = await run(program, []);
    assert.equal(stdout, '[3,{"x":2,"y":3},"owned","bind_opaque",-3,26,11]\n', stderr);
  });

  test('a .ts file that package.json makes CommonJS comes with a warning', { skip }, async () => {
    const inner = path.join(folder, 'warned');
    fs.mkdirSync(inner);
    fs.writeFileSync(path.join(inner, 'package.json'), '{ "type": "commonjs" }');
    const { code, stderr } = await bind([...args, '-o', path.join(inner, 'made.ts')]);
    assert.equal(code, 0);
    assert.match(stderr, /warning: package\.json makes .*made\.ts a CommonJS file.*made\.mts/);
  });
});

describe('where the header and the library are', { concurrency: 2 }, () => {
  const skip = needs('clang');

  test('a header that only includes others stands for those of its name', { skip }, async () => {
    const place = path.join(folder, 'umbrella');
    fs.mkdirSync(path.join(place, 'gather'), { recursive: true });
    fs.writeFileSync(
      path.join(place, 'gather.h'),
      '#include "gather/one.h"\n#include "gather-two.h"\n#include "other.h"\n',
    );
    fs.writeFileSync(path.join(place, 'gather', 'one.h'), 'int abs(int x);\n');
    fs.writeFileSync(path.join(place, 'gather-two.h'), 'long labs(long x);\n');
    fs.writeFileSync(path.join(place, 'other.h'), 'int atoi(const char *text);\n');
    const { code, stdout, stderr } = await bind(['gather.h', '-I', place]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /export const abs:[^]*export const labs:/);
    assert.doesNotMatch(stdout, /atoi/);
  });

  test('headers that the header lacks, or that --also adds, are read as well', { skip }, async () => {
    const place = path.join(folder, 'lacking');
    fs.mkdirSync(path.join(place, 'inner'), { recursive: true });
    fs.writeFileSync(path.join(place, 'lacking.h'), '#include <needed.h>\nnumber abs(number x);\n');
    fs.writeFileSync(path.join(place, 'inner', 'needed.h'), 'typedef int number;\n');
    fs.writeFileSync(path.join(place, 'further.h'), 'struct entry; number labs(number x);\n');
    const { code, stdout, stderr } = await bind(['lacking.h', '-I', place, '--also', 'further.h', '--lib', 'c']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /lacking\.h includes needed\.h: found in .*inner/);
    assert.match(stdout, /export const abs:[^]*export const labs:/);
  });

  test('errors of the compiler come with the option that helps', { skip }, async () => {
    const file = path.join(folder, 'asking.h');
    fs.writeFileSync(file, '#ifndef UNIT_WIDTH\n#error UNIT_WIDTH must be defined\n#endif\n');
    await fails([file], 1, /UNIT_WIDTH must be defined[^]*Define it: -D UNIT_WIDTH=VALUE/);
  });

  test('a function that returns twice is left out', { skip }, async () => {
    const file = path.join(folder, 'twice.h');
    fs.writeFileSync(file, 'int vfork(void);\nint abs(int x);\n');
    const { code, stdout, stderr } = await bind([file, '--lib', 'c']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /abs: \{/);
    assert.doesNotMatch(stdout, /vfork: \{/);
    assert.match(stderr, /vfork: it returns twice/);
  });

  test(
    'typedefs of nameless structs, and pointers to functions with further arguments, are bound',
    { skip },
    async () => {
      const file = path.join(folder, 'nameless.h');
      fs.writeFileSync(
        file,
        'typedef struct { int a; } thing, *thing_p;\ntypedef struct { int b; } *only_p;\n' +
          'typedef void (*report)(const char *format, ...);\n' +
          'int abs(thing_p p);\nint labs(only_p p);\nint llabs(report r);\n',
      );
      const { code, stdout, stderr } = await bind([file, '--lib', 'c']);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /abs: \{ args: \[pointer\(thing\)\]/);
      assert.match(stdout, /labs: \{ args: \[pointer\(only_p_value\)\]/);
      assert.match(stdout, /llabs: \{ args: \['function'\]/);
    },
  );
});

describe('what cannot be bound', { concurrency: 2 }, () => {
  const lib = ['--lib', fixture];

  const skip = needs('clang');

  test('a missing libclang and a wrong option are reported with an exit code', () =>
    Promise.all([
      fails([header], 1, /LIBCLANG is 'no-such-file', and there is no such file/, { LIBCLANG: 'no-such-file' }),
      fails([header], 1, /bind\.h is no libclang that this program can use/, { LIBCLANG: header }),
      fails([header], 1, /libfixture\S* is no libclang that this program can use/, { LIBCLANG: fixture }),
      fails([], 2, /header is missing/),
      fails([header, '-o', 'module.py'], 2, /--output must end in \.ts, \.mts, \.js, \.mjs, \.cjs, \.h/),
    ]));

  test(
    'a missing header, C that does not compile and a missing library are reported with an exit code',
    { skip },
    async () => {
      const broken = path.join(folder, 'broken.h');
      fs.writeFileSync(broken, 'int f(no_such_type x);\n');
      const empty = path.join(folder, 'empty.h');
      fs.writeFileSync(empty, '#define NOTHING\n');
      await Promise.all([
        fails(['no-such-header.h'], 1, /there is no header 'no-such-header\.h'; looked in .*\/usr\/include/),
        fails([broken, ...lib], 1, /unknown type name 'no_such_type'/),
        fails([empty, ...lib], 1, /nothing of .*empty\.h can be bound/),
        fails([header], 1, /no installed library exports what .*bind\.h declares[^]*--lib/),
        fails([header, '--lib', header], 1, /bind\.h: is text, no library/),
      ]);
    },
  );

  test('nothing is left behind in the folder for temporary files', { skip }, async () => {
    const env = { TMPDIR: fs.mkdtempSync(path.join(folder, 'tmp-')) };
    await fails(['no-such-header.h'], 1, /there is no header/, env);
    await bind([header, ...lib], env);
    assert.deepEqual(fs.readdirSync(env.TMPDIR), []);
  });
});
