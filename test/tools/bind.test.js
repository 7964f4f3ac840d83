'use strict';
// `pinned-ffi bind`: a header that has everything in it, and the real ones of SQLite, zlib, libcurl and SDL. What is
// generated is type-checked and run.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { root, fixture } = require('../helpers.js');
const { needs } = require('../requirements.js');

// Node runs TypeScript by itself since 22.18.
const EXTENSION = process.features.typescript ? 'mts' : 'mjs';
const header = path.join(__dirname, '..', 'fixtures', 'bind.h');
const OUT = ['--out', 'bind_create.created', '--out', 'bind_read.value', '--out', 'bind_read.name'];

let folder;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-test-bind-'));
  fs.mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true });
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'pinned-ffi'), 'junction');
  fs.symlinkSync(
    path.join(root, 'node_modules', '@types', 'node'),
    path.join(folder, 'node_modules', '@types', 'node'),
    'junction',
  );
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

function run(file, args, env = {}) {
  const environment = { ...process.env, ...env };
  delete environment.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: folder,
      env: environment,
      timeout: 120_000,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const streams = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (streams[name] += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...streams }));
  });
}

const bind = (args, env) => run(path.join(root, 'bin', 'pinned-ffi.js'), ['bind', ...args], env);

/** Generates a module; gives its text and what stderr said. */
async function generate(name, args) {
  const file = path.join(folder, `${name}.${args.includes('--js') ? 'mjs' : EXTENSION}`);
  const result = await bind([...args.filter((arg) => arg !== '--js'), '-o', file]);
  assert.deepEqual([result.code, result.signal], [0, null], result.stderr);
  assert.equal(result.stdout, '');
  return { file, text: fs.readFileSync(file, 'utf8'), notes: result.stderr };
}

let programs = 0;

/** Runs a program that imports a generated module as `m`; gives what it printed as JSON. */
async function runs(name, code, extension = EXTENSION) {
  const file = path.join(folder, `${name}-program-${(programs += 1)}.mjs`);
  fs.writeFileSync(
    file,
    `import * as m from './${name}.${extension}';\nimport * as ffi from 'pinned-ffi';\n` +
      'const print = (value) => console.log(JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each)));\n' +
      code,
  );
  const { code: exit, signal, stdout, stderr } = await run(file, []);
  assert.deepEqual([exit, signal], [0, null], `${stderr}\n${stdout}`);
  return JSON.parse(stdout);
}

const fails = async (args, code, message, env) => {
  const result = await bind(args, env);
  assert.deepEqual([result.code, result.signal, result.stdout], [code, null, ''], result.stderr);
  assert.match(result.stderr, message);
};

