'use strict';
// Strings of C in UTF-8, UTF-16 and wchar_t: arguments, results, callbacks, ownership.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, throws, gc } = require('../helpers.js');
const { byScale } = require('../scale.js');

const free = { type: 'cstring', free: 'counting_free' };
const library = ffi.cc({
  source: `#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <uchar.h>
int freed;
void counting_free(void *p) { freed++; free(p); }
char *copy(const char *s) { return s ? strdup(s) : NULL; }
wchar_t *wide_copy(const wchar_t *s) { return wcsdup(s); }
size_t wide_length(const wchar_t *s) { return wcslen(s); }
const char16_t *same16(const char16_t *s) { return s; }
unsigned unit16(const char16_t *s, int i) { return s[i]; }
const char16_t *get16(void) { return u"g\\u00fcnstig \\U0001F600"; }
const char16_t *odd16(char *p) { memcpy(p + 1, u"odd", 8); return (const char16_t *)(p + 1); }
size_t ask(size_t (*f)(const char16_t *, int)) { return f(u"fr\\u00e5n C", 7); }
size_t around(const char *s, void (*f)(void)) {
  size_t before = strlen(s);
  f();
  return before == strlen(s) && s[0] == s[before - 1] ? before : 0;
}`,
  symbols: {
    copy: { args: ['cstring'], returns: free },
    wide_copy: { args: ['wstring'], returns: { type: 'wstring', free: 'counting_free' } },
    wide_length: { args: ['wstring'], returns: 'size_t' },
    same16: { args: ['utf16'], returns: 'utf16' },
    unit16: { args: ['utf16', 'int'], returns: 'u32' },
    get16: { returns: 'utf16' },
    odd16: { args: ['ptr'], returns: 'utf16' },
    around: { args: ['cstring', ffi.fn({})], returns: 'size_t' },
    ask: { args: [ffi.fn({ args: ['utf16', 'int'], returns: 'size_t' })], returns: 'size_t' },
  },
});
const { symbols: c } = library;

