'use strict';
// What node:ffi and this package's layer do with the same calls: a text for each, in which addresses are left out.

const { inspect } = require('node:util');

const TYPES = ['char', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64', 'pointer'];
const ACCESSORS = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Int64', 'Uint64', 'Float32', 'Float64'];
const MOST = 2n ** 64n - 1n;

function detached(make) {
  const buffer = new ArrayBuffer(8);
  const value = make(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return value;
}

/** Values by the names that labels give them. */
const VALUES = {
  '-0': -0,
  NaN: NaN,
  1.5: 1.5,
  Infinity,
  '-Infinity': -Infinity,
  '1e39': 1e39,
  true: true,
  null: null,
  undefined: undefined,
  '{}': {},
  '[1]': [1],
  function: () => 1,
  symbol: Symbol('a'),
  'new Number(5)': new Number(5),
  'Object(5n)': Object(5n),
  valueOf: { valueOf: () => 5 },
  "'5'": '5',
  'detached ArrayBuffer': detached((buffer) => buffer),
  'detached DataView': detached((buffer) => new DataView(buffer)),
  'detached Uint8Array': detached((buffer) => new Uint8Array(buffer)),
};
for (const bits of [7, 8, 15, 16, 31, 32, 53, 63, 64]) {
  for (const [sign, by] of [
    [1n, -1n],
    [1n, 0n],
    [-1n, 0n],
    [-1n, -1n],
  ]) {
    const value = sign * 2n ** BigInt(bits) + by;
    VALUES[`${value}n`] = value;
    if (bits <= 53) VALUES[`${value}`] = Number(value);
  }
}

const isText = (value) => typeof value === 'string';
/** Memory that the calls read and write. */
const memory = Buffer.alloc(64);
const target = Buffer.alloc(16);
/** Their addresses, and those of functions, which have 14 or 15 digits here. */
let known = [];
const show = (value) =>
  known
    .reduce(
      (text, address) => text.replaceAll(`${address}n`, '<memory>'),
      inspect(value, { depth: 4, breakLength: Infinity }),
    )
    .replace(/\b\d{14,15}n/g, '<address>');

function outcome(run) {
  try {
    return show(run());
  } catch (error) {
    return `${error.code}: ${error.message.replace(/0x[0-9a-f]{7,}/g, '<address>')}`;
  }
}

/** Outcomes by label. */
function outcomesOf(ffi, path) {
  const outcomes = new Map();
  const note = (label, run) => outcomes.set(label, outcome(run));
  const lib = new ffi.DynamicLibrary(path);
  const each = (label, values, run) => values.forEach((list) => note(`${label} ${show(list)}`, () => run(...list)));

  for (const type of TYPES) {
    const identity = lib.getFunction(`identity_${type}`, { return: type, arguments: [type] });
    for (const [name, value] of Object.entries(VALUES)) {
      // The address of a text is another each time.
      if (type === 'pointer' && isText(value)) continue;
      note(`${type} ${name}`, () => identity(value));
      if (typeof value !== 'object') note(`callback ${type} ${name}`, () => called(ffi, lib, type, value));
    }
  }

  const { identity_pointer: pointer } = lib.functions;
  const bytes = new Uint8Array(16);
  note('empty views', () => [new Uint8Array(0), Buffer.alloc(0), new ArrayBuffer(0)].map((value) => pointer(value)));
  note('a view', () => pointer(bytes) === ffi.getRawPointer(bytes));
  note('a part of a view', () => {
    const sum = lib.getFunction('sum', { return: 'u64', arguments: ['pointer', 'u64'] });
    return sum(Uint8Array.of(1, 2, 3, 4, 5).subarray(3), 2);
  });
  note('an ArrayBuffer', () => pointer(bytes.buffer) === pointer(bytes));
  note('a shared view', () => typeof pointer(new Uint8Array(new SharedArrayBuffer(8))));
  note('a SharedArrayBuffer', () => pointer(new SharedArrayBuffer(8)));
  note('a resizable ArrayBuffer', () => typeof pointer(new ArrayBuffer(8, { maxByteLength: 16 })));
  for (const [name, value] of Object.entries(VALUES)) note(`getRawPointer ${name}`, () => ffi.getRawPointer(value));
  note('getRawPointer of nothing', () => [
    ffi.getRawPointer(new Uint8Array(0)),
    ffi.getRawPointer(new SharedArrayBuffer(0)),
  ]);

  memory.fill(0xee);
  const at = ffi.getRawPointer(memory);
  const to = ffi.getRawPointer(target);
  known = [at, to];
  const addresses = [[], [undefined], [1], ['x'], [null], [0n], [-1n], [MOST + 1n]];
  const offsets = [-1, 1.5, NaN, '1', null, undefined, 1n, 2 ** 53];
  for (const name of ACCESSORS) {
    const [get, set] = [ffi[`get${name}`], ffi[`set${name}`]];
    for (const [label, value] of Object.entries(VALUES))
      note(`set${name} ${label}`, () => [set(at, 8, value), get(at, 8)]);
    each(`get${name}`, addresses, get);
    each(`set${name}`, addresses, set);
    each(`set${name} 1`, addresses, (address) => set(address, 0, 1));
    each(`get${name} at`, [...offsets.map((offset) => [offset])], (offset) => get(at, offset));
    each(`set${name} at`, [...offsets.map((offset) => [offset])], (offset) =>
      set(at, offset, name.includes('Int64') ? 1n : 1),
    );
    note(`get${name} at the end`, () => get(MOST, 1));
    note(`get${name} far`, () => get(MOST - 8n, 2 ** 53 - 1));
    note(`${name} unaligned`, () => [set(at, 3, 5), get(at, 3), memory.toString('hex', 0, 16)]);
  }

  memory.fill(0).write('grüße');
  note('toString', () => [ffi.toString(at), ffi.toString(0n), ffi.toString(ffi.getUint64(lib.getSymbol('greeting')))]);
  each('toString', addresses, ffi.toString);
  for (const name of ['toBuffer', 'toArrayBuffer']) {
    each(name, addresses, ffi[name]);
    each(
      name,
      [
        [0n, 0],
        [0n, 1],
        [0n, -1],
        [0n, 0, false],
        [MOST, 2],
        [MOST, 2, false],
      ],
      ffi[name],
    );
    const lengths = [undefined, '1', -1, 1.5, NaN, 2 ** 53, 0, 4, 4n];
    each(
      `${name} of`,
      lengths.map((length) => [length]),
      (length) => ffi[name](at, length),
    );
    each(`${name} copy`, [[undefined], [null], [0], [true], ['x'], [false]], (copy) => ffi[name](at, 4, copy));
  }
  note('toBuffer is the memory', () => {
    ffi.toBuffer(at, 4, false)[1] = 7;
    ffi.toBuffer(at, 4)[1] = 9;
    return memory[1];
  });

  const exported = (run) => {
    target.fill(0xee);
    return [run(), target.toString('hex')];
  };
  const rest = [
    [to, 16],
    [to, 1],
    [to, 0],
    [0n, 16],
    [1, 16],
    [-1n, 16],
    [to, '8'],
    [to],
    [],
    [to, -1],
    [to, 1.5],
    [to, NaN],
    [to, 2 ** 53],
    [MOST, 16],
  ];
  const sources = ['text', '', 'a\0b', 'grüße', 1, undefined, null, {}, Symbol('a')];
  sources.forEach((text) =>
    each(`exportString ${show(text)}`, rest, (...more) => exported(() => ffi.exportString(text, ...more))),
  );
  for (const encoding of [
    'utf16le',
    'ucs2',
    'UCS-2',
    'utf-16le',
    'latin1',
    'hex',
    'base64',
    'none',
    1,
    null,
    undefined,
  ])
    note(`exportString as ${show(encoding)}`, () => exported(() => ffi.exportString('6869', to, 16, encoding)));
  const buffers = [
    Buffer.from('abc'),
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(1, 2, 3).buffer,
    Uint16Array.of(1, 2),
    new DataView(new ArrayBuffer(2)),
    new SharedArrayBuffer(2),
    Buffer.alloc(0),
    1,
    undefined,
    null,
    'x',
    {},
    () => 1,
  ];
  for (const name of ['exportBuffer', 'exportArrayBuffer', 'exportArrayBufferView']) {
    buffers.forEach((source, i) => each(`${name} ${i}`, rest, (...more) => exported(() => ffi[name](source, ...more))));
    for (const label of Object.keys(VALUES).filter((key) => key.startsWith('detached')))
      note(`${name} ${label}`, () => ffi[name](VALUES[label], to, 8));
  }

  declarations(ffi, path, note, each);
  calls(ffi, lib, note);
  lib.close();
  lib.close();
  const names = [
    'getFunction',
    'getFunctions',
    'getSymbol',
    'getSymbols',
    'registerCallback',
    'unregisterCallback',
    'refCallback',
    'unrefCallback',
  ];
  for (const name of names)
    each(`closed ${name}`, [[], ['x', {}], [() => 1], [1n]], (...values) => lib[name](...values));
  note('closed', () => pointer(null));
  note('closed functions', () => lib.functions);
  note('closed symbols', () => lib.symbols);
  return outcomes;
}

/** What C gets of a callback that returns a value; where Node would end the process it is not asked. */
function called(ffi, lib, type, value) {
  const isPointer = type === 'pointer';
  const isWide = type === 'i64' || type === 'u64';
  const fits = isPointer
    ? value === null || value === undefined || (typeof value === 'bigint' && value >= 0n && value <= MOST)
    : false;
  const range = {
    char: [-128, 127],
    i8: [-128, 127],
    u8: [0, 255],
    i16: [-32768, 32767],
    u16: [0, 65535],
    i32: [-(2 ** 31), 2 ** 31 - 1],
    u32: [0, 2 ** 32 - 1],
    i64: [-(2n ** 63n), 2n ** 63n - 1n],
    u64: [0n, MOST],
    f32: [-Infinity, Infinity],
    f64: [-Infinity, Infinity],
  }[type];
  const isFloat = type.startsWith('f');
  const isNumber = typeof value === (isWide ? 'bigint' : 'number') && (isFloat || isWide || Number.isInteger(value));
  if (!fits && !(isNumber && ((value >= range[0] && value <= range[1]) || isFloat))) return 'not asked';
  let got;
  const callback = lib.registerCallback({ arguments: [type], return: type }, (...values) => {
    got = values;
    return value;
  });
  const call = lib.getFunction(`call_${type}`, { return: type, arguments: ['function', type] });
  const result = call(callback, isPointer || isWide ? 5n : 5);
  lib.unregisterCallback(callback);
  return [result, got];
}

/** Signatures and libraries. */
function declarations(ffi, path, note, each) {
  const open = () => new ffi.DynamicLibrary(path);
  each(
    'DynamicLibrary',
    [[], [1], [undefined], ['a\0b'], ['/no/such/library.so']],
    (...values) => new ffi.DynamicLibrary(...values),
  );
  note('dlopen of nothing', () => ffi.dlopen('libno-such-library.so'));
  note('path', () => [open().path === path, new ffi.DynamicLibrary(null).path]);
  note('an empty library', () => [open().functions, open().symbols, open().getSymbols(), open().getFunctions()]);
  const names = [[], [1], ['add_i32'], ['add_i32', []], ['add_i32', null], ['add_i32', 1], ['a\0b', {}]];
  each('getFunction', names, (...values) => open().getFunction(...values));
  const signatures = [
    { return: 1 },
    { return: undefined },
    { return: 'a\0' },
    { return: 'int' },
    { arguments: 1 },
    { arguments: undefined },
    { arguments: [1] },
    { arguments: ['void'] },
    { arguments: ['i32', 'size_t'] },
    { arguments: ['i\0'] },
    { arguments: Array(1) },
    { return: 'toString' },
  ];
  each(
    'signature',
    signatures.map((one) => [one]),
    (one) => open().getFunction('add_i32', one),
  );
  each(
    'callback signature',
    signatures.map((one) => [one]),
    (one) => open().registerCallback(one, () => 1),
  );
  each('registerCallback', [[], [1], [null], [[]], [{}], [{}, 1]], (...values) => open().registerCallback(...values));
  for (const name of ['unregisterCallback', 'refCallback', 'unrefCallback'])
    each(name, [[], [1], [0n], [-1n], [2n ** 64n], [5n], ['x']], (value) => open()[name](value));
  note('missing', () => open().getSymbol('no_such').toString().replace(path, 'path'));
  each('getSymbol', [[], [1], ['a\0']], (...values) => open().getSymbol(...values));
  each(
    'getFunctions',
    [[1], [null], [[]], ['x'], [{ add_i32: 1 }], [{ add_i32: {}, no_such: {} }], [undefined]],
    (...values) => open().getFunctions(...values),
  );
  note('all or none', () => {
    const lib = open();
    try {
      lib.getFunctions({ add_i32: {}, no_such: {} });
    } catch {
      return [lib.functions, lib.symbols];
    }
  });
  note('the same function', () => {
    const lib = open();
    const one = lib.getFunction('add_i32', { return: 'i32', arguments: ['i32', 'int32'] });
    const other = lib.getFunctions({ add_i32: { return: 'int32', arguments: ['int32', 'i32'] } }).add_i32;
    return [
      one === other,
      lib.functions.add_i32 === one,
      one.name,
      one.length,
      one.pointer === lib.getSymbol('add_i32'),
    ];
  });
  note('another signature', () => {
    const lib = open();
    lib.getFunction('add_i32', { return: 'i32' });
    return lib.getFunction('add_i32', { return: 'u32' });
  });
  note('inherited signatures', () =>
    open().getFunction('add_i32', Object.create({ return: 'i32', arguments: ['i32', 'i32'] }))(1, 2),
  );
  note('inherited definitions', () => open().getFunctions(Object.create({ add_i32: {} })));
  note('getters', () => {
    const read = [];
    open().getFunction('add_i32', {
      get return() {
        read.push('return');
        return 'void';
      },
      get arguments() {
        read.push('arguments');
        return [];
      },
    });
    return read;
  });
  note('getters that close', () => {
    const lib = open();
    return lib.getFunction('add_i32', {
      get return() {
        lib.close();
        return 'void';
      },
    });
  });
  note('dlopen', () => {
    const { lib, functions, ...others } = ffi.dlopen(path, { add_i32: { return: 'i32', arguments: ['i32', 'i32'] } });
    return [
      functions.add_i32(20, 22),
      lib instanceof ffi.DynamicLibrary,
      Object.keys(others),
      Object.getPrototypeOf(functions),
    ];
  });
  note('dlopen without definitions', () => [ffi.dlopen(path).functions, Object.isFrozen(ffi.dlopen(null).functions)]);
  note('dlopen null', () => ffi.dlopen(path, null));
  note('dlsym', () => ffi.dlsym(open(), 'add_i32') > 0n);
  note('types', () => [ffi.types, Object.isFrozen(ffi.types), ffi.suffix, Object.keys(ffi).sort()]);
  note('getCurrentEventLoop', () => ffi.getCurrentEventLoop() > 0n);
}

/** Calls of several arguments. */
function calls(ffi, lib, note) {
  const mixed = lib.getFunction('mixed', { return: 'f64', arguments: ['i32', 'f64', 'i64', 'string', 'buffer'] });
  note('mixed', () => mixed(1, 2.5, 3n, 'four', Buffer.alloc(1)));
  note('mixed, numbers', () => mixed(1, 2.5, 3, Buffer.from('five\0'), null));
  note('wrong in the middle', () => mixed(1, 2.5, 3.5, 'four', null));
  note('wrong at the end', () => mixed(1, 2.5, 3n, 'four', 5));
  note('too few', () => mixed(1));
  note('too many', () => mixed(1, 2.5, 3n, 'four', null, 6));
  const length = lib.getFunction('text_length', { return: 'u64', arguments: ['str'] });
  note('texts', () => ['', 'text', 'grüße', '\u{1f600}', 'x'.repeat(5000), '\ud800'].map((text) => length(text)));
  note('a NUL', () => length('a\0b'));
  note('ten', () =>
    lib.getFunction('ten', { return: 'i32', arguments: Array(10).fill('i32') })(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
  );
  note('a callback without a signature', () => {
    const got = [];
    const callback = lib.registerCallback(function () {
      got.push(arguments.length);
      return 5;
    });
    got.push(lib.getFunction('call_void', { arguments: ['function'] })(callback));
    lib.unregisterCallback(callback);
    return got;
  });
  note('nested', () => {
    const call = lib.getFunction('times', { return: 'i32', arguments: ['pointer', 'i32'] });
    const inner = lib.registerCallback({ return: 'i32', arguments: ['i32'] }, (i) => i * 2);
    const outer = lib.registerCallback({ return: 'i32', arguments: ['i32'] }, (i) => call(inner, i));
    return call(outer, 5);
  });
  note('a text while others are passed', () => {
    const survives = lib.getFunction('text_survives', { return: 'i32', arguments: ['string', 'function'] });
    return survives(
      'outer',
      lib.registerCallback(() => void length('other')),
    );
  });
  note('unregistered twice', () => {
    const callback = lib.registerCallback(() => 1);
    lib.unrefCallback(callback);
    lib.unrefCallback(callback);
    lib.refCallback(callback);
    lib.unregisterCallback(callback);
    lib.unregisterCallback(callback);
  });
  note('a plain function', () => lib.functions.times(() => 1, 2));
}

module.exports = { outcomesOf };