describe('a header that has everything', { concurrency: 2 }, () => {
  const skip = needs('clang');
  let made;

  before(async () => {
    if (skip) return;
    made = await generate('everything', [header, '--lib', fixture, ...OUT]);
    await generate('plain', [header, '--lib', fixture, ...OUT, '--js']);
  });

  test('macros and nameless enums that are constants keep their values, whatever their kind', { skip }, async () => {
    assert.deepEqual(
      await runs(
        'everything',
        `const { BIND_INT, BIND_HEX, BIND_NEGATIVE, BIND_SUM, BIND_U64, BIND_I64,
      BIND_CHAR, BIND_FLOAT, BIND_DOUBLE, BIND_TEXT, BIND_NULL, BIND_ALL_ONES, BIND_TRUE, BIND_ANONYMOUS_NEXT } = m;
      print([BIND_INT, BIND_HEX, BIND_NEGATIVE, BIND_SUM, BIND_U64, BIND_I64, BIND_CHAR, BIND_FLOAT, BIND_DOUBLE,
        BIND_TEXT, BIND_NULL, BIND_ALL_ONES, BIND_TRUE, BIND_ANONYMOUS_NEXT, 'BIND_UNDONE' in m, 'BIND_FILE' in m]);`,
      ),
      [
        42,
        4080,
        -7,
        46,
        '18446744073709551615n',
        '-9223372036854775808n',
        65,
        Math.fround(0.1),
        1.5e300,
        'one "two" \\ \'three\'\nvier ä',
        null,
        '18446744073709551615n',
        1,
        2,
        false,
        false,
      ],
    );
  });

  test(
    'functions take and give what C has: numbers, texts, structs, extras, names of JavaScript',
    { skip },
    async () => {
      assert.deepEqual(
        await runs(
          'everything',
          `const t = m.tm.alloc();
      t.tm_year = 124;
      print([m.bind_add(2, 3), m.bind_sum(2, ['int', 40], ['int', 2]), m.bind_move({ x: 1, y: 2 }, 0.5),
        m.bind_measure('Grüße'), m.bind_greeting(), ffi.CString(m.bind_owned()), m.bind_wide('wide'), m.delete_(4),
        m.array_(Int32Array.of(1, 2, 3, 4)), m.bind_stat(m.bind_stat_.alloc({ value: 6 })), m.bind_renamed(),
        m.bind_year(t), m.bind_counter.value, m.bind_mix('BIND_BLUE', 'BIND_LARGE'), m.bind_mix('BIND_BLUE', 0),
        m.bind_colour.nameOf(5), m.BIND_PASTED(2, 2), m.BIND_VARIABLE === m.bind_counter]);`,
        ),
        [5, 42, { x: 1.5, y: 2.5 }, '7n', 'grüß', 'owned', '4n', -4, 5, 6, 5, 2024, 3, 6, -1, 'BIND_GREEN', 4, true],
      );
    },
  );

  test(
    'a struct has every field where C has it: bitfields, nested and nameless members, arrays, pointers',
    { skip },
    async () => {
      assert.deepEqual(
        await runs(
          'everything',
          `const all = m.bind_all.alloc();
      m.bind_fill(all);
      const { name, flag, level, on, wide, corners, anonymous, inner, size, next, text, list } = m.bind_all.read(all);
      print([ffi.toBuffer(ffi.ptr(all), 0, 6).toString(), flag, level, on, wide, corners[1][2], anonymous.number,
        inner, size, text, list[2].c, m.bind_all.view(next).next === ffi.ptr(all), m.bind_later.size,
        m.bind_packed_value(m.bind_packed.alloc({ tag: 1, value: -5n, last: 2 })),
        m.bind_sizes(m.bind_packed.alloc(), m.bind_aligned.alloc(), m.bind_flexible.alloc())]);`,
        ),
        [
          'filled',
          1,
          -3,
          true,
          '737894400291n',
          { x: 1, y: 2 },
          77,
          { left: -5, right: { deep: 9 } },
          1,
          'text',
          '1234n',
          true,
          232,
          '-5n',
          `${11 + 100 * 32 + 10000 * 2}n`,
        ],
      );
    },
  );

  test('handles and out parameters are as they were asked for', { skip }, async () => {
    assert.deepEqual(
      await runs(
        'everything',
        `const { returns, out: [handle] } = m.bind_create();
      const read = m.bind_read(handle);
      let refused;
      try { m.bind_read(4096); } catch (error) { refused = error.code; }
      m.bind_destroy(handle);
      print([returns, handle.type, read, refused]);`,
      ),
      [0, 'bind_opaque', { returns: 0, out: [11, 'opaque'] }, 'ERR_INVALID_ARG_TYPE'],
    );
  });

  test('a callback gets a text that a length follows as an address, and is not read beyond it', { skip }, async () => {
    assert.deepEqual(
      await runs(
        'everything',
        `let got;
      const returned = m.bind_call((user, text, length) => { got = [user, ffi.toBuffer(text, 0, length).toString()]; return 9; }, null);
      print([returned, got]);`,
      ),
      [9, [null, 'abc']],
    );
  });

  test('comments stay, as TSDoc that does not end too early', { skip }, () => {
    assert.match(
      made.text,
      /\/\*\*\n \* Adds two numbers\.\n \* @param a the first\n[^]*?@returns the sum\n[^]*?`int bind_add\(int a, int b\)`\n \*\/\nexport const bind_add\b/,
    );
    assert.match(made.text, /\/\*\* A point, as in src\/\*\*\\\/point\. \*\//);
    assert.match(made.text, /like grass \*\/\n {2}BIND_GREEN/);
    assert.match(made.text, /@deprecated Use bind_add\./);
  });

  test('declarations that are left out are listed with their reason, in the module and on stderr', { skip }, () => {
    for (const list of [made.notes, made.text.slice(made.text.indexOf('// left out:')).replace(/^\/\/ /gm, '')]) {
      for (const line of [
        /bind_half: long double has no counterpart/,
        /bind_va: va_list has no counterpart/,
        /bind_take_bits: .*bitfields/,
        /\(static, inline\)[^\n]* \(1\):\n {2}bind_inline/,
        /does not export \(5\):\n.*bind_not_exported/,
        /macros with parameters[^\n]* \(2\):\n {2}BIND_CALL BIND_GLUE/,
        /no constants \(6\):\n.*BIND_UNBALANCED.*BIND_TYPE/,
        /struct bind_int128: field value: __int128/,
        /struct bind_holds: struct bind_long_double/,
        /bind_unknown_length: an array of unknown length/,
      ])
        assert.match(list, line);
    }
    assert.doesNotMatch(made.text, /^ {2}bind_(half|va|inline|not_exported|take_bits): \{/m);
  });

  test('a layout that is not that of the header keeps the module from loading, and says where', { skip }, async () => {
    const { text } = made;
    const file = path.join(folder, `wrong.${EXTENSION}`);
    for (const [from, to, message] of [
      [
        / tm_mon: 16,/,
        ' tm_mon: 20,',
        /struct tm does not lie in memory as in the header: the offset of tm_mon is 16 instead of 20\./,
      ],
      [/'bind_point', 16/, "'bind_point', 24", /bind_point does not lie .* its size is 16 instead of 24/],
      [/flag: \[1, 96, 1\]/, 'flag: [1, 97, 1]', /the first bit of flag is 96 instead of 97/],
    ]) {
      assert.match(text, from);
      fs.writeFileSync(file, text.replace(from, to));
      const { code, stderr } = await run(file, []);
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
    }
  });

  test('the module in JavaScript is the same as in TypeScript', { skip }, async () => {
    const code = 'print([Object.keys(m).sort(), m.bind_add(1, 2), m.bind_all.size]);';
    assert.deepEqual(await runs('plain', code, 'mjs'), await runs('everything', code));
  });

  test('the generated text is the same every time, and goes to stdout without -o', { skip }, async () => {
    const args = [header, '--lib', fixture, '--prefix', 'bind_mo'];
    const [first, second] = await Promise.all([bind(args), bind(args)]);
    assert.equal(first.code, 0, first.stderr);
    assert.equal(first.stdout, second.stdout);
    assert.match(first.stdout, /bind_move: \{/);
    assert.match(first.stdout, /bind_point: bind_point_type = struct/);
    assert.doesNotMatch(first.stdout, /bind_add|BIND_INT|bind_all/);
  });
});

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
        number: ['bind_measure', 'bind_all_list.c'],
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
    assert.match(text, /\n {2}c: 'i64_fast',/);
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

describe('real headers', { concurrency: 2 }, () => {
  const HEADERS = {
    sqlite3: [
      'sqlite3.h',
      '--out',
      'sqlite3_open*.ppDb',
      '--out',
      'sqlite3_prepare_v2.ppStmt',
      '--out',
      'sqlite3_exec.errmsg',
    ],
    zlib: ['zlib.h', '--also', 'zconf.h'],
    curl: ['curl/curl.h'],
    sdl: ['SDL2/SDL.h', '--progress'],
  };
  const NEEDS = {
    sqlite3: ['clang', 'sqlite3.h', 'sqlite3'],
    zlib: ['clang', 'zlib.h', 'z'],
    curl: ['clang', 'curl/curl.h', 'curl'],
    sdl: ['clang', 'SDL2/SDL.h', 'SDL2'],
  };
  const skipOf = (name) => ({ skip: needs(...NEEDS[name]) });
  const made = {};

  before(async () => {
    const here = Object.entries(HEADERS).filter(([name]) => !needs(...NEEDS[name]));
    await Promise.all(here.map(async ([name, args]) => (made[name] = await generate(name, args))));
  });

  test('sqlite3.h: opens a database, fills and queries it', skipOf('sqlite3'), async () => {
    assert.deepEqual(
      await runs(
        'sqlite3',
        `const { returns, out: [db] } = m.sqlite3_open(':memory:');
      const rows = [];
      const { returns: done } = m.sqlite3_exec(db, "create table t (a, b); insert into t values (1, 'één'), (2, 'zwei')", null, null);
      const { out: [statement] } = m.sqlite3_prepare_v2(db, 'select a, b from t where a >= ? order by a', -1, null);
      m.sqlite3_bind_text(statement, 1, '1', -1, m.SQLITE_TRANSIENT);
      m.sqlite3_bind_int64(statement, 1, 1);
      while (m.sqlite3_step(statement) === m.SQLITE_ROW) {
        rows.push([m.sqlite3_column_int64(statement, 0), ffi.CString(m.sqlite3_column_text(statement, 1))]);
      }
      print([returns, done, rows, m.sqlite3_finalize(statement), m.sqlite3_close(db),
        m.sqlite3_libversion_number() === m.SQLITE_VERSION_NUMBER, m.sqlite3_libversion() === m.SQLITE_VERSION]);`,
      ),
      [
        0,
        0,
        [
          ['1n', 'één'],
          ['2n', 'zwei'],
        ],
        0,
        0,
        true,
        true,
      ],
    );
  });

  test(
    "zlib.h: compresses what Node's zlib inflates, and inflates what Node's compresses, by its own code",
    skipOf('zlib'),
    async () => {
      assert.match(made.zlib.text, /RTLD_DEEPBIND/);
      assert.deepEqual(
        await runs(
          'zlib',
          `import zlib from 'node:zlib';
      const text = Buffer.from('pinned '.repeat(1000));
      const packed = Buffer.alloc(Number(m.compressBound(text.length)));
      const length = BigUint64Array.of(BigInt(packed.length));
      const compressed = m.compress2(packed, length, text, text.length, m.Z_BEST_COMPRESSION);
      const byNode = zlib.inflateSync(packed.subarray(0, Number(length[0])));
      const stream = m.z_stream.alloc();
      const [input, output] = [zlib.deflateSync(text), Buffer.alloc(text.length)];
      const started = m.inflateInit_(stream, m.ZLIB_VERSION, m.z_stream.size);
      stream.next_in = input; stream.avail_in = input.length;
      stream.next_out = output; stream.avail_out = output.length;
      const ended = m.inflate(stream, m.Z_FINISH);
      print([compressed, byNode.equals(text), started, ended === m.Z_STREAM_END, output.equals(text), stream.total_out,
        m.inflateEnd(stream), m.zlibVersion() === m.ZLIB_VERSION, m.MAX_WBITS]);`,
        ),
        [0, true, 0, true, true, '7000n', 0, true, 15],
      );
    },
  );

  test('curl/curl.h: fetches a file: URL through a callback that writes', skipOf('curl'), async () => {
    const file = path.join(folder, 'fetched.txt');
    fs.writeFileSync(file, 'what was fetched\n'.repeat(5000));
    assert.deepEqual(
      await runs(
        'curl',
        `import { pathToFileURL } from 'node:url';
      const parts = [];
      const write = new ffi.JSCallback((data, size, count) => {
        const bytes = Number(size * count);
        parts.push(Buffer.from(ffi.toBuffer(data, 0, bytes)));
        return bytes;
      }, { args: ['ptr', 'size_t', 'size_t', 'ptr'], returns: 'size_t' });
      m.curl_global_init(m.CURL_GLOBAL_DEFAULT);
      const handle = m.curl_easy_init();
      const set = [m.curl_easy_setopt(handle, 'CURLOPT_URL', ['cstring', pathToFileURL(${JSON.stringify(file)}).href]),
        m.curl_easy_setopt(handle, 'CURLOPT_WRITEFUNCTION', ['function', write])];
      const result = m.curl_easy_perform(handle);
      const bad = m.curl_easy_setopt(handle, 'CURLOPT_URL', ['cstring', 'file:///no/such/file']);
      const missing = m.CURLcode.nameOf(m.curl_easy_perform(handle));
      m.curl_easy_cleanup(handle);
      write.close();
      print([set, result, Buffer.concat(parts).equals((await import('node:fs')).readFileSync(${JSON.stringify(file)})), bad,
        missing, m.curl_easy_strerror('CURLE_FILE_COULDNT_READ_FILE').length > 0, ffi.CString(m.curl_version()).includes(m.LIBCURL_VERSION)]);`,
      ),
      [[0, 0], 0, true, 0, 'CURLE_FILE_COULDNT_READ_FILE', true, true],
    );
  });

  test('SDL2/SDL.h: draws on a software surface and reads its pixels back', skipOf('sdl'), async () => {
    assert.match(made.sdl.notes, /bind: reading the declarations\n/, 'the progress that was asked for');
    assert.deepEqual(
      await runs(
        'sdl',
        `const format = m.SDL_PixelFormatEnum.values.SDL_PIXELFORMAT_RGBA32;
      const address = m.SDL_CreateRGBSurfaceWithFormat(0, 16, 8, 32, format);
      const surface = m.SDL_Surface.view(address);
      const { w, h, pitch } = surface;
      const filled = m.SDL_FillRect(address, null, m.SDL_MapRGB(surface.format, 10, 20, 30));
      const rect = m.SDL_FillRect(address, m.SDL_Rect.alloc({ x: 2, y: 3, w: 4, h: 2 }), m.SDL_MapRGBA(surface.format, 255, 0, 0, 255));
      const pixels = ffi.toBuffer(surface.pixels, 0, pitch * h);
      const at = (x, y) => [...pixels.subarray(y * pitch + x * 4, y * pitch + x * 4 + 4)];
      const drawn = [at(0, 0), at(2, 3), at(5, 4), at(6, 4)];
      m.SDL_FreeSurface(address);
      const version = m.SDL_version.alloc();
      m.SDL_GetVersion(version);
      print([w, h, pitch, filled, rect, drawn, version.major, m.SDL_Event.size, m.SDL_INIT_VIDEO]);`,
      ),
      [
        16,
        8,
        64,
        0,
        0,
        [
          [10, 20, 30, 255],
          [255, 0, 0, 255],
          [255, 0, 0, 255],
          [10, 20, 30, 255],
        ],
        2,
        56,
        32,
      ],
    );
  });

  test(
    'every generated module is strict TypeScript that needs only its types stripped',
    { timeout: 300_000, skip: needs(...Object.values(NEEDS).flat()) },
    async (t) => {
      if (EXTENSION !== 'mts') {
        t.diagnostic('this Node runs no TypeScript: the modules are JavaScript, and are checked by being run');
        for (const { text } of Object.values(made))
          assert.doesNotMatch(text, /^import type|^export type|: DeclaredType/m);
        return;
      }
      fs.writeFileSync(
        path.join(folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            noUnusedLocals: true,
            erasableSyntaxOnly: true,
            verbatimModuleSyntax: true,
            allowImportingTsExtensions: true,
            // Every type that a module exports can be named.
            declaration: true,
            emitDeclarationOnly: true,
            outDir: 'declared',
            target: 'es2022',
            module: 'nodenext',
            types: ['node'],
          },
          files: ['user.mts', 'everything.mts', ...Object.keys(HEADERS).map((name) => `${name}.mts`)],
        }),
      );
      fs.writeFileSync(
        path.join(folder, 'user.mts'),
        `import * as m from './everything.mts';
import { sqlite3_open, sqlite3_finalize, type sqlite3 } from './sqlite3.mts';
export const sum: number = m.bind_add(1, 2);
export const moved: { x: number; y: number } = m.bind_move({ x: 1, y: 2 }, 3);
export const database: sqlite3 | null = sqlite3_open(':memory:').out[0];
// @ts-expect-error a text is no number
m.bind_add('1', 2);
// @ts-expect-error no such name
m.bind_mix('BIND_PURPLE', 0);
// @ts-expect-error a database is no statement
sqlite3_finalize(database);
`,
      );
      const { code, stdout, stderr } = await run(path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), [
        '-p',
        folder,
      ]);
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
      for (const name of ['user', 'everything', ...Object.keys(HEADERS)]) {
        const emitted = fs.readFileSync(path.join(folder, 'declared', `${name}.d.mts`), 'utf8');
        assert.doesNotMatch(emitted, /pinned-ffi\/types|\.\.\/.*types\//, name);
      }
    },
  );
});
