'use strict';
// Where errors point to: the user's line comes first, and generated code has names.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const { ffi, bindOne, makeDetached, makeFolder, throws } = require('../helpers.js');

const { symbols } = ffi.dlopen(null, {
  abs: { args: ['int'], returns: 'int' },
  strlen: { args: ['cstring'], returns: 'size_t' },
  printf: { args: ['cstring'], varargs: true, returns: 'int' },
  frexp: { args: ['double', ffi.out('int')], returns: 'double' },
  chdir: { args: ['cstring'], returns: 'int', fails: 'negative' },
  memset: { args: ['ptr', 'int', 'size_t'], returns: 'ptr' },
});

/** Memory whose text is at an address in the first page. */
const nowhere = Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0);

const resizable = () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }));

/** The first frame of what a function throws. */
function firstFrame(call) {
  try {
    call();
  } catch (error) {
    return error.stack.split('\n').find((line) => /^ {4}at /.test(line));
  }
  return assert.fail('nothing was thrown');
}

describe('the stack of an error begins where the user has called', () => {
  const calls = {
    'a wrong argument': () => symbols.abs('x'),
    'a wrong number of arguments': () => symbols.abs(),
    'a text with NUL': () => symbols.strlen('a\0b'),
    'a variadic function': () => symbols.printf('x', 'y'),
    'an out-parameter': () => symbols.frexp('x'),
    'a failure of C': () => symbols.chdir('/no/such/folder'),
    'a broken fence': () => symbols.memset(Buffer.alloc(96), 1, 100),
    'a view that can be resized': () => symbols.memset(resizable(), 1, 1),
    'a detached view': () => symbols.memset(makeDetached(), 1, 1),
    'a closed library': () => {
      const library = ffi.dlopen(null, { abs: { args: ['int'], returns: 'int' } });
      library.close();
      library.symbols.abs(1);
    },
    dlopen: () => ffi.dlopen('no-such-library', {}),
    'a declaration': () => ffi.dlopen(null, { abs: { args: ['int32'] } }),
    CFunction: () => ffi.CFunction({}),
    struct: () => ffi.struct({ x: 'f6' }),
    'C text': () => ffi.struct('struct s { size_y x; }'),
    JSCallback: () => new ffi.JSCallback(() => 0, { args: ['f6'] }),
    'read.i32': () => ffi.read.i32(0),
    'write.i32': () => ffi.write.i32(ffi.ptr(new Uint8Array(4)), 0, 'x'),
    ptr: () => ffi.ptr('x'),
    toBuffer: () => ffi.toBuffer('x'),
    'read.bytes': () => ffi.read.bytes(0, 0, 8),
    'write.bytes': () => ffi.write.bytes(ffi.ptr(nowhere), 0, 'x'),
    CString: () => ffi.CString({}),
    alloc: () => ffi.alloc(-1),
    pin: () => ffi.pin('x'),
    'T.read': () => ffi.struct({ x: 'int' }).read(0),
    'T.alloc': () => ffi.struct({ x: 'int' }).alloc({ x: 'x' }),
    'a field': () => (ffi.struct({ x: 'int' }).alloc().x = 'x'),
    'a misspelt field': () => ffi.struct({ count: 'int' }).alloc().cuont,
    'library.global': () => ffi.dlopen(null, {}).global('no_such_variable', 'int'),
    'library.function': () => ffi.dlopen(null, {}).function('abs', { args: ['f6'] }),
    'library.symbol': () => ffi.dlopen(null, {}).symbol(5),
    'the value of a variable': () => (ffi.dlopen(null, {}).global('optind', 'int').value = 'x'),
    'the view of a variable': () => ffi.dlopen(null, {}).global('optind', 'int').view(),
    errno: () => ffi.errno('x'),
    'a text of a view that leads nowhere': () => ffi.struct({ text: 'cstring' }).view(nowhere).text,
    'view.at': () => ffi.array('int', 2).alloc().at(5),
    'view.set': () => ffi.array('int', 2).alloc().set(0, 'x'),
    'view[i]': () => ffi.array('cstring', 1).view(nowhere)[0],
    'view.toArray': () => ffi.array('cstring', 1).view(nowhere).toArray(),
    'view.toString': () => ffi.array('cstring', 1).view(nowhere).toString(),
    'view.toJSON': () => ffi.array('cstring', 1).view(0x10000).toJSON(),
    'an element': () => (ffi.array('int', 2).alloc()[5] = 1),
  };
  for (const [title, call] of Object.entries(calls)) {
    test(`the stack of an error begins where the user has called, for ${title}`, () => {
      const frame = firstFrame(call);
      assert.ok(frame.includes(__filename), frame);
    });
  }

  test('the stack of an error of pinned-ffi/bun begins where the user has called', () => {
    const bun = require('../../bun.js');
    for (const call of [
      () => bun.dlopen('libc.so.6', { no_such_function: {} }),
      () => bun.dlopen('no-such-library', { abs: {} }),
      () => bun.linkSymbols({ f: {} }),
      () => new bun.CFunction({}),
      () => new bun.JSCallback(() => 0, { args: ['f6'] }),
      () => bun.read.i32(null),
      () => bun.ptr(5),
      () => bun.toBuffer(5),
      () => new bun.CString({}),
      () => bun.cc({}),
    ]) {
      const frame = firstFrame(call);
      assert.ok(frame.includes(__filename), `${call}: ${frame}`);
    }
  });

  test('the stack of an error is not changed if a callback throws the error of a call that it made', () => {
    const { qsort } = ffi.dlopen(
      null,
      'void qsort(void *, size_t, size_t, int (*)(const void *, const void *));',
    ).symbols;
    const inner = () => symbols.abs('x');
    const error = throws(() => qsort(Int32Array.of(2, 1), 2, 4, inner), 'ERR_INVALID_ARG_TYPE');
    assert.match(error.stack.split('\n')[1], /at inner /);
  });

  test('the stack of an error of optimised code begins where the user has called', () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32');
    const call = (value) => add(value, 1);
    for (let i = 0; i < 20000; i += 1) call(i);
    assert.ok(firstFrame(() => call(0.5)).includes(__filename));
  });

  test('the stack of a rejection begins where the call was made, if it was not made', async () => {
    const closed = ffi.dlopen(null, { abs: { args: ['int'], returns: 'int' } });
    closed.close();
    for (const call of [
      () => symbols.abs.async('x'),
      () => symbols.memset.async(resizable(), 1, 1),
      () => symbols.memset.async(makeDetached(), 1, 1),
      () => closed.symbols.abs.async(1),
    ]) {
      await assert.rejects(call(), (error) => error.stack.split('\n')[1].includes(__filename), String(call));
    }
  });

  test('the stack of a rejection by what C has done has the functions that await it, and no frame of the package', async () => {
    async function awaits(call) {
      await call();
    }
    for (const [call, code] of [
      [() => symbols.chdir.async('/no/such/folder'), 'ENOENT'],
      [() => symbols.memset.async(Buffer.alloc(96), 1, 100), 'ERR_FFI_BUFFER_OVERFLOW'],
    ]) {
      const error = await awaits(call).then(undefined, (reason) => reason);
      assert.equal(error.code, code);
      const frames = error.stack.split('\n').filter((line) => /^ {4}at /.test(line));
      assert.match(frames[0], /at async awaits \(.*stacks\.test\.js/);
      const alone = await call().then(undefined, (reason) => reason);
      assert.doesNotMatch(alone.stack, /[\\/]lib[\\/]/);
    }
  });

  test('an error that a callback has thrown keeps its stack', () => {
    const { qsort } = ffi.dlopen(null, {
      qsort: { args: ['ptr', 'size_t', 'size_t', ffi.fn({ args: ['ptr', 'ptr'], returns: 'int' })] },
    }).symbols;
    function thrower() {
      symbols.abs('inside');
    }
    assert.match(
      firstFrame(() => qsort(Buffer.alloc(8), 2, 4, thrower)),
      /thrower/,
    );
    function node() {
      fs.readFileSync(5.5);
    }
    let stack;
    try {
      qsort(Buffer.alloc(8), 2, 4, node);
    } catch (error) {
      ({ stack } = error);
    }
    assert.match(stack, /readFileSync/);
  });
});

