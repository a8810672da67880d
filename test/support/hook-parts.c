/*
 * The parts of the Windows hook that know no operating system, against tables and against bytes from anywhere.
 *
 * stdin: any number of u32 length | u8 part | its input. stdout for each: u32 length | its answer. Texts inside an input are u32 units and
 * UTF-16. Compiled with sanitizers, so that every input is also a test of memory.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "hook-frame.h"
#include "hook-policy.h"
#include "hook/afd.h"
#include "hook/glob.h"
#include "hook/key.h"
#include "hook/path.h"
#include "hook/shape.h"
#include "launcher/hook-policy-build.h"
#include "text16.h"

/* The system's own table is not here; towupper of C.UTF-8 is close enough for tests, which use few letters. */
uint16_t bh_fold(uint16_t unit) {
  const wint_t upper = towupper(unit);
  return upper > 0xffff || (unit >= 0xd800 && unit < 0xe000) ? unit : (uint16_t)upper;
}

static const uint8_t *at;
static size_t left;

static uint32_t number(void) {
  uint32_t value = 0;
  if (left < 4) exit(90);
  memcpy(&value, at, 4);
  at += 4;
  left -= 4;
  return value;
}

/* A copy of its own, exactly as long as the text, so that reading over its end is found. */
static struct bh_text16 text(void) {
  const uint32_t length = number();
  if (left < (size_t)length * 2) exit(91);
  uint16_t *units = malloc((size_t)length * 2 + 1);
  memcpy(units, at, (size_t)length * 2);
  at += (size_t)length * 2;
  left -= (size_t)length * 2;
  return (struct bh_text16){units, length};
}

static uint8_t *rest(size_t *length) {
  uint8_t *bytes = malloc(left + 1);
  memcpy(bytes, at, left);
  *length = left;
  return bytes;
}

static uint8_t answer[1 << 20];
static size_t answered;

static void put(const void *bytes, size_t length) {
  memcpy(answer + answered, bytes, length);
  answered += length;
}

static void put_number(int32_t value) { put(&value, 4); }

static void put_text(const uint16_t *units, long length) {
  put_number((int32_t)length);
  if (length > 0) put(units, (size_t)length * 2);
}

static struct bh_text16 folded(struct bh_text16 given) {
  uint16_t *units = malloc((size_t)given.length * 2 + 1);
  for (uint32_t i = 0; i < given.length; i++) units[i] = given.units[i] == '/' ? '\\' : bh_fold(given.units[i]);
  return (struct bh_text16){units, given.length};
}

static void glob(void) {
  const struct bh_text16 pattern = folded(text());
  const struct bh_text16 object = folded(text());
  put_number(bh_glob16(pattern, object));
}

/* A machine: C: and D: are disks, X: is a directory of C:, L: leads in a circle, M: is a share. */
static long lookup(void *context, struct bh_text16 name, uint16_t *into, size_t size) {
  static const struct {
    const char *name, *target;
  } known[] = {{"C:", "\\Device\\HarddiskVolume3"},
               {"D:", "\\Device\\HarddiskVolume4"},
               {"E:", "\\Device\\CdRom0"},
               {"X:", "\\??\\C:\\sub\\dir"},
               {"L:", "\\??\\L:"},
               {"M:", "\\Device\\LanmanRedirector\\;M:000000000001\\server\\share"},
               {"Volume{01234567-89ab-cdef-0123-456789abcdef}", "\\Device\\HarddiskVolume4"},
               {"HarddiskVolume9", "\\Device\\HarddiskVolume9"},
               {"Harddisk0Partition1", "\\Device\\HarddiskVolume3"}};
  (void)context;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    if (strlen(known[i].name) != name.length || !bh_text16_starts(name, known[i].name)) continue;
    const size_t length = strlen(known[i].target);
    if (length > size) return -1;
    for (size_t k = 0; k < length; k++) into[k] = (uint8_t)known[i].target[k];
    return (long)length;
  }
  return -1;
}

static void path(void) {
  const uint32_t size = number();
  const struct bh_text16 native = text();
  uint16_t *into = malloc((size_t)size * 2 + 1);
  uint16_t *scratch = malloc((size_t)size * 2 + 1);
  const struct bh_path_room room = {into, scratch, size};
  const long length = bh_path_canonical(native, lookup, NULL, &room);
  if (length > (long)size) abort();
  put_text(into, length);
}

static void key(void) {
  const uint32_t size = number();
  const struct bh_text16 user = text();
  const struct bh_text16 native = text();
  uint16_t *into = malloc((size_t)size * 2 + 1);
  const long length = bh_key_canonical(native, user, into, size);
  if (length > (long)size) abort();
  put_text(into, length);
}

/* act, indirect, length, pointer (two halves), text of the address where it lies in the input. */
static void afd(void) {
  struct bh_afd found;
  uint16_t into[BH_ADDRESS_MAX];
  size_t length;
  const uint32_t code = number();
  const uint8_t *input = rest(&length);
  const bool is = bh_afd_read(code, input, length, &found);
  put_number(is ? found.act : -1);
  if (is && !bh_afd_is_watched(code)) abort();
  if (!is) return;
  put_number(found.indirect);
  put_number((int32_t)found.length);
  put(&found.pointer, 8);
  if (found.indirect) return;
  if (found.at + found.length > length) abort();
  put_text(into, bh_address_text(input + found.at, found.length, into));
}

