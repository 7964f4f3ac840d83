// The programs of cases/programs/ as an addon that is written by hand, with Node-API alone: what a user would write who
// writes C. It declares what it uses, so that it compiles without the headers of Node and of the libraries.

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "programs.c"

typedef struct env_s *env_t;
typedef struct value_s *value_t;
typedef struct info_s *info_t;
typedef struct ref_s *ref_t;
typedef struct scope_s *scope_t;
typedef value_t (*function_t)(env_t, info_t);

int napi_get_cb_info(env_t, info_t, size_t *, value_t *, value_t *, void **);
int napi_create_function(env_t, const char *, size_t, function_t, void *, value_t *);
int napi_set_named_property(env_t, value_t, const char *, value_t);
int napi_get_named_property(env_t, value_t, const char *, value_t *);
int napi_get_value_int32(env_t, value_t, int32_t *);
int napi_get_value_double(env_t, value_t, double *);
int napi_create_int32(env_t, int32_t, value_t *);
int napi_create_double(env_t, double, value_t *);
int napi_create_object(env_t, value_t *);
int napi_create_array_with_length(env_t, size_t, value_t *);
int napi_set_element(env_t, value_t, uint32_t, value_t);
int napi_get_value_string_utf8(env_t, value_t, char *, size_t, size_t *);
int napi_create_string_utf8(env_t, const char *, size_t, value_t *);
int napi_get_buffer_info(env_t, value_t, void **, size_t *);
int napi_create_buffer_copy(env_t, size_t, const void *, void **, value_t *);
int napi_get_typedarray_info(env_t, value_t, int *, size_t *, void **, value_t *, size_t *);
int napi_get_undefined(env_t, value_t *);
int napi_call_function(env_t, value_t, value_t, size_t, const value_t *, value_t *);
int napi_create_reference(env_t, value_t, uint32_t, ref_t *);
int napi_get_reference_value(env_t, ref_t, value_t *);
int napi_open_handle_scope(env_t, scope_t *);
int napi_close_handle_scope(env_t, scope_t);
int napi_throw_error(env_t, const char *, const char *);

#define ARGUMENTS(count)                                                                                               \
  size_t given = count;                                                                                                \
  value_t arguments[count];                                                                                            \
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL)

static value_t number(env_t env, int32_t value) {
  value_t made;
  napi_create_int32(env, value, &made);
  return made;
}

static int32_t integer(env_t env, value_t value) {
  int32_t found = 0;
  napi_get_value_int32(env, value, &found);
  return found;
}

static value_t undefined(env_t env) {
  value_t value;
  napi_get_undefined(env, &value);
  return value;
}

// ---- SQLite

typedef void statement_t;
static int (*open_database)(const char *, void **);
static int (*prepare)(void *, const char *, int, statement_t **, const char **);
static int (*bind_int)(statement_t *, int, int);
static int (*bind_text)(statement_t *, int, const char *, int, void *);
static int (*bind_blob)(statement_t *, int, const void *, int, void *);
static int (*step)(statement_t *);
static int (*reset)(statement_t *);
static int (*column_int)(statement_t *, int);
static const char *(*column_text)(statement_t *, int);
static const void *(*column_blob)(statement_t *, int);
static int (*column_bytes)(statement_t *, int);

static void *database;
static statement_t *inserting, *selecting;

/** open(create, insert, select) */
static value_t sqlite_open(env_t env, info_t info) {
  ARGUMENTS(3);
  void *library = dlopen("libsqlite3.so.0", RTLD_NOW);
  if (library == NULL) {
    napi_throw_error(env, NULL, "no libsqlite3.so.0");
    return NULL;
  }
  *(void **)&open_database = dlsym(library, "sqlite3_open");
  *(void **)&prepare = dlsym(library, "sqlite3_prepare_v2");
  *(void **)&bind_int = dlsym(library, "sqlite3_bind_int");
  *(void **)&bind_text = dlsym(library, "sqlite3_bind_text");
  *(void **)&bind_blob = dlsym(library, "sqlite3_bind_blob");
  *(void **)&step = dlsym(library, "sqlite3_step");
  *(void **)&reset = dlsym(library, "sqlite3_reset");
  *(void **)&column_int = dlsym(library, "sqlite3_column_int");
  *(void **)&column_text = dlsym(library, "sqlite3_column_text");
  *(void **)&column_blob = dlsym(library, "sqlite3_column_blob");
  *(void **)&column_bytes = dlsym(library, "sqlite3_column_bytes");
  open_database(":memory:", &database);
  char sql[256];
  statement_t *creating;
  napi_get_value_string_utf8(env, arguments[0], sql, sizeof(sql), NULL);
  prepare(database, sql, -1, &creating, NULL);
  step(creating);
  napi_get_value_string_utf8(env, arguments[1], sql, sizeof(sql), NULL);
  prepare(database, sql, -1, &inserting, NULL);
  napi_get_value_string_utf8(env, arguments[2], sql, sizeof(sql), NULL);
  prepare(database, sql, -1, &selecting, NULL);
  return undefined(env);
}