describe('an uncaught error', () => {
  const folder = makeFolder('pinned-ffi-stacks');

  test('an uncaught error prints its message and the line of the user first, and no line of the package', async () => {
    const file = path.join(folder, 'program.js');
    const entry = JSON.stringify(require.resolve('../../index.js'));
    fs.writeFileSync(
      file,
      `const { dlopen } = require(${entry});\nconst { abs } = dlopen(null, { abs: { args: ['int'] } }).symbols;\nabs('x');\n`,
    );
    const { stderr } = await promisify(execFile)(process.execPath, [file]).catch((error) => error);
    const [message, first] = stderr.split('\n').filter((line) => line !== '');
    assert.match(message, /^TypeError: abs: argument 0 must be .* \(int\)/);
    assert.ok(first.includes(`${file}:3:1`), stderr);
    assert.doesNotMatch(stderr, /pinned-ffi:|errors\.js/);
  });
});

describe('generated code', () => {
  test('generated code has a name that shows its types in stacks', () => {
    let stack = '';
    const callback = new ffi.JSCallback(
      () => {
        stack ||= new Error('here').stack;
        return 0;
      },
      { args: ['i32', 'i32'], returns: 'i32' },
    );
    const { bsearch } = ffi.dlopen(null, {
      bsearch: { args: ['ptr', 'ptr', 'u64', 'u64', 'function'], returns: 'ptr' },
    }).symbols;
    bsearch(Int32Array.of(1), Int32Array.of(1, 2), 2n, 4n, callback);
    callback.close();
    assert.match(stack, /pinned-ffi:callback\/i32\(i32,i32\):/);
    assert.match(stack, /pinned-ffi:call\/ptr\(ptr,ptr,u64,u64,function\):/);
  });

  test('generated code takes no code out of the name of a type', () => {
    const name = 'x\n}); globalThis.injected = true; (function () { //\u2028\' "';
    const Odd = ffi.struct({ x: 'i32' }, { name });
    assert.equal(Odd.alloc({ x: 1 }).x, 1);
    assert.equal(globalThis.injected, undefined);
  });
});
