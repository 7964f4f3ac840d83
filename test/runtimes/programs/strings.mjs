// Text in arguments, results, callbacks and memory.
import { CString, JSCallback, dlopen, ptr } from 'bun:ffi';

const { symbols } = dlopen(process.env.FIXTURE, {
  identity_cstring: { args: ['cstring'], returns: 'cstring' },
  measure_cstring: { args: ['cstring'], returns: 'usize' },
  get_text: { returns: 'cstring' },
  get_utf8: { returns: 'cstring' },
  get_null: { returns: 'cstring' },
  get_empty_text: { returns: 'cstring' },
  call_cstring: { args: ['callback', 'cstring'], returns: 'cstring' },
});
for (const text of ['', 'abc', 'Grüße ☃ 𝄞', 'a\0b', '\ud800', 'x'.repeat(100_000)]) {
  const back = symbols.identity_cstring(text);
  console.log(typeof back, back.length, back.slice(0, 40), symbols.measure_cstring(text));
}
console.log(
  symbols.identity_cstring(Buffer.from('of a buffer\0')),
  symbols.identity_cstring(ptr(Buffer.from('an address\0'))),
);
console.log(symbols.identity_cstring(null), symbols.identity_cstring(undefined), symbols.identity_cstring(0));
console.log(symbols.get_text(), symbols.get_utf8(), symbols.get_null(), JSON.stringify(symbols.get_empty_text()));

const memory = Buffer.from('hello world\0second\0');
const start = ptr(memory);
console.log(new CString(start));
console.log(CString(start, 6), `${new CString(start, 6, 3)}`, CString(BigInt(start), 12), CString(start + 6, -6, 5));
console.log(JSON.stringify(new CString(start, 0, 18)), new CString(start).length, new CString(start).toUpperCase());
console.log(new CString(start) == 'hello world', CString(start) === 'hello world', new CString(start) + '!');
for (const nothing of [null, undefined, 0, NaN, ''])
  console.log(JSON.stringify(CString(nothing)), JSON.stringify(new CString(nothing)));
for (const args of [['abc'], [memory], [true], [-1], [start, 0, 0], [start, 0, -1], [start, '1'], [start, 1n]]) {
  try {
    console.log(new CString(...args));
  } catch (error) {
    console.log(error.name, error.message);
  }
}

const shout = new JSCallback((text) => `${text?.toUpperCase()}!`, { args: ['cstring'], returns: 'cstring' });
const silent = new JSCallback(() => null, { args: ['cstring'], returns: 'cstring' });
const bytes = new JSCallback(() => Buffer.from('of bytes\0'), { args: ['cstring'], returns: 'cstring' });
console.log(symbols.call_cstring(shout, 'grüße'), symbols.call_cstring(shout, null));
console.log(symbols.call_cstring(silent, 'x'), symbols.call_cstring(bytes, 'x'));
for (const callback of [shout, silent, bytes]) callback.close();
