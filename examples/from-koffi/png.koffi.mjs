// Writes a PNG by the simplified interface of libpng: node examples/from-koffi/png.koffi.mjs FILE.png
// The same for this package: png.mjs.
import koffi from 'koffi';
const lib = koffi.load('libpng16.so.16');
koffi.struct('png_image', {
  opaque: 'void *', version: 'uint32_t', width: 'uint32_t', height: 'uint32_t', format: 'uint32_t', flags: 'uint32_t',
  colormap_entries: 'uint32_t', warning_or_error: 'uint32_t', message: koffi.array('char', 64),
});
const write = lib.func(`int png_image_write_to_file(_Inout_ png_image *image, const char *file, int convert, const void *pixels,
  int stride, const void *colormap)`);
const image = { version: 1, width: 2, height: 1, format: 3 };
const pixels = Buffer.from([255, 0, 0, 255, 0, 0, 255, 128]);
console.log(write(image, process.argv[2], 0, pixels, 0, null));
console.log(write(image, '/no/such/folder.png', 0, pixels, 0, null), image.message);
