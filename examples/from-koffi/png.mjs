// Writes a PNG by the simplified interface of libpng: node examples/from-koffi/png.mjs FILE.png
// The same for koffi: png.koffi.mjs.
import { dlopen } from 'pinned-ffi';
const { symbols: png, types } = dlopen('png16', `
  typedef struct {
    void *opaque; uint32_t version, width, height, format, flags, colormap_entries, warning_or_error; char message[64];
  } png_image;
  int png_image_write_to_file(png_image *image, const char *file, int convert, const void *pixels,
    int stride, const void *colormap);
`);
const image = Object.assign(types.png_image.alloc(), { version: 1, width: 2, height: 1, format: 3 });
const pixels = Buffer.from([255, 0, 0, 255, 0, 0, 255, 128]);
console.log(png.png_image_write_to_file(image, process.argv[2], 0, pixels, 0, null));
console.log(png.png_image_write_to_file(image, '/no/such/folder.png', 0, pixels, 0, null), String(image.message));
