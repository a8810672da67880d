#include "glob.h"

/*
 * Two remembered places are enough: behind a later `**` nothing that an earlier star matched can matter, and a `*` cannot grow past the
 * end of its component. So the time is bounded by pattern x text^2 in the worst case; the text is the agent's, the pattern is not.
 */
struct place {
  bool set;
  uint32_t pattern, text;
};

static bool is_star(struct bh_text16 pattern, uint32_t at) { return at < pattern.length && pattern.units[at] == '*'; }

/* Lets the last `**` take one unit more, or one whole component when it stands for whole components. */
static bool grow_deep(struct place *deep, bool components, struct bh_text16 text) {
  uint32_t t = deep->text;
  if (components) {
    while (t < text.length && text.units[t] != '\\') t++;
  }
  if (t >= text.length) return false;
  deep->text = t + 1;
  return true;
}

bool bh_glob16(struct bh_text16 pattern, struct bh_text16 text) {
  struct place star = {false, 0, 0};
  struct place deep = {false, 0, 0};
  bool components = false;
  uint32_t p = 0;
  uint32_t t = 0;

  for (;;) {
    if (is_star(pattern, p) && is_star(pattern, p + 1)) {
      const bool opens = p == 0 || pattern.units[p - 1] == '\\';
      while (is_star(pattern, p)) p++;
      components = opens && p < pattern.length && pattern.units[p] == '\\';
      if (components) p++;
      deep = (struct place){true, p, t};
      star.set = false;
      continue;
    }
    if (is_star(pattern, p)) {
      star = (struct place){true, ++p, t};
      continue;
    }
    if (p == pattern.length && t == text.length) return true;
    if (p < pattern.length && t < text.length && pattern.units[p] == text.units[t]) {
      p++;
      t++;
      continue;
    }
    if (star.set && star.text < text.length && text.units[star.text] != '\\') {
      p = star.pattern;
      t = ++star.text;
      continue;
    }
    if (!deep.set || !grow_deep(&deep, components, text)) return false;
    star.set = false;
    p = deep.pattern;
    t = deep.text;
  }
}
