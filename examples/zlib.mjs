// Compresses with libz and gets the same text back from node:zlib: Buffers in, a length in and out.
//
//   apt install zlib1g    (dnf install zlib; macOS has it)
//   node examples/zlib.mjs
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { inflateSync } from 'node:zlib';
import { dlopen, inout } from 'pinned-ffi';

const { symbols: z, path } = dlopen(
  'z',
  {
    zlibVersion: { returns: 'cstring' },
    compressBound: { args: ['unsigned long'], returns: 'unsigned long' },
    compress2: {
      args: [
        { type: 'ptr', name: 'dest' },
        inout('unsigned long'),
        { type: 'ptr', name: 'source' },
        // Refused before the call where it says more bytes than the source has.
        { type: 'unsigned long', lengthOf: 2, name: 'sourceLen' },
        'int',
      ],
      returns: 'int',
    },
  },
  // Node has a zlib inside, of another version: the library shall call its own functions, not those. Linux only.
  { flags: (constants.dlopen.RTLD_NOW ?? 0) | (constants.dlopen.RTLD_DEEPBIND ?? 0) },
);

const text = Buffer.from('one line of text, many times over\n'.repeat(5000));
const packed = Buffer.alloc(Number(z.compressBound(text.length)));
const {
  returns,
  out: [length],
} = z.compress2(packed, packed.length, text, text.length, 9);
assert.equal(returns, 0);
assert.deepEqual(inflateSync(packed.subarray(0, Number(length))), text);
assert.throws(() => z.compress2(packed, packed.length, text, text.length + 1, 9), { code: 'ERR_OUT_OF_RANGE' });
console.log(`zlib ${z.zlibVersion()} of ${path}: ${text.length} bytes became ${length}`);