static void address(void) {
  uint16_t into[BH_ADDRESS_MAX];
  size_t length;
  const uint8_t *bytes = rest(&length);
  const size_t before = bh_afd_transport(bytes, length);
  put_text(into, bh_address_text(bytes + before, length - before, into));
}

static void replace(void) {
  const struct bh_text16 target = text();
  size_t length;
  uint8_t *bytes = rest(&length);
  put_number(bh_address_replace(target, bytes, length));
  put(bytes, length);
}

static void put_policy(const uint8_t *bytes, size_t length) {
  static struct bh_hook_rule rules[64];
  struct bh_hook_policy policy;
  const int read = bh_hook_policy_read(bytes, length, rules, 64, &policy);
  put_number(read);
  if (read != 0) return;
  put_number(policy.held | policy.report_wow64 << 1);
  put_number((int32_t)policy.ask_timeout);
  put_number((int32_t)policy.supervisor);
  put_number((int32_t)policy.acts);
  put_text(policy.pipe.units, policy.pipe.length);
  put_text(policy.dll.units, policy.dll.length);
  put_number((int32_t)policy.count);
  for (uint32_t i = 0; i < policy.count; i++) {
    put_number((int32_t)rules[i].id);
    put_number(rules[i].act);
    put_number(rules[i].action);
    put_text(rules[i].match.units, rules[i].match.length);
    put_text(rules[i].target.units, rules[i].target.length);
  }
}

static void policy_bytes(void) {
  size_t length;
  const uint8_t *bytes = rest(&length);
  put_policy(bytes, length);
}

static char *utf8(void) {
  const uint32_t length = number();
  if (left < length) exit(92);
  char *made = malloc((size_t)length + 1);
  memcpy(made, at, length);
  made[length] = '\0';
  at += length;
  left -= length;
  return made;
}

/* Builds a policy, damages one byte of it when told to (offset or -1), and reads it. */
static void policy_build(void) {
  static struct bh_hook_rule_text rules[64];
  static const uint16_t pipe[] = {'\\', '\\', '.', '\\', 'p', 0}, dll[] = {'C', ':', '\\', 'h', 0};
  const int32_t damage = (int32_t)number();
  const uint32_t count = number();
  if (count > 64) exit(93);
  for (uint32_t i = 0; i < count; i++) {
    rules[i].id = number();
    rules[i].on = utf8();
    rules[i].action = utf8();
    rules[i].match = utf8();
    rules[i].target = utf8();
  }
  const struct bh_hook_options options = {.held = true, .ask_timeout = 7, .supervisor = 99, .pipe = pipe, .dll = dll};
  uint8_t *bytes;
  size_t length, fault;
  if (bh_hook_policy_build(rules, count, &options, &bytes, &length, &fault) != 0) {
    put_number(-2);
    put_number((int32_t)fault);
    return;
  }
  /* What ends exactly where its memory ends. */
  uint8_t *exact = malloc(length);
  memcpy(exact, bytes, length);
  if (damage >= 0) exact[(size_t)damage % length] ^= 0x40;
  put_policy(exact, length);
}

/* Consumed or -1, then act, action, rule, lost, and the texts; written again it must be the same bytes. */
static void frame(void) {
  struct bh_hook_frame read;
  uint8_t again[BH_HOOK_FRAME_MAX];
  size_t length;
  const uint8_t *bytes = rest(&length);
  const long taken = bh_hook_frame_read(bytes, length, &read);
  put_number((int32_t)taken);
  if (taken <= 0) return;
  if (bh_hook_frame_write(&read, again) != (size_t)taken || memcmp(again, bytes, (size_t)taken) != 0) abort();
}

/* Writes an event with these texts and reads it back. */
static void event(void) {
  static uint8_t bytes[BH_HOOK_FRAME_MAX];
  struct bh_hook_frame read;
  char object[BH_HOOK_OBJECT_MAX];
  char *program = utf8();
  bh_utf8_from_utf16(text(), object, sizeof(object));
  struct bh_hook_frame written = {.type = BH_HOOK_EVENT, .act = 3, .action = 1, .rule = 5, .lost = 6, .program = program, .object = object};
  const size_t length = bh_hook_frame_write(&written, bytes);
  uint8_t *exact = malloc(length);
  memcpy(exact, bytes, length);
  if (bh_hook_frame_read(exact, length, &read) != (long)length) abort();
  put(read.program, strlen(read.program));
  put("\n", 1);
  put(read.object, strlen(read.object));
}

static void stub(void) {
  size_t length;
  const uint8_t *code = rest(&length);
  if (length != BH_STUB_SIZE) exit(94);
  put_number(bh_stub_is_sound(code));
}

int main(void) {
  static void (*const parts[])(void) = {glob, path, key, afd, address, replace, policy_bytes, policy_build, frame, event, stub};
  uint32_t length;
  setlocale(LC_ALL, "C.UTF-8");
  while (fread(&length, 4, 1, stdin) == 1) {
    uint8_t *input = malloc((size_t)length + 1);
    if (length == 0 || fread(input, length, 1, stdin) != 1) return 95;
    if (input[0] >= sizeof(parts) / sizeof(parts[0])) return 96;
    at = input + 1;
    left = length - 1;
    answered = 0;
    parts[input[0]]();
    const uint32_t size = (uint32_t)answered;
    fwrite(&size, 4, 1, stdout);
    fwrite(answer, 1, answered, stdout);
  }
  return 0;
}
