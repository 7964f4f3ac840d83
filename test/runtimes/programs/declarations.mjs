// What dlopen, linkSymbols, CFunction and JSCallback take, and how they say no.
import {
  CFunction,
  FFIType,
  JSCallback,
  cc,
  default as ffi,
  dlopen,
  linkSymbols,
  native,
  suffix,
  viewSource,
} from 'bun:ffi';

const fixture = process.env.FIXTURE;
const add = { args: ['i32', 'i32'], returns: 'i32' };
const { symbols } = dlopen(fixture, { add_i32: add, get_add_i32: { returns: 'ptr' } });
const address = symbols.get_add_i32();

function attempt(label, action) {
  try {
    console.log(label, '=', String(action()));
  } catch (error) {
    console.log(label, 'throws', error instanceof Error, error.message);
  }
}

console.log(Object.keys(ffi).sort().join(' '));
console.log(suffix, typeof cc, Object.keys(native).join(' '));
for (const name of [
  'char',
  'i8',
  'uint8_t',
  'int',
  'u32',
  'isize',
  'usize',
  'double',
  'f32',
  'bool',
  'ptr',
  'pointer',
  'void',
  'cstring',
  'i64_fast',
  'u64_fast',
  'function',
  'callback',
  'fn',
  'napi_env',
  'napi_value',
  'buffer',
  'buffer_length',
]) {
  console.log(name, FFIType[name]);
}

attempt('add', () => symbols.add_i32(20, 22));
attempt('more arguments', () => symbols.add_i32(20, 22, 'x', {}));
attempt('an argument less', () => symbols.add_i32(20));
attempt('none', () => symbols.add_i32());
attempt('of a function', () => [
  symbols.add_i32.name,
  symbols.add_i32.length,
  symbols.add_i32.native === symbols.add_i32,
  symbols.add_i32.ptr === address,
]);
attempt('numeric types', () =>
  dlopen(fixture, { add_i32: { args: [FFIType.int, 5], returns: FFIType.i32 } }).symbols.add_i32(1, 2),
);
attempt('unknown keys', () =>
  dlopen(fixture, { add_i32: { ...add, nonsense: 1, threadsafe: 'x' } }).symbols.add_i32(1, 2),
);
attempt('an address', () => dlopen(fixture, { anything: { ...add, ptr: address } }).symbols.anything(1, 2));
for (const ptr of [0, null, undefined, 'x']) {
  attempt(`ptr ${String(ptr)} is none`, () => dlopen(fixture, { add_i32: { ...add, ptr } }).symbols.add_i32(1, 2));
  attempt(`linked ptr ${String(ptr)}`, () => linkSymbols({ add: { ...add, ptr } }));
  attempt(`CFunction ptr ${String(ptr)}`, () => CFunction({ ...add, ptr }));
}
attempt('linked', () =>
  linkSymbols({ a: { ...add, ptr: address }, b: { ...add, ptr: BigInt(address) } }).symbols.b(3, 4),
);
attempt('CFunction', () => CFunction({ ...add, ptr: address })(5, 6));
attempt('new CFunction', () => new CFunction({ ...add, ptr: address })(7, 8));
attempt('closing twice', () => {
  const library = dlopen(fixture, { add_i32: add });
  return [library.close(), library.close()];
});

const places = {
  dlopen: (declaration) => dlopen(fixture, { add_i32: declaration }),
  linkSymbols: (declaration) => linkSymbols({ add_i32: { ...declaration, ptr: address } }),
  CFunction: (declaration) => CFunction({ ...declaration, ptr: address }),
  JSCallback: (declaration) => new JSCallback(() => 0, declaration),
};
for (const [place, declare] of Object.entries(places)) {
  for (const args of [null, undefined, 'i32', {}, ['foo'], [null], [{}], [1.5], [99], [-1], ['napi_env'], ['void']]) {
    attempt(`${place} args ${JSON.stringify(args)}`, () => declare({ args }));
  }
  for (const returns of ['foo', {}, false, 99, 'napi_value', 'buffer', 'buffer_length']) {
    attempt(`${place} returns ${JSON.stringify(returns)}`, () => declare({ returns }));
  }
}
attempt('buffer_length of a callback', () => new JSCallback(() => 0, { args: ['buffer_length'] }));
for (const given of [undefined, null, {}, [], { add_i32: 5 }, { add_i32: null }]) {
  attempt(`dlopen ${JSON.stringify(given)}`, () => dlopen(fixture, given));
  attempt(`linkSymbols ${JSON.stringify(given)}`, () => linkSymbols(given));
}
attempt('dlopen of nothing', () => dlopen('', { a: {} }));
attempt('dlopen of null', () => dlopen(null, { a: {} }));
attempt('a library that is not there', () => dlopen('/no/such/lib.so', { a: {} }));
attempt('a symbol that is not there', () => dlopen(fixture, { no_such_symbol: {} }));
attempt('a URL', () => dlopen(new URL(`file://${fixture}`), { add_i32: add }).symbols.add_i32(1, 2));
attempt('a file in the current directory', () =>
  dlopen(`libfixture.${suffix}`, { add_i32: add }).symbols.add_i32(1, 2),
);
try {
  dlopen('/no/such/lib.so', { a: {} });
} catch (error) {
  console.log(error.code);
}

attempt('no callback', () => new JSCallback());
attempt('no function', () => new JSCallback(5, {}));
attempt('no declaration', () => new JSCallback(() => {}));
attempt('swapped', () => new JSCallback({}, () => {}));
attempt('native.callback', () => native.callback());
attempt('viewSource of nothing', () => viewSource());
attempt('viewSource', () => viewSource({ add_i32: add }).length);
attempt('viewSource of a callback', () => typeof viewSource(add, true));
