#include "landlock.h"

#include <errno.h>
#include <sys/stat.h>

#include "kernel.h"

#define READING (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OF_FILES \
  (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)

int bh_landlock_abi(void) {
  const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : (int)version;
}

static uint64_t handled(int abi) {
  uint64_t access = (1ull << 13) - 1; /* ABI 1: execute .. make_sym */
  if (abi >= 2) access |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) access |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (abi >= 5) access |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  return access;
}

static int add_paths(int ruleset, char *const *paths, uint64_t access, struct bh_fault *fault) {
  for (; *paths; paths++) {
    const int fd = open(*paths, O_PATH | O_CLOEXEC);
    if (fd < 0) {
      if (errno == ENOENT) continue; /* what does not exist in the view needs no permission */
      return bh_fault(fault, 0, "landlock path", *paths);
    }
    struct stat status;
    const int known = fstat(fd, &status);
    struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = access};
    if (known == 0 && !S_ISDIR(status.st_mode)) rule.allowed_access &= OF_FILES;
    const long result = known < 0 ? -1 : syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    const int code = errno;
    close(fd);
    if (result < 0) return bh_fault(fault, code, "landlock_add_rule", *paths);
  }
  return 0;
}

int bh_landlock_restrict(const struct bh_spec *spec, struct bh_fault *fault) {
  const int abi = bh_landlock_abi();
  if (abi == 0) return bh_fault(fault, ENOSYS, "landlock_create_ruleset", NULL);
  struct bh_landlock_attributes attributes = {.handled_access_fs = handled(abi)};
  if (abi >= 6) attributes.scoped = BH_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | BH_LANDLOCK_SCOPE_SIGNAL;
  const size_t size = abi >= 6 ? sizeof(attributes) : abi >= 4 ? 16 : 8;
  const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
  if (ruleset < 0) return bh_fault(fault, 0, "landlock_create_ruleset", NULL);
  int result = add_paths(ruleset, spec->landlock_read, READING & attributes.handled_access_fs, fault);
  if (result == 0) result = add_paths(ruleset, spec->landlock_write, attributes.handled_access_fs, fault);
  if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) result = bh_fault(fault, 0, "landlock_restrict_self", NULL);
  close(ruleset);
  return result;
}
