/* What test/dialects/koffi.test.js calls: each way in which koffi passes values. */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>

typedef struct { int a; double b; const char *s; char name[8]; int16_t list[3]; } Mixed;
typedef struct { int8_t a; char padding[7]; int16_t b; char end[6]; } Aligned;
typedef struct __attribute__((packed)) { char a; int b; } Packed;
typedef union { int64_t i; double d; char raw[8]; } Number;
typedef struct { uint32_t count; int values[]; } Flexible;
typedef struct Node { int value; struct Node *next; } Node;
typedef int Callback(const char *text, int number, void *pointer);
typedef int MixedCallback(Mixed mixed);
typedef Mixed MakeCallback(int number);

int8_t identity_i8(int8_t x) { return x; }
uint32_t identity_u32(uint32_t x) { return x; }
int identity_int(int x) { return x; }
int64_t identity_i64(int64_t x) { return x; }
uint64_t identity_u64(uint64_t x) { return x; }
uint32_t identity_big_endian(uint32_t x) { return x; }
bool invert(bool x) { return !x; }
float identity_float(float x) { return x; }
double identity_double(double x) { return x; }
int add5(int a, int b, int c, int d, int e) { return a + b + c + d + e; }

const char *identity_text(const char *text) { return text; }
const char16_t *identity_text16(const char16_t *text) { return text; }
const char32_t *identity_text32(const char32_t *text) { return text; }
const wchar_t *identity_wide(const wchar_t *text) { return text; }
char *duplicate(const char *text) { return text == NULL ? NULL : strdup(text); }
void concat(const char *a, const char *b, char *out) { strcpy(out, a); strcat(out, b); }
void reverse_text(char *text) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length / 2; i++) {
    char c = text[i];
    text[i] = text[length - 1 - i];
    text[length - 1 - i] = c;
  }
}
int total_length(const char **texts) { int n = 0; while (*texts) n += (int)strlen(*texts++); return n; }

Mixed next_mixed(Mixed mixed) { mixed.a++; return mixed; }
void change_mixed(Mixed *mixed) {
  mixed->a += 10;
  strcpy(mixed->name, "abc");
  mixed->list[1] = 7;
  mixed->s = "out";
}
static Mixed stored = { 1, 2.5, "text", "name", { 1, 2, 3 } };
Mixed *get_mixed(void) { return &stored; }
int sum_aligned(Aligned value) { return value.a + value.b; }
int sum_packed(const Packed *value) { return value->a + value->b; }
int sum_nodes(const Node *node) { int n = 0; for (; node; node = node->next) n += node->value; return n; }
Number identity_number(Number number) { return number; }
void set_double(Number *number, double value) { number->d = value; }
void append(Flexible *to, int count) {
  for (int i = 0; i < count; i++) to->values[to->count + i] = 100 + i;
  to->count += count;
}

int sum(const int *values, int count) { int n = 0; for (int i = 0; i < count; i++) n += values[i]; return n; }
void fill(int *values, int count) { for (int i = 0; i < count; i++) values[i] = i + 1; }
void overrun(int *values) { values[1] = 7; }
void *identity_pointer(void *pointer) { return pointer; }
bool make_handle(void **out) { *out = malloc(8); return *out != NULL; }
void free_handle(void *handle) { free(handle); }
void give_text(const char **out) { *out = "given"; }
void give_heap(char **out) { *out = strdup("heap"); }
int sum_variadic(int count, ...) {
  va_list list;
  va_start(list, count);
  int n = 0;
  for (int i = 0; i < count; i++) n += va_arg(list, int);
  va_end(list);
  return n;
}
int set_variadic(const char *format, ...) {
  va_list list;
  va_start(list, format);
  *va_arg(list, int *) = (int)strlen(format);
  va_end(list);
  return 1;
}

int call_back(Callback *callback, int number) { return callback ? callback("hi", number, (void *)0x1234) : -7; }
int call_mixed(MixedCallback *callback) { return callback(stored); }
int call_make(MakeCallback *callback) { Mixed m = callback(4); return m.a + m.list[1] + (m.s ? (int)strlen(m.s) : 0); }
static Callback *kept;
void keep_callback(Callback *callback) { kept = callback; }
int call_kept(int number) { return kept("kept", number, NULL); }
Callback *get_kept(void) { return kept; }
typedef int Apply(int x);
typedef struct { Apply *first; Apply *second; } Functions;
int apply_struct(int x, Functions functions) { return functions.second(functions.first(x)); }
int apply_array(int x, Apply **functions, int count) { for (int i = 0; i < count; i++) x = functions[i](x); return x; }
typedef struct { Callback *callback; int number; } Holder;
int call_holder(const Holder *holder) { return holder->callback("held", holder->number, NULL); }

int fail_with(int error) { errno = error; return -1; }
int get_errno(void) { return errno; }

int my_int = 42;
const char *my_string = "foobar";
Mixed my_mixed = { 1, 2, "t", "n", { 1, 2, 3 } };
