#include "feature.h"
#include "hook-attempt.h"
#include "watch.h"

void bh_feature_hook(struct bh_answer *answer) {
  wchar_t dll[MAX_PATH + 32];
  char reason[128] = "";
  answer->ok = false;
  if (bh_watch_dll(dll, &answer->fault) < 0) return;
  const uint32_t error = bh_hook_feature(dll, reason, sizeof(reason));
  answer->ok = error == 0;
  if (!answer->ok) bh_fault(&answer->fault, error, reason, NULL);
}
