#include "path.h"

#include "../text16.h"

/* How often a name may lead to another name (subst of a subst). */
#define HOPS 8
#define TARGET 1024

static struct bh_text16 after(struct bh_text16 text, uint32_t length) {
  return (struct bh_text16){text.units + length, text.length - length};
}

static uint32_t length_of(const char *ascii) {
  uint32_t length = 0;
  while (ascii[length] != '\0') length++;
  return length;
}

int bh_text16_starts(struct bh_text16 text, const char *ascii) {
  const uint32_t length = length_of(ascii);
  if (text.length < length) return 0;
  for (uint32_t i = 0; i < length; i++) {
    if (bh_fold(text.units[i]) != bh_fold((uint8_t)ascii[i])) return 0;
  }
  return 1;
}

static int same(struct bh_text16 a, struct bh_text16 b) {
  if (a.length != b.length) return 0;
  for (uint32_t i = 0; i < a.length; i++) {
    if (bh_fold(a.units[i]) != bh_fold(b.units[i])) return 0;
  }
  return 1;
}

static int is_separator(uint16_t unit) { return unit == '\\' || unit == '/'; }

static uint32_t component(struct bh_text16 text) {
  uint32_t length = 0;
  while (length < text.length && !is_separator(text.units[length])) length++;
  return length;
}

struct out {
  uint16_t *units;
  size_t length, size;
  uint16_t *scratch; /* of the same size */
  int full;
};

static void put(struct out *out, uint16_t unit) {
  if (out->length < out->size) {
    out->units[out->length++] = unit;
  } else {
    out->full = 1;
  }
}

static void put_ascii(struct out *out, const char *ascii) {
  while (*ascii != '\0') put(out, (uint8_t)*ascii++);
}

/* The part of a component that names the file: no stream, no trailing dots and spaces, unless it consists of nothing else. */
static uint32_t plain(const uint16_t *units, uint32_t length) {
  uint32_t end = 0;
  while (end < length && units[end] != ':') end++;
  uint32_t kept = end;
  while (kept > 0 && (units[kept - 1] == '.' || units[kept - 1] == ' ')) kept--;
  return kept > 0 ? kept : end;
}

/* Appends the components of `rest` behind what is there already, which `..` cannot climb over. */
static void put_components(struct out *out, struct bh_text16 rest) {
  const size_t floor = out->length;
  while (rest.length > 0) {
    const uint32_t length = component(rest);
    const uint32_t kept = plain(rest.units, length);
    const int dots = kept == 1 && rest.units[0] == '.' ? 1 : kept == 2 && rest.units[0] == '.' && rest.units[1] == '.' ? 2 : 0;
    if (dots == 2) {
      while (out->length > floor && out->units[--out->length] != '\\') {
      }
    } else if (kept > 0 && dots == 0) {
      put(out, '\\');
      for (uint32_t i = 0; i < kept; i++) put(out, rest.units[i]);
    }
    rest = after(rest, length < rest.length ? length + 1 : length);
  }
}

static long finish(struct out *out) { return out->full ? BH_PATH_TOO_LONG : (long)out->length; }

static int is_drive(struct bh_text16 text) {
  return text.length >= 2 && text.units[1] == ':' && bh_fold(text.units[0]) >= 'A' && bh_fold(text.units[0]) <= 'Z' &&
         (text.length == 2 || is_separator(text.units[2]));
}

static long drive(struct out *out, uint16_t letter, struct bh_text16 rest) {
  /* Without a separator behind it, it is the volume itself. */
  if (rest.length == 0) put_ascii(out, "\\\\.\\");
  put(out, bh_fold(letter));
  put(out, ':');
  if (rest.length == 0) return finish(out);
  const size_t root = out->length;
  put_components(out, rest);
  if (out->length == root) put(out, '\\');
  return finish(out);
}

static long share(struct out *out, struct bh_text16 rest) {
  /* `\Device\Mup\;LanmanRedirector\;Z:0000000000012345\server\share`: what begins with a semicolon names no server. */
  while (rest.length > 0 && (is_separator(rest.units[0]) || rest.units[0] == ';')) {
    rest = after(rest, rest.units[0] == ';' ? component(rest) : 1);
  }
  put(out, '\\');
  put_components(out, rest);
  /* The redirector itself is no file. */
  return out->length < 2 && !out->full ? BH_PATH_NO_FILE : finish(out);
}

/* Which letter a device has. */
static uint16_t letter_of(struct bh_text16 device, bh_device_lookup *lookup, void *context) {
  for (uint16_t letter = 'A'; letter <= 'Z'; letter++) {
    const uint16_t name[2] = {letter, ':'};
    uint16_t target[TARGET];
    const long length = lookup(context, (struct bh_text16){name, 2}, target, TARGET);
    if (length > 0 && same(device, (struct bh_text16){target, (uint32_t)length})) return letter;
  }
  return 0;
}

