// Compresses with zstd and lz4, and decompresses on another thread.
// The same for this package: zstd-lz4.mjs.
import { promisify } from 'node:util';
import koffi from 'koffi';
const zstd = koffi.load('libzstd.so.1');
const lz4 = koffi.load('liblz4.so.1');
const bound = zstd.func('size_t ZSTD_compressBound(size_t size)');
const compress = zstd.func('size_t ZSTD_compress(void *dst, size_t capacity, const void *src, size_t size, int level)');
const decompress = zstd.func('size_t ZSTD_decompress(void *dst, size_t capacity, const void *src, size_t size)');
const isError = zstd.func('unsigned int ZSTD_isError(size_t code)');
const errorName = zstd.func('const char *ZSTD_getErrorName(size_t code)');
const lz4Bound = lz4.func('int LZ4_compressBound(int size)');
const lz4Compress = lz4.func('int LZ4_compress_default(const char *src, char *dst, int size, int capacity)');
const lz4Decompress = lz4.func('int LZ4_decompress_safe(const char *src, char *dst, int size, int capacity)');
const data = Buffer.from('pinned '.repeat(2000));
const packed = Buffer.alloc(bound(data.length));
const size = await promisify(compress.async)(packed, packed.length, data, data.length, 3);
const back = Buffer.alloc(data.length);
decompress(back, back.length, packed, size);
console.log(size < 100, back.equals(data));
const short = decompress(Buffer.alloc(10), 10, packed, size);
console.log(isError(short), errorName(short));
const packed4 = Buffer.alloc(lz4Bound(data.length));
const size4 = lz4Compress(data, packed4, data.length, packed4.length);
const back4 = Buffer.alloc(data.length);
console.log(await promisify(lz4Decompress.async)(packed4, back4, size4, back4.length), back4.equals(data));
