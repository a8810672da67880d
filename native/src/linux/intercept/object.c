#include "object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "numbers.h"

/* Removes `//`, `.` and `..` from an absolute path, in place, by its text. */
static void normalise(char *path) {
  char *out = path;
  const char *in = path;
  while (*in != '\0') {
    while (*in == '/') in++;
    const size_t length = strcspn(in, "/");
    if (length == 0) break;
    if (length == 2 && in[0] == '.' && in[1] == '.') {
      while (out > path && *--out != '/') {
      }
    } else if (!(length == 1 && in[0] == '.')) {
      *out++ = '/';
      memmove(out, in, length);
      out += length;
    }
    in += length;
  }
  if (out == path) *out++ = '/';
  *out = '\0';
}

/* The path of an O_PATH descriptor of ours. */
static int path_of(int fd, char *into, size_t size) {
  char name[32];
  snprintf(name, sizeof(name), "fd/%d", fd);
  return bh_agent_link(getpid(), name, into, size);
}

/* O_PATH never blocks and never triggers a device; a link that leaves the root is bent back into it. */
static int open_in_root(int root, const char *path) {
  const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  const long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
  return fd < 0 ? -errno : (int)fd;
}

static int follow_whole(int root, const char *path, char *into, size_t size) {
  const int fd = open_in_root(root, path);
  if (fd < 0) return fd;
  const int length = path_of(fd, into, size);
  close(fd);
  return length < 0 || into[0] != '/' ? -ENXIO : 0;
}

/* Follows everything but the last component, which must be a name. */
static int follow_parent(int root, const char *path, char *into, size_t size) {
  char parent[2 * PATH_MAX];
  size_t end = strlen(path);
  while (end > 1 && path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') start--;
  const size_t length = end - start;
  const char *name = path + start;
  if (length == 0 || (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.')) return -EISDIR;
  if (start == 0 || start >= sizeof(parent)) return -ENOENT;
  memcpy(parent, path, start);
  parent[start] = '\0';
  const int followed = follow_whole(root, parent, into, size);
  if (followed < 0) return followed;
  const size_t at = strlen(into);
  const bool slash = at > 1;
  if (at + slash + length >= size) return -ENAMETOOLONG;
  if (slash) into[at] = '/';
  memcpy(into + at + slash, name, length);
  into[at + slash + length] = '\0';
  return 0;
}

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/*
 * /proc/self and /dev/fd mean the process itself, but to us they would mean the supervisor: reads the link on the process's behalf.
 * Returns the rest of the path behind the link, or NULL when the path is not of this kind.
 */
static const char *follow_self(pid_t pid, const char *path, char *into, size_t size) {
  static const struct {
    const char *prefix, *name;
  } kinds[] = {{"/proc/self/", ""}, {"/proc/thread-self/", ""}, {"/dev/fd/", "fd/"},
               {"/dev/stdin", "fd/0"}, {"/dev/stdout", "fd/1"}, {"/dev/stderr", "fd/2"}};
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    if (!starts_with(path, kinds[i].prefix)) continue;
    char name[24];
    const char *rest = path + strlen(kinds[i].prefix);
    /* Two components of what follows /proc/self/ when the first is fd, otherwise one. */
    size_t length = starts_with(kinds[i].prefix, "/dev/std") ? 0 : strcspn(rest, "/");
    if (length == 2 && kinds[i].name[0] == '\0' && starts_with(rest, "fd/")) length = 3 + strcspn(rest + 3, "/");
    if (strlen(kinds[i].name) + length >= sizeof(name)) return NULL;
    snprintf(name, sizeof(name), "%s%.*s", kinds[i].name, (int)length, rest);
    if (rest[length] != '\0' && rest[length] != '/') return NULL;
    return bh_agent_link(pid, name, into, size) < 0 ? NULL : rest + length;
  }
  return NULL;
}

static void follow(struct bh_object *object, pid_t pid, int root, char *path, enum bh_follow how) {
  char self[PATH_MAX];
  object->missing = false;
  snprintf(object->named, sizeof(object->named), "%s", path);
  normalise(object->named);
  const char *rest = follow_self(pid, object->named, self, sizeof(self));
  if (rest != NULL) {
    if (rest[0] == '\0') {
      if (how == BH_FOLLOW) {
        snprintf(object->real, sizeof(object->real), "%s", self);
        return;
      }
    } else if (self[0] == '/') {
      snprintf(path, 2 * PATH_MAX, "%s%s", self, rest);
    }
  }
  if (root >= 0) {
    if (how == BH_FOLLOW) {
      const int whole = follow_whole(root, path, object->real, sizeof(object->real));
      if (whole == 0) return;
      object->missing = whole == -ENOENT;
    }
    /* Not there yet (a file about to be made), or the last component is not to be followed. */
    const int parent = follow_parent(root, path, object->real, sizeof(object->real));
    if (parent == 0) return;
    if (parent == -EISDIR && follow_whole(root, path, object->real, sizeof(object->real)) == 0) return;
  }
  memcpy(object->real, object->named, strlen(object->named) + 1);
}

/* Puts the directory that a relative path starts from before it. */
static int absolute(char *path, size_t size, pid_t pid, int directory) {
  if (path[0] == '/') return 0;
  char name[24] = "cwd";
  if (directory != AT_FDCWD) snprintf(name, sizeof(name), "fd/%d", directory);
  char base[PATH_MAX];
  const int length = bh_agent_link(pid, name, base, sizeof(base));
  if (length < 0) return length == -ENOENT ? -EBADF : length;
  const size_t tail = strlen(path);
  if ((size_t)length + 1 + tail + 1 > size) return -ENAMETOOLONG;
  memmove(path + length + 1, path, tail + 1);
  memcpy(path, base, (size_t)length);
  path[length] = '/';
  return 0;
}

int bh_object_descriptor(struct bh_object *object, pid_t pid, int descriptor) {
  char name[24] = "cwd";
  if (descriptor != AT_FDCWD) snprintf(name, sizeof(name), "fd/%d", descriptor);
  const int length = bh_agent_link(pid, name, object->real, sizeof(object->real));
  if (length < 0) return length == -ENOENT ? -EBADF : length;
  memcpy(object->named, object->real, (size_t)length + 1);
  object->missing = false;
  return 0;
}

int bh_object_path(struct bh_object *object, pid_t pid, int root, int directory, uint64_t address, bool empty, enum bh_follow how) {
  char path[2 * PATH_MAX];
  const int length = bh_agent_string(pid, address, path, PATH_MAX);
  if (length < 0) return length;
  if (length == 0) return empty ? bh_object_descriptor(object, pid, directory) : -ENOENT;
  const int made = absolute(path, sizeof(path), pid, directory);
  if (made < 0) return made;
  follow(object, pid, root, path, how);
  return 0;
}

int bh_object_relative(struct bh_object *object, pid_t pid, int root, const char *name, size_t length) {
  char path[2 * PATH_MAX];
  snprintf(path, sizeof(path), "%.*s", (int)length, name);
  const int made = absolute(path, sizeof(path), pid, AT_FDCWD);
  if (made < 0) return made;
  follow(object, pid, root, path, BH_FOLLOW);
  return 0;
}
