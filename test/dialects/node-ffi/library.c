// What test/dialects/node-ffi.test.js calls.

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY(name, type)                                                   \
  type identity_##name(type value) { return value; }                           \
  type call_##name(type (*callback)(type), type value) { return callback(value); }

IDENTITY(char, char)
IDENTITY(i8, int8_t)
IDENTITY(u8, uint8_t)
IDENTITY(i16, int16_t)
IDENTITY(u16, uint16_t)
IDENTITY(i32, int32_t)
IDENTITY(u32, uint32_t)
IDENTITY(i64, int64_t)
IDENTITY(u64, uint64_t)
IDENTITY(f32, float)
IDENTITY(f64, double)
IDENTITY(pointer, void *)

void call_void(void (*callback)(void)) { callback(); }

int32_t add_i32(int32_t a, int32_t b) { return a + b; }

double mixed(int32_t a, double b, int64_t c, const char *text, void *pointer) {
  return a + b + (double)c + (text == NULL ? 0 : (double)strlen(text)) + (pointer == NULL ? 0 : 1);
}

uint64_t text_length(const char *text) { return text == NULL ? 0 : strlen(text); }

void fill(uint8_t *bytes, uint64_t length, uint32_t value) { memset(bytes, (int)value, length); }

uint64_t sum(const uint8_t *bytes, uint64_t length) {
  uint64_t total = 0;
  for (uint64_t i = 0; i < length; i++) total += bytes[i];
  return total;
}

int32_t ten(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f, int32_t g, int32_t h, int32_t i, int32_t j) {
  return a + b + c + d + e + f + g + h + i + 10 * j;
}

/** Whether a text is still itself after a callback, which may pass another text. */
int32_t text_survives(const char *text, void (*callback)(void)) {
  callback();
  return text != NULL && strcmp(text, "outer") == 0;
}

int32_t times(int32_t (*callback)(int32_t), int32_t count) {
  int32_t total = 0;
  for (int32_t i = 0; i < count; i++) total += callback(i);
  return total;
}

struct call {
  int32_t (*callback)(int32_t);
  int32_t value;
};

static void *run(void *argument) {
  struct call *call = argument;
  call->value = call->callback(call->value);
  return NULL;
}

/** Calls a callback on a thread of its own, and waits for it. */
int32_t call_on_thread(int32_t (*callback)(int32_t), int32_t value) {
  struct call call = {callback, value};
  pthread_t thread;
  pthread_create(&thread, NULL, run, &call);
  pthread_join(thread, NULL);
  return call.value;
}

const char *const greeting = "grüße";
