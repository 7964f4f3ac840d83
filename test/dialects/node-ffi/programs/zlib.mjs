// zlib by node:ffi: checksums and compression of Buffers, typed arrays and ArrayBuffers.
import ffi, { DynamicLibrary } from 'node:ffi';

const lib = new DynamicLibrary('libz.so.1');
const { compressBound, compress2, uncompress } = lib.getFunctions({
  compressBound: { return: 'uint64', arguments: ['uint64'] },
  compress2: { return: 'int32', arguments: ['buffer', 'buffer', 'buffer', 'uint64', 'int32'] },
  uncompress: { return: 'int32', arguments: ['buffer', 'buffer', 'buffer', 'uint64'] },
});
const crc32 = lib.getFunction('crc32', { return: 'uint64', arguments: ['uint64', 'arraybuffer', 'uint32'] });
const version = lib.getFunction('zlibVersion', { return: 'string' });

console.log('version', /^1\./.test(ffi.toString(version())));
console.log('crc32', crc32(0, Buffer.from('123456789'), 9).toString(16), crc32(0, Uint8Array.of(1, 2).buffer, 2));

const text = Buffer.from('node:ffi '.repeat(1000));
const packed = new Uint8Array(Number(compressBound(text.length)));
const size = BigUint64Array.of(BigInt(packed.length));
console.log('packed', compress2(packed, size, text, text.length, 9), size[0] < 200n);

const unpacked = Buffer.alloc(text.length);
const length = BigUint64Array.of(BigInt(unpacked.length));
console.log('unpacked', uncompress(unpacked, length, packed, size[0]), length[0], unpacked.equals(text));

for (const wrong of [
  () => crc32(-1, null, 0),
  () => crc32(0, 5, 0),
  () => crc32(0, null),
  () => lib.getSymbol('none'),
]) {
  try {
    wrong();
  } catch ({ name, code, message }) {
    console.log(name, code, message.replace(/^(dlsym failed: ).*(: undefined)/, '$1...$2'));
  }
}
console.log(Object.keys(lib.functions).sort(), lib.path);
lib.close();
