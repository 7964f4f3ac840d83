'use strict';
// `pinned-ffi bind` for a header that has everything in it. What is generated is run.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { fixture } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { EXTENSION, header, folder, run, bind, generate, runs, OUT } = require('./bind-folder.js');

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
