// Functions that the programs of cases/programs/ call, in addition to the libraries of the system.

#include <stdint.h>
#include <stdlib.h>

// ---- Vectors and matrices, by value and by pointer, as a library for graphics has them

struct vector3 {
  float x, y, z;
};

struct matrix {
  float m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15;
};

struct vector3 vector_add(struct vector3 a, struct vector3 b) {
  struct vector3 sum = { a.x + b.x, a.y + b.y, a.z + b.z };
  return sum;
}

/** A matrix of one column after the other, times a point. */
struct vector3 vector_transform(struct vector3 v, struct matrix m) {
  struct vector3 moved = { m.m0 * v.x + m.m4 * v.y + m.m8 * v.z + m.m12, m.m1 * v.x + m.m5 * v.y + m.m9 * v.z + m.m13,
                           m.m2 * v.x + m.m6 * v.y + m.m10 * v.z + m.m14 };
  return moved;
}

void vector_add_at(const struct vector3 *a, const struct vector3 *b, struct vector3 *sum) { *sum = vector_add(*a, *b); }

void vector_transform_at(const struct vector3 *v, const struct matrix *m, struct vector3 *moved) {
  *moved = vector_transform(*v, *m);
}

// ---- A sort of 1,000 records of 16 bytes

struct record {
  double key;
  int64_t id;
};

void sort_records(struct record *out, int32_t (*compare)(const void *, const void *)) {
  for (int32_t i = 0; i < 1000; i++) {
    out[i].key = (i * 7919) % 1000 + 0.25;
    out[i].id = i;
  }
  qsort(out, 1000, sizeof(struct record), compare);
}

// ---- Events, which a callback gets that stays open, and a canvas

static void (*listener)(int32_t kind, int32_t x, int32_t y);
static int32_t clock_of_events;
static int32_t canvas;

void set_listener(void (*callback)(int32_t, int32_t, int32_t)) { listener = callback; }

/** Calls the listener for each of so many events. */
int32_t poll_events(int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    clock_of_events++;
    listener(clock_of_events & 3, clock_of_events & 255, i);
  }
  return count;
}

int32_t draw(int32_t x, int32_t y) {
  canvas = (canvas + x * 3 + y) & 0xffff;
  return canvas & 0xff;
}

void clear_canvas(void) {
  canvas = 0;
  clock_of_events = 0;
}
