// Stands for the libraries that the packages download or that need a service: the same functions, with little behind
// them.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The TLS client of Go, which both tls packages call with JSON in and out.
static char *answer(const char *request) {
  char *json = malloc(400);
  snprintf(json, 400,
           "{\"id\":\"1\",\"sessionId\":\"s\",\"status\":200,\"usedProtocol\":\"h2\",\"target\":\"\",\"body\":\"%s\","
           "\"headers\":{\"Content-Type\":[\"text/plain\"]},\"cookies\":{\"a\":\"b\"},\"success\":true}",
           strstr(request, "payload") ? "with a body" : "without a body");
  return json;
}
char *request(const char *json) { return answer(json); }
char *getCookiesFromSession(const char *json) { return answer(json); }
char *addCookiesToSession(const char *json) { return answer(json); }
void freeMemory(const char *id) { (void)id; }
char *destroyAll(void) { return strdup("{\"id\":\"d\",\"success\":true}"); }
char *destroySession(const char *json) { return (void)json, destroyAll(); }

// Vosk: handles, texts and samples.
typedef struct {
  float rate;
  int words;
  long sum;
  char text[256];
} Recognizer;
void vosk_set_log_level(int level) { (void)level; }
void *vosk_model_new(const char *path) { return strcmp(path, "missing") == 0 ? NULL : strdup(path); }
void vosk_model_free(void *model) { free(model); }
void *vosk_spk_model_new(const char *path) { return strdup(path); }
void vosk_spk_model_free(void *model) { free(model); }
Recognizer *vosk_recognizer_new(void *model, float rate) {
  Recognizer *made = calloc(1, sizeof *made);
  made->rate = model == NULL ? 0 : rate;
  return made;
}
Recognizer *vosk_recognizer_new_spk(void *model, float rate, void *speaker) {
  return (void)speaker, vosk_recognizer_new(model, rate);
}
Recognizer *vosk_recognizer_new_grm(void *model, float rate, const char *grammar) {
  Recognizer *made = vosk_recognizer_new(model, rate);
  made->words = strlen(grammar);
  return made;
}
void vosk_recognizer_free(Recognizer *recognizer) { free(recognizer); }
void vosk_recognizer_set_max_alternatives(Recognizer *recognizer, int count) { (void)recognizer, (void)count; }
void vosk_recognizer_set_words(Recognizer *recognizer, int words) { recognizer->words = words; }
void vosk_recognizer_set_partial_words(Recognizer *recognizer, int words) { (void)recognizer, (void)words; }
void vosk_recognizer_set_spk_model(Recognizer *recognizer, void *model) { (void)recognizer, (void)model; }
int vosk_recognizer_accept_waveform(Recognizer *recognizer, const char *data, int length) {
  for (int i = 0; i < length; i++) recognizer->sum += (unsigned char)data[i];
  return length > 4;
}
const char *vosk_recognizer_result(Recognizer *recognizer) {
  snprintf(recognizer->text, sizeof recognizer->text, "{\"text\":\"%ld at %.0f\",\"words\":%d}", recognizer->sum,
           recognizer->rate, recognizer->words);
  return recognizer->text;
}
const char *vosk_recognizer_final_result(Recognizer *recognizer) { return vosk_recognizer_result(recognizer); }
const char *vosk_recognizer_partial_result(Recognizer *recognizer) { return vosk_recognizer_result(recognizer); }
void vosk_recognizer_reset(Recognizer *recognizer) { recognizer->sum = 0; }

// Steam: achievements and statistics behind an interface, a C++ callback object, structs as results.
typedef struct {
  void **functions;
  uint8_t flags;
  int32_t number;
} CallbackBase;
typedef struct {
  bool state, active;
} Digital;
typedef struct {
  int mode;
  float x, y;
  bool active;
} Analog;
static CallbackBase *registered;
static bool unlocked[3];
static int32_t statistic = 7;
static const char *NAMES[] = {"ONE", "TWO", "THREE"};
static int indexOf(const char *name) {
  for (int i = 0; i < 3; i++)
    if (strcmp(name, NAMES[i]) == 0) return i;
  return -1;
}
bool SteamAPI_InitSafe(void) { return true; }
void SteamAPI_Shutdown(void) {}
bool SteamAPI_IsSteamRunning(void) { return true; }
void *SteamAPI_SteamUserStats_v013(void) { return &statistic; }
void SteamAPI_RegisterCallback(CallbackBase *callback, int number) {
  callback->flags |= 1;
  callback->number = number;
  registered = callback;
}
void SteamAPI_UnregisterCallback(CallbackBase *callback) { callback->flags &= ~1, registered = NULL; }
void SteamAPI_RunCallbacks(void) {
  uint8_t data[24] = {1, 2, 3};
  if (registered != NULL) ((void (*)(void *, void *))registered->functions[0])(registered, data);
}
uint32_t SteamAPI_ISteamUserStats_GetNumAchievements(void *self) { return self == &statistic ? 3 : 0; }
const char *SteamAPI_ISteamUserStats_GetAchievementName(void *self, uint32_t i) { return (void)self, NAMES[i]; }
const char *SteamAPI_ISteamUserStats_GetAchievementDisplayAttribute(void *self, const char *name, const char *key) {
  return (void)self, (void)name, strcmp(key, "name") == 0 ? "a name" : strcmp(key, "hidden") == 0 ? "0" : "a description";
}
bool SteamAPI_ISteamUserStats_GetAchievementAndUnlockTime(void *self, const char *name, bool *is, uint32_t *time) {
  int i = indexOf(name);
  if (self != &statistic || i < 0) return false;
  *is = unlocked[i];
  *time = unlocked[i] ? 1700000000 : 0;
  return true;
}
bool SteamAPI_ISteamUserStats_GetAchievement(void *self, const char *name, bool *is) {
  uint32_t time;
  return SteamAPI_ISteamUserStats_GetAchievementAndUnlockTime(self, name, is, &time);
}
static bool set(const char *name, bool value) {
  int i = indexOf(name);
  if (i >= 0) unlocked[i] = value;
  return i >= 0;
}
bool SteamAPI_ISteamUserStats_SetAchievement(void *self, const char *name) { return (void)self, set(name, true); }
bool SteamAPI_ISteamUserStats_ClearAchievement(void *self, const char *name) { return (void)self, set(name, false); }
bool SteamAPI_ISteamUserStats_StoreStats(void *self) { return (void)self, true; }
bool SteamAPI_ISteamUserStats_RequestCurrentStats(void *self) { return (void)self, true; }
bool SteamAPI_ISteamUserStats_GetStatInt32(void *self, const char *name, int32_t *value) {
  return (void)self, (void)name, *value = statistic, true;
}
bool SteamAPI_ISteamUserStats_SetStatInt32(void *self, const char *name, int32_t value) {
  return (void)self, (void)name, statistic = value, true;
}
bool SteamAPI_ISteamUserStats_GetStatFloat(void *self, const char *name, float *value) {
  return (void)self, (void)name, *value = 1.5f, true;
}
Digital digital(void) { return (Digital){true, false}; }
Analog analog(void) { return (Analog){3, 0.5f, -0.5f, true}; }