describe('strings', () => {
  test('strings of UTF-16 go in and come out', () => {
    for (const text of ['', 'x', 'günstig 😀', '\u{10ffff}', 'ab'.repeat(5000)]) assert.equal(c.same16(text), text);
    assert.equal(c.unit16('a😀', 1), 0xd83d);
    assert.equal(c.get16(), 'günstig 😀');
    assert.equal(c.odd16(Buffer.alloc(32)), 'odd');
    assert.equal(c.same16(null), null);
    assert.equal(c.same16(Buffer.from('view\0', 'utf16le')), 'view');
  });

  test('strings of wchar_t go in and come out', () => {
    assert.equal(c.wide_length('añ😀'), process.platform === 'win32' ? 4n : 3n);
    assert.equal(c.wide_copy('añ😀'), 'añ😀');
    assert.equal(c.wide_copy('\ud800x'), '\ufffdx');
  });

  test('strings are passed to callbacks', () => {
    assert.equal(
      c.ask((text, n) => BigInt(text.length * n)),
      42n,
    );
  });

  test('strings of every kind and length are the same in optimised code', () => {
    const {
      identity_cstring: same,
      measure_cstring: measure,
      measure_two_cstrings: two,
      fill_bytes: fill,
    } = bind({
      identity_cstring: { args: ['cstring'], returns: 'cstring' },
      measure_cstring: { args: ['cstring'], returns: 'i32' },
      measure_two_cstrings: { args: ['cstring', 'cstring'], returns: 'i32' },
      fill_bytes: { args: ['cstring', 'u64', 'u8'] },
    });
    const long = ['x', 'é', '日', '😀'].flatMap((one) =>
      [31, 32, 33, 1023, 1024, 1025, 9000].map((n) => one.repeat(n)),
    );
    const slices = Array.from({ length: 8 }, (_, i) => `${'slice of a text '.repeat(9)}${i}`.slice(i, 120));
    const joined = Array.from({ length: 8 }, (_, i) => `joined ${i} ` + 'of parts that are kept apart'.repeat(i + 1));
    const texts = ['', 'a', '\x7f\x80\xff', 'na\u00efve', '\ud800', 'a\ud800b', ...long, ...slices, ...joined];
    const wanted = texts.map((text) => Buffer.from(text));
    const check = (i) => {
      const [at, other] = [i % texts.length, (i * 7) % texts.length];
      assert.equal(same(texts[at]), String(wanted[at]));
      assert.equal(measure(texts[at]), wanted[at].length);
      assert.equal(two(texts[at], texts[other]), wanted[at].length * 1000 + wanted[other].length);
      assert.equal(same(null), null);
    };
    const CALLS = byScale(10_000, 30_000);
    for (let i = 0; i < CALLS; i++) check(i);
    const overflow = (text, n) => fill(text, n, 65);
    for (let i = 0; i < CALLS; i++) overflow('hello', 5);
    for (const text of ['a\0', '\0', 'é\0', '日\0', {}, undefined])
      throws(() => same(text), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE']);
    for (let i = 0; i < byScale(500, 2000); i++) {
      const { argument, byteLength, firstBadOffset, bytesPast } = throws(
        () => overflow('hello', 7 + (i % 9)),
        'ERR_FFI_BUFFER_OVERFLOW',
      );
      assert.deepEqual(
        { argument, byteLength, firstBadOffset, bytesPast },
        { argument: 0, byteLength: 6, firstBadOffset: 6, bytesPast: 1 + (i % 9) },
      );
    }
  });

  test('strings are passed as they are, whatever form the engine keeps them in', () => {
    const { identity_cstring: same } = bind({ identity_cstring: { args: ['cstring'], returns: 'cstring' } });
    const { identity_cstring: same16 } = bind({ identity_cstring: { args: ['utf16'], returns: 'utf16' } });
    const { identity_cstring: sameWide } = bind({ identity_cstring: { args: ['wstring'], returns: 'wstring' } });
    const make = (text, encoding) => Buffer.from(text, encoding).toString(encoding);
    const used = (key) => [Object.keys({ [key]: 0 }), key][1];
    const forms = (letters, encoding) => [
      ...[1, 8, 15, 16, 17, 40, 400, 1500].map((length) => make(letters.repeat(length), encoding).slice(0, length)),
      // A part of another string, one that is put together, and parts of that.
      make(`${letters.repeat(20)} in part`, encoding).slice(3),
      letters.repeat(3) + make(letters.repeat(5), encoding),
      (letters.repeat(9) + make(letters.repeat(7), encoding)).slice(2, 40),
      used(make(`${letters} used as a key`, encoding)),
      used(make(`${letters} used in part`, encoding)).slice(1),
    ];
    const texts = [
      ...forms('x', 'latin1'),
      ...forms('\xe9x', 'latin1'),
      ...forms('\u0436\u0436 ', 'utf16le'),
      ...forms('\u4f60\u597d', 'utf16le'),
      ...forms('a\ud83d\ude00\u20ac', 'utf16le'),
      // Node keeps the characters of these outside of the engine's heap.
      make('x'.repeat(1_100_000), 'latin1'),
      make('\u0436'.repeat(600_000), 'utf16le'),
      ...['\ud83d', 'x\udc00', '\udc00\ud83dx', 'seven77\ud83d\ud83d\ude00', 'eight888\ud83d\ude00'],
    ];
    const isShort = (text) => text.length < 10_000;
    for (const text of texts) {
      for (let i = 0; i < (isShort(text) ? byScale(5, 20) : 1); i += 1) {
        assert.equal(same(text), text.toWellFormed?.() ?? Buffer.from(text).toString());
        assert.equal(same16(text), text);
        assert.equal(sameWide(text), text.toWellFormed?.() ?? Buffer.from(text).toString());
      }
    }
    for (let i = 0; i < byScale(20_000, 100_000); i += 1) same16(texts[i % 8]);
    for (const text of texts.filter(isShort)) assert.equal(same16(text), text);
    for (const call of [same, same16, sameWide]) {
      for (const text of texts.filter(isShort)) {
        const at = text.length >> 1;
        throws(() => call(`${text.slice(0, at)}\0${text.slice(at)}`), 'ERR_INVALID_ARG_VALUE', /without NUL/);
      }
    }
  });

  test('invalid UTF-8 becomes U+FFFD, as in Node', () => {
    const { identity_cstring: same } = bind({ identity_cstring: { args: ['ptr'], returns: 'cstring' } });
    const parts = [
      [0x41],
      [0xc3, 0xa9],
      [0xe4, 0xbd, 0xa0],
      [0xf0, 0x9f, 0x98, 0x80],
      [0xff],
      [0xc3],
      [0xed, 0xa0, 0x80],
    ];
    for (let i = 0; i < byScale(1000, 100_000); i += 1) {
      const length = 1 + (i % 37);
      const bytes = Array.from({ length }, (_, at) => parts[(i * 7 + at * (1 + (i % 5))) % (i % 3 === 0 ? 7 : 4)]);
      const text = Buffer.from([...bytes.flat(), 0]);
      assert.equal(same(text), text.toString('utf8', 0, text.length - 1));
    }
    const marked = Buffer.from('\ufeffx\0');
    assert.equal(same(marked), '\ufeffx');
  });

  test('long strings stay as they are while callbacks pass others, and their overflows are found', () => {
    const text = (length) => 'x'.repeat(length);
    let deep = 0;
    const nested = (length) => () => {
      if (deep >= 3) return;
      deep += 1;
      assert.equal(c.around(text(length * 2), nested(length * 2)), BigInt(length * 2));
      assert.equal(c.same16(`${text(length)}\u0436`), `${text(length)}\u0436`);
      deep -= 1;
    };
    for (const length of [1000, 20_000, 200_000, 700_000]) {
      assert.equal(c.around(text(length), nested(length)), BigInt(length));
    }
    for (const [type, unit, letter] of [
      ['cstring', 1, 'x'],
      ['utf16', 2, '\u0436'],
      ['wstring', process.platform === 'win32' ? 2 : 4, 'x'],
    ]) {
      const { fill_bytes: fill } = bind({ fill_bytes: { args: [type, 'u64', 'u8'] } });
      for (const length of [5, 300, 5000, 100_000, 2_000_000]) {
        const size = (length + 1) * unit;
        fill(letter.repeat(length), size, 65);
        const { byteLength, firstBadOffset, bytesPast } = throws(
          () => fill(letter.repeat(length), size + 3, 65),
          'ERR_FFI_BUFFER_OVERFLOW',
        );
        assert.deepEqual(
          { byteLength, firstBadOffset, bytesPast },
          { byteLength: size, firstBadOffset: size, bytesPast: 3 },
        );
      }
    }
  });

  test('strings that the caller owns are copied and freed, once each', () => {
    const freed = library.global('freed', 'i32');
    freed.value = 0;
    for (let i = 0; i < 100; i += 1) assert.equal(c.copy(`text ${i}`), `text ${i}`);
    assert.equal(c.wide_copy('w'), 'w');
    assert.equal(c.copy(null), null);
    assert.equal(freed.value, 101);
  });

  test('strings may be declared to be freed as { cstring, free } as well', () => {
    const declare = (returns) => ffi.dlopen(null, { strdup: { args: ['cstring'], returns } }).symbols.strdup;
    for (const cstring of [true, 'cstring', ffi.FFIType.cstring]) {
      assert.equal(declare({ cstring, free: 'free' })('copied, then freed'), 'copied, then freed');
    }
    for (const cstring of [false, 'i32', 'utf16', 1, {}]) {
      throws(
        () => declare({ cstring, free: 'free' }),
        ['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE'],
        /strdup: returns\.cstring must be/,
      );
    }
    throws(
      () => declare({ cstring: true, type: 'cstring', free: 'free' }),
      'ERR_INVALID_ARG_VALUE',
      /returns\.cstring/,
    );
  });

  test('live for the call', async () => {
    await gc();
    for (let i = 0; i < 500; i += 1) assert.equal(c.same16('lives '.repeat(50)), 'lives '.repeat(50));
  });

  test('strings with an embedded NUL are refused before later arguments are looked at, and in a closed library', () => {
    const closed = ffi.dlopen(null, { strncmp: { args: ['cstring', 'cstring', 'size_t'], returns: 'int' } });
    const { strncmp } = closed.symbols;
    const nul = (argument) =>
      new RegExp(
        `strncmp: argument ${argument} must be a string without NUL characters \\(cstring\\), received the string`,
      );
    for (let i = 0; i < 2000; i += 1) assert.equal(strncmp('equal', 'equally', 5), 0);
    for (const text of ['a\0b', 'a\0\u20ac', `${'x'.repeat(20_000)}\0`]) {
      throws(() => strncmp(text, 'b', 1), 'ERR_INVALID_ARG_VALUE', nul(0));
      throws(() => strncmp('a', text, 1), 'ERR_INVALID_ARG_VALUE', nul(1));
      throws(() => strncmp(text, text, -1), 'ERR_INVALID_ARG_VALUE', nul(0));
      throws(() => strncmp(1.5, text, 1), 'ERR_OUT_OF_RANGE', /argument 0/);
    }
    throws(() => strncmp('a', 'b', -1), 'ERR_OUT_OF_RANGE', /argument 2/);
    closed.close();
    throws(() => strncmp('a\0', 'b', 1), 'ERR_INVALID_ARG_VALUE', nul(0));
    throws(() => strncmp('a', 'b', 1), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('strings with an embedded NUL are refused', () => {
    throws(
      () => c.same16('a\0b'),
      'ERR_INVALID_ARG_VALUE',
      /same16: argument 0 must be a string without NUL characters \(utf16\)/,
    );
    throws(() => c.wide_length('a\0'), 'ERR_INVALID_ARG_VALUE', /wstring/);
    throws(() => c.wide_length(3.5), 'ERR_OUT_OF_RANGE');
    throws(() => c.wide_length(undefined), 'ERR_INVALID_ARG_TYPE');
  });

  test('strings of a declaration that cannot free are refused', () => {
    const declare = (returns) => ffi.dlopen(null, { strdup: { args: ['cstring'], returns } });
    throws(
      () => declare({ type: 'cstring', free: 'no_such_function' }),
      'ERR_FFI_SYMBOL_NOT_FOUND',
      /no_such_function/,
    );
    throws(() => declare({ type: 'i32', free: 'free' }), 'ERR_INVALID_ARG_VALUE', /cstring, utf16 or wstring/);
    throws(() => declare({ type: 'cstring', free: 5n, more: 1 }), 'ERR_INVALID_ARG_VALUE', /more/);
    throws(
      () => ffi.linkSymbols({ f: { ptr: 4096, returns: { type: 'cstring', free: 'free' } } }),
      'ERR_INVALID_ARG_TYPE',
      /no library to look a name up in/,
    );
  });
});
