#include "key.h"

#include "../text16.h"
#include "path.h"

static struct bh_text16 after(struct bh_text16 text, uint32_t length) {
  return (struct bh_text16){text.units + length, text.length - length};
}

/* How much of `name` the hive's own name takes, when it is that name as a whole, plus a suffix. */
static uint32_t hive(struct bh_text16 name, struct bh_text16 prefix, const char *suffix) {
  uint32_t length = 0;
  if (name.length < prefix.length) return 0;
  while (length < prefix.length && bh_fold(name.units[length]) == bh_fold(prefix.units[length])) length++;
  if (length < prefix.length || !bh_text16_starts(after(name, length), suffix)) return 0;
  while (*suffix++ != '\0') length++;
  return length == name.length || name.units[length] == '\\' ? length : 0;
}

static int is_digit(uint16_t unit) { return unit >= '0' && unit <= '9'; }

static long write(const char *root, struct bh_text16 rest, uint16_t *into, size_t size) {
  static const char control_set[] = "HKLM\\SYSTEM\\ControlSet";
  size_t length = 0;
  while (root[length] != '\0' && length < size) {
    into[length] = (uint8_t)root[length];
    length++;
  }
  if (root[length] != '\0' || rest.length > size - length) return -2;
  for (uint32_t i = 0; i < rest.length; i++) into[length++] = rest.units[i];
  /* `ControlSet001` becomes `CurrentControlSet`: four units longer. */
  const uint32_t at = sizeof(control_set) - 1;
  const struct bh_text16 whole = {into, (uint32_t)length};
  if (!bh_text16_starts(whole, control_set) || length < at + 3 || !is_digit(into[at]) || !is_digit(into[at + 1]) || !is_digit(into[at + 2]) ||
      (length > at + 3 && into[at + 3] != '\\')) {
    return (long)length;
  }
  if (length + 4 > size) return -2;
  for (size_t i = length; i > at + 3; i--) into[i + 3] = into[i - 1];
  static const char current[] = "CurrentControlSet";
  for (size_t i = 0; i < sizeof(current) - 1; i++) into[12 + i] = (uint8_t)current[i];
  return (long)length + 4;
}

long bh_key_canonical(struct bh_text16 native, struct bh_text16 user, uint16_t *into, size_t size) {
  while (native.length > 0 && native.units[native.length - 1] == '\\') native.length--;
  uint32_t length = hive(native, user, "");
  if (length > 0) return write("HKCU", after(native, length), into, size);
  length = hive(native, user, "_Classes");
  if (length > 0) return write("HKCU\\Software\\Classes", after(native, length), into, size);
  static const struct {
    const char *native, *name;
  } roots[] = {{"\\REGISTRY\\MACHINE", "HKLM"}, {"\\REGISTRY\\USER", "HKU"}, {"\\REGISTRY\\A", "HKA"}};
  for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
    length = 0;
    while (roots[i].native[length] != '\0') length++;
    if (bh_text16_starts(native, roots[i].native) && (native.length == length || native.units[length] == '\\')) {
      return write(roots[i].name, after(native, length), into, size);
    }
  }
  if (!bh_text16_starts(native, "\\REGISTRY")) return -1;
  return write("", native, into, size);
}
