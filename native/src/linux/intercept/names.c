#include "../intercept.h"

#include <string.h>

static const char *const acts[BH_ACT_COUNT] = {
    [BH_ACT_FILE_WRITE] = "file.write",     [BH_ACT_FILE_DELETE] = "file.delete",   [BH_ACT_FILE_RENAME] = "file.rename",
    [BH_ACT_FILE_CHMOD] = "file.chmod",     [BH_ACT_PROCESS_EXEC] = "process.exec", [BH_ACT_NET_CONNECT] = "net.connect",
    [BH_ACT_NET_BIND] = "net.bind",
};

static const char *const actions[BH_ACTION_COUNT] = {
    [BH_ACTION_ALLOW] = "allow",
    [BH_ACTION_DENY] = "deny",
    [BH_ACTION_KILL] = "kill",
};

static int find(const char *const *names, int count, const char *name) {
  for (int i = 0; i < count; i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return -1;
}

int bh_act_from_name(const char *name) { return find(acts, BH_ACT_COUNT, name); }
int bh_action_from_name(const char *name) { return find(actions, BH_ACTION_COUNT, name); }
const char *bh_act_name(unsigned act) { return act < BH_ACT_COUNT ? acts[act] : NULL; }
const char *bh_action_name(unsigned action) { return action < BH_ACTION_COUNT ? actions[action] : NULL; }