/* `\Device\...` */
static long device(struct out *out, struct bh_text16 native, bh_device_lookup *lookup, void *context) {
  static const char *const redirectors[] = {"\\Device\\Mup", "\\Device\\LanmanRedirector", "\\Device\\WebDavRedirector",
                                            "\\Device\\NetworkRedirector"};
  for (size_t i = 0; i < sizeof(redirectors) / sizeof(redirectors[0]); i++) {
    const uint32_t length = length_of(redirectors[i]);
    if (bh_text16_starts(native, redirectors[i]) && (native.length == length || is_separator(native.units[length]))) {
      return share(out, after(native, length));
    }
  }
  /* `\Device\HarddiskVolume3`, or `\Device\Harddisk0\Partition1`. */
  uint32_t length = 0;
  for (int parts = 0; parts < 3 && length < native.length; parts++) {
    length += 1 + component(after(native, length + 1));
    if (parts == 0) continue;
    const uint16_t letter = letter_of((struct bh_text16){native.units, length}, lookup, context);
    if (letter != 0) return drive(out, letter, after(native, length));
  }
  if (!bh_text16_starts(native, "\\Device\\Harddisk") && !bh_text16_starts(native, "\\Device\\CdRom") &&
      !bh_text16_starts(native, "\\Device\\Floppy")) {
    return BH_PATH_NO_FILE;
  }
  put_ascii(out, "\\\\?\\GLOBALROOT");
  put_components(out, native);
  return finish(out);
}

/* What lies in the DOS device directory. Returns 0 with *native when it leads on to another name. */
static long dos(struct out *out, struct bh_text16 name, bh_device_lookup *lookup, void *context, struct bh_text16 *native) {
  if (bh_text16_starts(name, "UNC\\") || bh_text16_starts(name, "UNC/")) return share(out, after(name, 4));
  if (bh_text16_starts(name, "PhysicalDrive")) {
    put_ascii(out, "\\\\.\\");
    for (uint32_t i = 0; i < name.length; i++) put(out, name.units[i]);
    return finish(out);
  }
  const uint32_t length = component(name);
  uint16_t target[TARGET];
  if (is_drive(name)) {
    const long found = lookup(context, (struct bh_text16){name.units, 2}, target, TARGET);
    const struct bh_text16 to = {target, found > 0 ? (uint32_t)found : 0};
    /* A letter that stands for a directory or a share; any other letter is the file's name as people know it. */
    if (!bh_text16_starts(to, "\\??\\") && !bh_text16_starts(to, "\\Device\\Mup\\") && !bh_text16_starts(to, "\\Device\\LanmanRedirector\\")) {
      return drive(out, name.units[0], after(name, 2));
    }
  } else if (!bh_text16_starts(name, "Volume{") && !bh_text16_starts(name, "Harddisk")) {
    return BH_PATH_NO_FILE;
  }
  const long found = lookup(context, (struct bh_text16){name.units, length}, target, TARGET);
  if (found <= 0) return BH_PATH_NO_FILE;
  const struct bh_text16 rest = after(name, length);
  if ((size_t)found + rest.length > out->size) return BH_PATH_TOO_LONG;
  /* `rest` may lie in the scratch itself, from the hop before. */
  const size_t most = rest.length;
  if (rest.units < out->scratch + found) {
    for (size_t i = most; i > 0; i--) out->scratch[(size_t)found + i - 1] = rest.units[i - 1];
  } else {
    for (size_t i = 0; i < most; i++) out->scratch[(size_t)found + i] = rest.units[i];
  }
  for (long i = 0; i < found; i++) out->scratch[i] = target[i];
  *native = (struct bh_text16){out->scratch, (uint32_t)((size_t)found + most)};
  return 0;
}

/* Where the name goes on inside the DOS device directory, or 0. */
static uint32_t dos_prefix(struct bh_text16 native) {
  static const char *const prefixes[] = {"\\??\\", "\\DosDevices\\", "\\GLOBAL??\\"};
  for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
    if (bh_text16_starts(native, prefixes[i])) return length_of(prefixes[i]);
  }
  return 0;
}

long bh_path_canonical(struct bh_text16 native, bh_device_lookup *lookup, void *context, const struct bh_path_room *room) {
  struct out out = {room->into, 0, room->size, room->scratch, 0};
  for (int hops = 0; hops < HOPS; hops++) {
    if (bh_text16_starts(native, "\\Device\\")) return device(&out, native, lookup, context);
    const uint32_t prefix = dos_prefix(native);
    if (prefix == 0) return BH_PATH_NO_FILE;
    struct bh_text16 name = after(native, prefix);
    while (bh_text16_starts(name, "Global\\")) name = after(name, 7);
    if (bh_text16_starts(name, "GLOBALROOT\\")) {
      native = after(name, 10);
      continue;
    }
    const long made = dos(&out, name, lookup, context, &native);
    if (made != 0) return made;
  }
  return BH_PATH_TOO_LONG;
}
