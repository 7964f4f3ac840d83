// Encodes and decodes WebP; libwebp allocates the memory.
// The same for this package: webp.mjs.
import koffi from 'koffi';
const lib = koffi.load('libwebp.so.7');
const encode = lib.func('size_t WebPEncodeLosslessRGBA(const uint8_t *rgba, int width, int height, int stride, _Out_ uint8_t **output)');
const decode = lib.func('uint8_t *WebPDecodeRGBA(const uint8_t *data, size_t size, _Out_ int *width, _Out_ int *height)');
const free = lib.func('void WebPFree(void *pointer)');
const pixels = Buffer.from([255, 0, 0, 255, 0, 255, 0, 128]);
const output = [null], width = [0], height = [0];
const size = encode(pixels, 2, 1, 8, output);
const file = Buffer.from(new Uint8Array(koffi.view(output[0], size)));
free(output[0]);
const back = decode(file, file.length, width, height);
console.log(width[0], height[0], Buffer.from(koffi.view(back, width[0] * height[0] * 4)).equals(pixels));
free(back);
