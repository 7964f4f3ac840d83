// Draws a PNG with cairo: node examples/from-koffi/cairo.koffi.mjs FILE.png
// The same for this package: cairo.mjs.
import koffi from 'koffi';
const lib = koffi.load('libcairo.so.2');
koffi.opaque('cairo_t'); koffi.opaque('cairo_surface_t');
koffi.enumeration('cairo_status_t', { CAIRO_STATUS_SUCCESS: 0 });
const format = koffi.enumeration('cairo_format_t', { CAIRO_FORMAT_ARGB32: 0, CAIRO_FORMAT_RGB24: 1 });
const createSurface = lib.func('cairo_surface_t *cairo_image_surface_create(cairo_format_t format, int width, int height)');
const create = lib.func('cairo_t *cairo_create(cairo_surface_t *target)');
const setSource = lib.func('void cairo_set_source_rgb(cairo_t *cr, double red, double green, double blue)');
const paint = lib.func('void cairo_paint(cairo_t *cr)');
const arc = lib.func('void cairo_arc(cairo_t *cr, double x, double y, double radius, double from, double to)');
const fill = lib.func('void cairo_fill(cairo_t *cr)');
const writePng = lib.func('cairo_status_t cairo_surface_write_to_png(cairo_surface_t *surface, const char *filename)');
const statusText = lib.func('const char *cairo_status_to_string(cairo_status_t status)');
const destroy = lib.func('void cairo_destroy(cairo_t *cr)');
const destroySurface = lib.func('void cairo_surface_destroy(cairo_surface_t *surface)');
const surface = createSurface(format.values.CAIRO_FORMAT_RGB24, 40, 40);
const cr = create(surface);
setSource(cr, 1, 1, 1);
paint(cr);
setSource(cr, 0.8, 0, 0);
arc(cr, 20, 20, 15, 0, 2 * Math.PI);
fill(cr);
console.log(statusText(writePng(surface, process.argv[2])));
destroy(cr);
destroySurface(surface);
