// Functions that the benchmarks call. They do as little as possible, so that the call itself is measured.

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void nothing(void) {}

int32_t add_i32(int32_t a, int32_t b) { return a + b; }
uint32_t add_u32(uint32_t a, uint32_t b) { return a + b; }
double add_f64(double a, double b) { return a + b; }
int64_t add_i64(int64_t a, int64_t b) { return a + b; }
uint64_t add_u64(uint64_t a, uint64_t b) { return a + b; }

int32_t sum_6(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f) { return a + b + c + d + e + f; }

int32_t sum_10(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f, int32_t g, int32_t h, int32_t i,
               int32_t j) {
  return a + b + c + d + e + f + g + h + i + j;
}

int32_t sum_32(int32_t a0, int32_t a1, int32_t a2, int32_t a3, int32_t a4, int32_t a5, int32_t a6, int32_t a7,
               int32_t a8, int32_t a9, int32_t a10, int32_t a11, int32_t a12, int32_t a13, int32_t a14, int32_t a15,
               int32_t a16, int32_t a17, int32_t a18, int32_t a19, int32_t a20, int32_t a21, int32_t a22, int32_t a23,
               int32_t a24, int32_t a25, int32_t a26, int32_t a27, int32_t a28, int32_t a29, int32_t a30, int32_t a31) {
  return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11 + a12 + a13 + a14 + a15 + a16 + a17 + a18 + a19 +
         a20 + a21 + a22 + a23 + a24 + a25 + a26 + a27 + a28 + a29 + a30 + a31;
}

double mix_8(int32_t a, double b, uint32_t c, float d, int32_t e, double f, uint32_t g, float h) {
  return a + b + c + d + e + f + g + h;
}

// ---- Memory and texts

static int32_t seven = 7;
static double numbers[64];

/** An address that belongs to no runtime, and what reads there. */
int32_t *address_of_seven(void) { return &seven; }
int32_t value_at(const int32_t *at) { return *at; }

/** An address, another one each time, whose f64 is `index` and a half. */
double *number_at(int32_t index) {
  numbers[index & 63] = (index & 63) + 0.5;
  return &numbers[index & 63];
}

/** The first and the last of some bytes. */
uint32_t ends(const uint8_t *bytes, uint32_t length) { return bytes[0] * 256u + bytes[length - 1]; }

uint32_t length_of(const char *text) { return (uint32_t)strlen(text); }

static char texts[8][1024];

/** Makes the eight texts: ASCII of one length, which differ in the first character. */
void make_texts(int32_t length) {
  memset(texts, 0, sizeof(texts));
  for (int32_t i = 0; i < 8; i++) {
    memset(texts[i], 'x', (size_t)length);
    texts[i][0] = (char)('a' + i);
  }
}

const char *text_at(int32_t index) { return texts[index & 7]; }

static char *encoded[8];
static uint16_t *encoded_utf16[8];

/** Makes eight texts: a digit, which differs, and the pattern so many times. */
void make_encoded(const char *pattern, int32_t times) {
  size_t length = strlen(pattern);
  for (int32_t i = 0; i < 8; i++) {
    encoded[i] = malloc(length * (size_t)times + 2);
    encoded[i][0] = (char)('0' + i);
    for (int32_t t = 0; t < times; t++) memcpy(encoded[i] + 1 + length * (size_t)t, pattern, length);
    encoded[i][1 + length * (size_t)times] = 0;
  }
}

/** The same of UTF-16; the pattern has no NUL. */
void make_utf16(const uint16_t *pattern, int32_t times) {
  size_t length = 0;
  while (pattern[length] != 0) length++;
  for (int32_t i = 0; i < 8; i++) {
    uint16_t *text = encoded_utf16[i] = malloc((length * (size_t)times + 2) * sizeof(uint16_t));
    text[0] = (uint16_t)('0' + i);
    for (int32_t t = 0; t < times; t++) memcpy(text + 1 + length * (size_t)t, pattern, length * sizeof(uint16_t));
    text[1 + length * (size_t)times] = 0;
  }
}

const char *encoded_at(int32_t index) { return encoded[index & 7]; }
const uint16_t *utf16_at(int32_t index) { return encoded_utf16[index & 7]; }

// ---- Structs by value

struct point {
  double x, y;
};

double sum_of_point(struct point p) { return p.x + p.y; }

struct point make_point(double x, double y) {
  struct point p = { x, y };
  return p;
}

struct point swap_point(struct point p) {
  struct point q = { p.y, p.x };
  return q;
}

/* Values that C changes. */
int32_t count_point(struct point p, int32_t *count) {
  *count = (int32_t)(p.x + p.y);
  return 0;
}

int32_t turn_point(struct point *p) {
  double x = p->x;
  p->x = p->y;
  p->y = x;
  return (int32_t)x;
}

/* An address that C alone looks into. */
void *handle_of_point(void) {
  static struct point only;
  return &only;
}

uint32_t length_of_utf16(const uint16_t *text) {
  uint32_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

// ---- Callbacks

void call_nothing(void (*callback)(void), int32_t times) {
  for (int32_t i = 0; i < times; i++) callback();
}

int32_t call_add(int32_t (*callback)(int32_t, int32_t), int32_t times) {
  int32_t sum = 0;
  for (int32_t i = 0; i < times; i++) sum += callback(i, 1);
  return sum;
}

/** Fills `out` with 1,000 numbers, the same and out of order each time, and sorts them. */
void sort_1000(double *out, int32_t (*compare)(const void *, const void *)) {
  for (int32_t i = 0; i < 1000; i++) out[i] = (i * 7919) % 1000 + 0.25;
  qsort(out, 1000, sizeof(double), compare);
}

static struct {
  int32_t (*callback)(int32_t, int32_t);
  int32_t times;
} adding;
static atomic_int done;

static void *add(void *unused) {
  for (int32_t i = 0; i < adding.times; i++) adding.callback(i, 1);
  atomic_store(&done, 1);
  return unused;
}

/** Has another thread call a callback so many times. */
void start_adding(int32_t (*callback)(int32_t, int32_t), int32_t times) {
  pthread_t thread;
  adding.callback = callback;
  adding.times = times;
  atomic_store(&done, 0);
  if (pthread_create(&thread, NULL, add, NULL) == 0) pthread_detach(thread);
}

int32_t is_done(void) { return atomic_load(&done); }
