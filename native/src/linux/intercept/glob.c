#include "../intercept.h"

/*
 * Two remembered places are enough: behind a later `**` nothing that an earlier star matched can matter, and a `*` cannot grow past the
 * end of its component. So the time is bounded by pattern x text^2 in the worst case; the text is the agent's, the pattern is not.
 */
struct place {
  const char *pattern; /* NULL: none */
  const char *text;
};

/* Lets the last `**` take one byte more, or one whole component when it stands for whole components. */
static bool grow_deep(struct place *deep, bool components) {
  const char *t = deep->text;
  if (components) {
    while (*t != '\0' && *t != '/') t++;
  }
  if (*t == '\0') return false;
  deep->text = t + 1;
  return true;
}

bool bh_glob_match(const char *pattern, const char *text) {
  struct place star = {NULL, NULL};
  struct place deep = {NULL, NULL};
  bool components = false;
  const char *p = pattern;
  const char *t = text;

  for (;;) {
    if (p[0] == '*' && p[1] == '*') {
      const bool opens = p == pattern || p[-1] == '/';
      while (*p == '*') p++;
      components = opens && *p == '/';
      if (components) p++;
      deep = (struct place){p, t};
      star.pattern = NULL;
      continue;
    }
    if (*p == '*') {
      star = (struct place){++p, t};
      continue;
    }
    if (*p == '\0' && *t == '\0') return true;
    const char *literal = p[0] == '\\' && p[1] != '\0' ? p + 1 : p;
    if (*t != '\0' && *literal == *t) {
      p = literal + 1;
      t++;
      continue;
    }
    if (star.pattern != NULL && *star.text != '\0' && *star.text != '/') {
      star.text++;
      p = star.pattern;
      t = star.text;
      continue;
    }
    if (deep.pattern == NULL || !grow_deep(&deep, components)) return false;
    star.pattern = NULL;
    p = deep.pattern;
    t = deep.text;
  }
}
