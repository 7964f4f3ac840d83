// Draws a PNG with cairo: node examples/from-koffi/cairo.mjs FILE.png
// The same for koffi: cairo.koffi.mjs.
import { dlopen } from 'pinned-ffi';
const { symbols: cairo } = dlopen('cairo', `
  typedef struct cairo_t cairo_t; typedef struct cairo_surface_t cairo_surface_t;
  typedef enum { CAIRO_STATUS_SUCCESS } cairo_status_t;
  typedef enum { CAIRO_FORMAT_ARGB32, CAIRO_FORMAT_RGB24 } cairo_format_t;
  cairo_surface_t *cairo_image_surface_create(cairo_format_t format, int width, int height);
  cairo_t *cairo_create(cairo_surface_t *target);
  void cairo_set_source_rgb(cairo_t *cr, double red, double green, double blue);
  void cairo_paint(cairo_t *cr);
  void cairo_arc(cairo_t *cr, double x, double y, double radius, double from, double to);
  void cairo_fill(cairo_t *cr);
  cairo_status_t cairo_surface_write_to_png(cairo_surface_t *surface, const char *filename);
  const char *cairo_status_to_string(cairo_status_t status);
  void cairo_destroy(cairo_t *cr);
  void cairo_surface_destroy(cairo_surface_t *surface);
`);
const surface = cairo.cairo_image_surface_create('CAIRO_FORMAT_RGB24', 40, 40);
const cr = cairo.cairo_create(surface);
cairo.cairo_set_source_rgb(cr, 1, 1, 1);
cairo.cairo_paint(cr);
cairo.cairo_set_source_rgb(cr, 0.8, 0, 0);
cairo.cairo_arc(cr, 20, 20, 15, 0, 2 * Math.PI);
cairo.cairo_fill(cr);
console.log(cairo.cairo_status_to_string(cairo.cairo_surface_write_to_png(surface, process.argv[2])));
cairo.cairo_destroy(cr);
cairo.cairo_surface_destroy(surface);