/** exec(sql) */
static value_t sqlite_exec(env_t env, info_t info) {
  ARGUMENTS(1);
  char sql[256];
  statement_t *statement;
  napi_get_value_string_utf8(env, arguments[0], sql, sizeof(sql), NULL);
  prepare(database, sql, -1, &statement, NULL);
  step(statement);
  return number(env, reset(statement));
}

/** insert(id, text, blob) */
static value_t sqlite_insert(env_t env, info_t info) {
  ARGUMENTS(3);
  char text[256];
  size_t length, size;
  void *bytes;
  napi_get_value_string_utf8(env, arguments[1], text, sizeof(text), &length);
  napi_get_buffer_info(env, arguments[2], &bytes, &size);
  bind_int(inserting, 1, integer(env, arguments[0]));
  bind_text(inserting, 2, text, (int)length, (void *)-1);
  bind_blob(inserting, 3, bytes, (int)size, (void *)-1);
  step(inserting);
  return number(env, reset(inserting));
}

/** The next row of the query: [id, text, blob]; undefined at its end. */
static value_t sqlite_next(env_t env, info_t info) {
  (void)info;
  if (step(selecting) != 100) {
    reset(selecting);
    return undefined(env);
  }
  value_t row, text, blob;
  napi_create_array_with_length(env, 3, &row);
  napi_create_string_utf8(env, column_text(selecting, 1), (size_t)-1, &text);
  const void *bytes = column_blob(selecting, 2);
  napi_create_buffer_copy(env, (size_t)column_bytes(selecting, 2), bytes, NULL, &blob);
  napi_set_element(env, row, 0, number(env, column_int(selecting, 0)));
  napi_set_element(env, row, 1, text);
  napi_set_element(env, row, 2, blob);
  return row;
}

// ---- zlib and zstd

static int (*zlib_compress)(uint8_t *, unsigned long *, const uint8_t *, unsigned long, int);
static int (*zlib_uncompress)(uint8_t *, unsigned long *, const uint8_t *, unsigned long);
static size_t (*zstd_compress)(void *, size_t, const void *, size_t, int);
static size_t (*zstd_decompress)(void *, size_t, const void *, size_t);

/** zlib(from, to): the bytes that were written */
static value_t deflate_into(env_t env, info_t info) {
  ARGUMENTS(2);
  void *from, *to;
  size_t size, room;
  napi_get_buffer_info(env, arguments[0], &from, &size);
  napi_get_buffer_info(env, arguments[1], &to, &room);
  unsigned long written = room;
  zlib_compress(to, &written, from, size, 6);
  return number(env, (int32_t)written);
}

static value_t inflate_into(env_t env, info_t info) {
  ARGUMENTS(3);
  void *from, *to;
  size_t size, room;
  napi_get_buffer_info(env, arguments[0], &from, &size);
  napi_get_buffer_info(env, arguments[1], &to, &room);
  unsigned long written = room;
  zlib_uncompress(to, &written, from, (unsigned long)integer(env, arguments[2]));
  return number(env, (int32_t)written);
}

static value_t zstd_into(env_t env, info_t info) {
  ARGUMENTS(2);
  void *from, *to;
  size_t size, room;
  napi_get_buffer_info(env, arguments[0], &from, &size);
  napi_get_buffer_info(env, arguments[1], &to, &room);
  return number(env, (int32_t)zstd_compress(to, room, from, size, 3));
}

static value_t unzstd_into(env_t env, info_t info) {
  ARGUMENTS(3);
  void *from, *to;
  size_t size, room;
  napi_get_buffer_info(env, arguments[0], &from, &size);
  napi_get_buffer_info(env, arguments[1], &to, &room);
  return number(env, (int32_t)zstd_decompress(to, room, from, (size_t)integer(env, arguments[2])));
}

/** Opens the two libraries. */
static value_t open_compression(env_t env, info_t info) {
  (void)info;
  void *zlib = dlopen("libz.so.1", RTLD_NOW), *zstd = dlopen("libzstd.so.1", RTLD_NOW);
  if (zlib == NULL || zstd == NULL) {
    napi_throw_error(env, NULL, "no libz.so.1 or no libzstd.so.1");
    return NULL;
  }
  *(void **)&zlib_compress = dlsym(zlib, "compress2");
  *(void **)&zlib_uncompress = dlsym(zlib, "uncompress");
  *(void **)&zstd_compress = dlsym(zstd, "ZSTD_compress");
  *(void **)&zstd_decompress = dlsym(zstd, "ZSTD_decompress");
  return undefined(env);
}

