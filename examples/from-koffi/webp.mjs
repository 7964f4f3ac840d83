// Encodes and decodes WebP; libwebp allocates the memory.
// The same for koffi: webp.koffi.mjs.
import { dlopen, toBuffer } from 'pinned-ffi';
const { symbols: webp } = dlopen('webp', `
  size_t WebPEncodeLosslessRGBA(const uint8_t *rgba, int width, int height, int stride, _Out_ void **output);
  void *WebPDecodeRGBA(const uint8_t *data, size_t size, _Out_ int *width, _Out_ int *height);
  void WebPFree(void *pointer);
`);
const pixels = Buffer.from([255, 0, 0, 255, 0, 255, 0, 128]);
const { returns: size, out: [output] } = webp.WebPEncodeLosslessRGBA(pixels, 2, 1, 8);
const file = toBuffer(output, 0, size, webp.WebPFree);
const { returns: back, out: [width, height] } = webp.WebPDecodeRGBA(file, file.length);
console.log(width, height, toBuffer(back, 0, width * height * 4, webp.WebPFree).equals(pixels));
