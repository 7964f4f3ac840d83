'use strict';
// The dialects node:ffi and koffi as the fuzzer sees them: rows like those of test/fuzz/surface.js. C is entered
// through functions that touch no memory.

const { fixture } = require('../helpers.js');
const { anyAtom, array, atom, hostile, mutate, number, object, text, KEYS } = require('./specs.js');
const nodeFfi = require('../../node-ffi.js');
const koffi = require('../../koffi.js');

/** A value of the user that the package may not take for an address that it follows. */
const isSmall = (length) => typeof length !== 'number' || !(length > 32);
const listOf = (value) => (Array.isArray(value) ? value : []);

// ---- node:ffi -------------------------------------------------------------------------------------------------------

const NUMBERS = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'];
const NAMES = [...Object.values(nodeFfi.types), ...NUMBERS, 'ptr', 'str', 'int'];
const lib = new nodeFfi.DynamicLibrary(fixture);
const identities = Object.fromEntries(
  NUMBERS.map((name) => [name, lib.getFunction(`identity_${name}`, { return: name, arguments: [name] })]),
);
const same = lib.getFunction('same_ptr', { return: 'bool', arguments: ['pointer', 'string'] });
const callInt = lib.getFunction('call_i32', { return: 'i32', arguments: ['function', 'i32'] });

/** An address as node:ffi has it. */
const big = (address) => (Number.isSafeInteger(address) ? BigInt(address) : address);
const signature = (r) =>
  object({ return: text(r.pick(NAMES)), arguments: array(r.list(5, () => text(r.pick(NAMES)))) });
const chance = (r) => r.pick([0, 0.05, 0.3]);
const address = (r) => mutate(r, atom('the address of the memory', 'address'), 0.4);
const accessors = Object.keys(nodeFfi).filter((name) => /^[gs]et[IUF]/.test(name));
const methods = ['getSymbol', 'getSymbols', 'getFunction', 'getFunctions', 'registerCallback'];

const nodeFfiRows = {
  'node:ffi declares and calls': {
    weight: 4,
    tame: true,
    spec: (r) => [
      mutate(r, signature(r), chance(r)),
      array(r.list(5, () => hostile(r))),
      text(r.pick(['sync', 'async'])),
    ],
    run(_, declared, values, how) {
      const opened = new nodeFfi.DynamicLibrary(fixture);
      try {
        const call = opened.getFunction('answer_zero', declared);
        return how === 'async' ? call.async(...listOf(values)) : call(...listOf(values));
      } finally {
        opened.close();
      }
    },
  },
  'node:ffi calls with a number': {
    weight: 3,
    spec: (r) => [text(r.pick(NUMBERS)), hostile(r)],
    run: (_, name, content) => identities[name]?.(content),
  },
  'node:ffi calls with pointers': {
    weight: 3,
    spec: (r) => [hostile(r), hostile(r)],
    run: (_, ...values) => same(...values),
  },
  'node:ffi reads and writes': {
    weight: 3,
    spec: (r) => [text(r.pick(accessors)), address(r), mutate(r, atom('8', 'offset'), 0.4), hostile(r)],
    run: (_, name, at, offset, content) => nodeFfi[name]?.(big(at), offset, content),
  },
  'node:ffi copies': {
    weight: 3,
    spec: (r) => [
      text(r.pick(['toString', 'toBuffer', 'toArrayBuffer', 'getRawPointer'])),
      r.pick([address(r), anyAtom(r, 'view')]),
      mutate(r, atom('8', 'length'), 0.4),
      hostile(r, 1),
    ],
    run: (_, name, at, length, copy) =>
      isSmall(length) || copy === false ? nodeFfi[name]?.(big(at), length, copy) : undefined,
  },
  'node:ffi exports': {
    weight: 3,
    spec: (r) => [
      text(r.pick(['exportString', 'exportBuffer', 'exportArrayBuffer', 'exportArrayBufferView'])),
      r.pick([hostile(r), anyAtom(r, 'view'), text('a text')]),
      address(r),
      mutate(r, atom('32', 'length'), 0.4),
    ],
    run: (_, name, source, at, length) => (isSmall(length) ? nodeFfi[name]?.(source, big(at), length) : undefined),
  },
  'node:ffi calls back': {
    weight: 3,
    spec: (r) => [
      mutate(r, object({ return: text('i32'), arguments: array([text('i32')]) }), chance(r)),
      {
        k: 'function',
        effect: r.pick(['none', 'throw', 'throw a string', 'close the library', 'collect', 'call']),
        of: hostile(r),
      },
      text(r.pick(['unref', 'unregister', 'none'])),
    ],
    run(world, declared, callback, how) {
      const pointer = lib.registerCallback(declared, callback);
      try {
        if (how === 'unref') lib.unrefCallback(pointer);
        return callInt(pointer, 7);
      } finally {
        lib.unregisterCallback(pointer);
      }
    },
  },
  'node:ffi of a library': {
    weight: 2,
    spec: (r) => [text(r.pick(methods)), hostile(r), hostile(r)],
    run(_, name, ...args) {
      const opened = new nodeFfi.DynamicLibrary(fixture);
      try {
        return opened[name]?.(...args);
      } finally {
        opened.close();
      }
    },
  },
  'node:ffi opens': {
    weight: 2,
    spec: (r) => [r.pick([text(fixture), hostile(r)]), mutate(r, object({ answer_zero: signature(r) }), 0.2)],
    run: (_, ...args) => nodeFfi.dlopen(...args).lib.close(),
  },
};

// ---- koffi ----------------------------------------------------------------------------------------------------------