// ---- Vectors

static float field(env_t env, value_t object, const char *name) {
  value_t value;
  double found = 0;
  napi_get_named_property(env, object, name, &value);
  napi_get_value_double(env, value, &found);
  return (float)found;
}

static struct vector3 vector(env_t env, value_t object) {
  struct vector3 found = { field(env, object, "x"), field(env, object, "y"), field(env, object, "z") };
  return found;
}

static value_t vector_object(env_t env, struct vector3 vector) {
  value_t object, value;
  napi_create_object(env, &object);
  napi_create_double(env, vector.x, &value);
  napi_set_named_property(env, object, "x", value);
  napi_create_double(env, vector.y, &value);
  napi_set_named_property(env, object, "y", value);
  napi_create_double(env, vector.z, &value);
  napi_set_named_property(env, object, "z", value);
  return object;
}

static value_t add_vectors(env_t env, info_t info) {
  ARGUMENTS(2);
  return vector_object(env, vector_add(vector(env, arguments[0]), vector(env, arguments[1])));
}

static value_t transform_vector(env_t env, info_t info) {
  static const char *const names[] = { "m0", "m1", "m2",  "m3",  "m4",  "m5",  "m6",  "m7",
                                       "m8", "m9", "m10", "m11", "m12", "m13", "m14", "m15" };
  ARGUMENTS(2);
  float fields[16];
  struct matrix matrix;
  for (int i = 0; i < 16; i++) fields[i] = field(env, arguments[1], names[i]);
  memcpy(&matrix, fields, sizeof(matrix));
  return vector_object(env, vector_transform(vector(env, arguments[0]), matrix));
}

// ---- Callbacks

static env_t calling;
static value_t comparator;
static ref_t listening;

static int32_t compare_records(const void *a, const void *b) {
  scope_t scope;
  value_t keys[2], result;
  napi_open_handle_scope(calling, &scope);
  napi_create_double(calling, ((const struct record *)a)->key, &keys[0]);
  napi_create_double(calling, ((const struct record *)b)->key, &keys[1]);
  napi_call_function(calling, undefined(calling), comparator, 2, keys, &result);
  int32_t order = integer(calling, result);
  napi_close_handle_scope(calling, scope);
  return order;
}

/** sort(view, compare), which gets the keys */
static value_t sort(env_t env, info_t info) {
  ARGUMENTS(2);
  void *out;
  napi_get_typedarray_info(env, arguments[0], NULL, NULL, &out, NULL, NULL);
  calling = env;
  comparator = arguments[1];
  sort_records(out, compare_records);
  return undefined(env);
}

static void hear(int32_t kind, int32_t x, int32_t y) {
  scope_t scope;
  value_t values[3], function, result;
  napi_open_handle_scope(calling, &scope);
  napi_get_reference_value(calling, listening, &function);
  values[0] = number(calling, kind);
  values[1] = number(calling, x);
  values[2] = number(calling, y);
  napi_call_function(calling, undefined(calling), function, 3, values, &result);
  napi_close_handle_scope(calling, scope);
}

static value_t listen(env_t env, info_t info) {
  ARGUMENTS(1);
  napi_create_reference(env, arguments[0], 1, &listening);
  set_listener(hear);
  return undefined(env);
}

static value_t poll(env_t env, info_t info) {
  ARGUMENTS(1);
  calling = env;
  return number(env, poll_events(integer(env, arguments[0])));
}

static value_t draw_point(env_t env, info_t info) {
  ARGUMENTS(2);
  return number(env, draw(integer(env, arguments[0]), integer(env, arguments[1])));
}

static value_t clear(env_t env, info_t info) {
  (void)info;
  clear_canvas();
  return undefined(env);
}

value_t napi_register_module_v1(env_t env, value_t exports) {
  static const struct {
    const char *name;
    function_t function;
  } functions[] = {
    { "openDatabase", sqlite_open }, { "exec", sqlite_exec },       { "insert", sqlite_insert },
    { "next", sqlite_next },         { "open", open_compression },  { "zlib", deflate_into },
    { "unzlib", inflate_into },      { "zstd", zstd_into },         { "unzstd", unzstd_into },
    { "add", add_vectors },          { "transform", transform_vector }, { "sort", sort },
    { "listen", listen },            { "poll", poll },              { "draw", draw_point },
    { "clear", clear },
  };
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
    value_t function;
    napi_create_function(env, functions[i].name, (size_t)-1, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
