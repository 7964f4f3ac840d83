// Compresses with zstd and lz4, and decompresses on another thread.
// The same for koffi: zstd-lz4.koffi.mjs.
import { dlopen } from 'pinned-ffi';
const { symbols: zstd } = dlopen('zstd', `
  size_t ZSTD_compressBound(size_t size);
  size_t ZSTD_compress(void *dst, size_t capacity, const void *src, size_t size, int level);
  size_t ZSTD_decompress(void *dst, size_t capacity, const void *src, size_t size);
  unsigned ZSTD_isError(size_t code);
  const char *ZSTD_getErrorName(size_t code);
`);
const { symbols: lz4 } = dlopen('lz4', `
  int LZ4_compressBound(int size);
  int LZ4_compress_default(const char *src, char *dst, int size, int capacity);
  int LZ4_decompress_safe(const char *src, char *dst, int size, int capacity);
`);
const data = Buffer.from('pinned '.repeat(2000));
const packed = Buffer.alloc(Number(zstd.ZSTD_compressBound(data.length)));
const size = await zstd.ZSTD_compress.async(packed, packed.length, data, data.length, 3);
const back = Buffer.alloc(data.length);
zstd.ZSTD_decompress(back, back.length, packed, size);
console.log(size < 100, back.equals(data));
const short = zstd.ZSTD_decompress(Buffer.alloc(10), 10, packed, size);
console.log(zstd.ZSTD_isError(short), zstd.ZSTD_getErrorName(short));
const packed4 = Buffer.alloc(lz4.LZ4_compressBound(data.length));
const size4 = lz4.LZ4_compress_default(data, packed4, data.length, packed4.length);
const back4 = Buffer.alloc(data.length);
console.log(await lz4.LZ4_decompress_safe.async(packed4, back4, size4, back4.length), back4.equals(data));