const SCALARS = [
  'int',
  'uint8_t',
  'short',
  'long',
  'size_t',
  'int64_t',
  'float',
  'double',
  'bool',
  'char',
  'wchar_t',
  'int32_be_t',
];
const PASSED = [
  ...SCALARS,
  'void *',
  'int *',
  '_Out_ int *',
  '_Inout_ double *',
  'str',
  'str16',
  'const char *',
  'char *',
  'const char **',
  'FILE *',
  'Point',
  'Point *',
  '_Out_ Point *',
  'Either',
  'Callback *',
];
const RESULTS = ['void', ...SCALARS, 'void *', 'str', 'Point', 'const char *', 'Callback *'];
const WORDS = [
  'int',
  'char',
  '*',
  '[4]',
  'const',
  '(',
  ')',
  ',',
  ';',
  'void',
  'unsigned',
  '_Out_',
  'struct',
  'Point',
  '...',
  '!',
  'x',
  '{',
  '}',
  '__stdcall',
  '"',
  "'",
  '\\',
  '/*',
  '[',
  ']',
  '-1',
];
const MAKERS = [
  'struct',
  'pack',
  'union',
  'array',
  'pointer',
  'opaque',
  'enumeration',
  'proto',
  'alias',
  'disposable',
  'out',
  'inout',
  'type',
  'sizeof',
  'alignof',
  'offsetof',
  'introspect',
  'as',
  'address',
  'errno',
  'Union',
];
const handle = koffi.load(fixture);
const callCallback = () => handle.func('int call_i32(Callback *callback, int value)');

/** The types that rows name; names are forgotten each time. */
function declare() {
  koffi.reset();
  koffi.struct('Point', { x: 'int', y: 'double', name: 'const char *', list: koffi.array('int16_t', 3) });
  koffi.union('Either', { i: 'int', d: 'double' });
  koffi.proto('int Callback(int value)');
  koffi.opaque('Handle');
}

const koffiRows = {
  'koffi declares': {
    weight: 4,
    spec: (r) => [text(r.pick(MAKERS)), r.pick([text(r.pick(KEYS)), hostile(r)]), hostile(r), hostile(r, 1)],
    run(_, name, ...args) {
      declare();
      return name === 'Union' ? new koffi.Union(...args) : koffi[name]?.(...args);
    },
  },
  'koffi declares a struct': {
    weight: 3,
    spec: (r) => [
      mutate(r, object(Object.fromEntries(r.list(5, (i) => [`f${i}`, text(r.pick(PASSED))]))), chance(r)),
      hostile(r),
    ],
    run(_, members, content) {
      declare();
      const type = koffi.struct(members);
      const bytes = Buffer.alloc(type.size);
      koffi.encode(bytes, type, content);
      return koffi.sizeof(type);
    },
  },
  'koffi reads C text': {
    weight: 3,
    spec: (r) => [array(r.list(12, () => text(r.pick(WORDS)))), text(r.pick(['func', 'type', 'proto', 'struct']))],
    run(_, words, how) {
      declare();
      const source = listOf(words).join(' ');
      if (how === 'func') return handle.func(`int answer_zero(${source})`).info.arguments.length;
      return how === 'struct' ? koffi.struct({ x: source }) : koffi[how]?.(source);
    },
  },
  'koffi declares and calls': {
    weight: 6,
    tame: true,
    spec: (r) => {
      const types = r.list(4, () => text(r.pick(PASSED)));
      return [
        mutate(r, text(r.pick(RESULTS)), chance(r)),
        mutate(r, array(types), chance(r)),
        array([...types.map(() => hostile(r)), ...r.list(2, () => hostile(r))]),
        text(r.pick(['sync', 'sync', 'async'])),
      ];
    },
    run(_, returns, types, values, how) {
      declare();
      const call = handle.func('answer_zero', returns, types);
      if (how !== 'async' || call.async === undefined) return call(...listOf(values));
      const count = call.info.arguments.length;
      return new Promise((resolve, reject) => {
        call.async(...Array.from({ length: count }, (__, i) => listOf(values)[i]), (error, value) =>
          error ? reject(error) : resolve(value),
        );
      });
    },
  },
  'koffi decodes and encodes': {
    weight: 4,
    spec: (r) => [
      text(r.pick(['decode', 'encode', 'view', 'address'])),
      r.pick([address(r), anyAtom(r, 'view')]),
      mutate(r, atom('8', 'offset'), 0.4),
      text(r.pick(SCALARS)),
      hostile(r),
    ],
    run(_, name, at, offset, type, content) {
      if (name === 'view' || name === 'address') return koffi[name](at, offset);
      return name === 'decode' ? koffi.decode(at, offset, type) : koffi.encode(at, offset, type, content);
    },
  },
  'koffi calls back': {
    weight: 3,
    spec: (r) => [
      { k: 'function', effect: r.pick(['none', 'throw', 'throw a string', 'collect', 'call']), of: hostile(r) },
      text(r.pick(['plain', 'registered', 'pointer'])),
      hostile(r),
    ],
    run(_, callback, how, other) {
      declare();
      if (how === 'plain') return callCallback()(callback, 7);
      if (how === 'pointer') return handle.func('int answer_zero(Callback *callback)')(other);
      const pointer = koffi.register(callback, 'Callback *');
      try {
        return [callCallback()(pointer, 7), koffi.call(pointer, 'Callback', 8)];
      } finally {
        koffi.unregister(pointer);
      }
    },
  },
  'koffi otherwise': {
    weight: 2,
    spec: (r) => [text(r.pick(['config', 'stats', 'unregister', 'load', 'alloc'])), hostile(r), number(1 + r.int(8))],
    run(_, name, content, count) {
      declare();
      if (name !== 'alloc') return koffi[name]?.(content);
      const pointer = koffi.alloc(content, count);
      koffi.free(pointer);
      return pointer;
    },
  },
};

module.exports = { ...nodeFfiRows, ...koffiRows };
