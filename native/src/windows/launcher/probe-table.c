#include "feature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "bulkhead.h"
#include "text.h"

/* HostFeature of core/contracts/layer.ts, as far as this system has it. */
static const struct {
  const char *name;
  void (*answer)(struct bh_answer *answer);
} features[] = {
    {"restricted-token", bh_feature_restricted_token},
    {"job-object", bh_feature_job_object},
    {"file-security", bh_feature_file_security},
    {"hook-injection", bh_feature_hook},
    {"filtering-platform", bh_feature_filtering_platform},
    {"elevation", bh_feature_elevation},
};

int bh_pretended(struct bh_answer *answer, const char *what) {
  answer->ok = false;
  answer->fault.code = 0;
  snprintf(answer->fault.operation, sizeof(answer->fault.operation), "%s", what);
  return -1;
}

static void explain(const struct bh_answer *answer, char *reason, size_t size) {
  wchar_t *text = NULL;
  char message[192] = "";
  if (answer->ok) return;
  if (answer->fault.code == 0) {
    snprintf(reason, size, "%s", answer->fault.operation);
    return;
  }
  const DWORD flags = FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
  if (FormatMessageW(flags, NULL, answer->fault.code, 0, (LPWSTR)&text, 0, NULL) > 0) bh_utf8_into(text, message, sizeof(message));
  LocalFree(text);
  for (size_t length = strlen(message); length > 0 && strchr(" .\r\n", message[length - 1]); length--) message[length - 1] = 0;
  snprintf(reason, size, "%s: %s (%lu)", answer->fault.operation, message, (unsigned long)answer->fault.code);
}

void bh_feature_answer(struct bh_reader *body, struct bh_writer *w) {
  struct bh_answer answer = {0};
  char *name = bh_read_text(body), reason[512] = "";
  bh_pretended(&answer, "unknown feature");
  for (size_t i = 0; name && i < sizeof(features) / sizeof(*features); i++) {
    if (strcmp(features[i].name, name) == 0) features[i].answer(&answer);
  }
  free(name);
  explain(&answer, reason, sizeof(reason));
  bh_begin(w, BH_ANSWER);
  bh_write_u8(w, answer.ok ? 1 : 0);
  bh_write_u32(w, answer.level);
  bh_write_text(w, reason);
}
