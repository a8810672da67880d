/* What this system really does, found out by doing it in a throwaway way (never from version numbers). Answers BH_PROBE. */
#ifndef BULKHEAD_FEATURE_H
#define BULKHEAD_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "wire.h"

struct bh_answer {
  bool ok;
  uint32_t level; /* version or kind where there is one */
  struct bh_fault fault; /* why not; code 0: the system said yes and did not do it */
};

/* Answers a BH_PROBE body with a BH_ANSWER frame in `w`. */
void bh_feature_answer(struct bh_reader *body, struct bh_writer *w);

/* Each tries one feature and leaves nothing behind. */
void bh_feature_restricted_token(struct bh_answer *answer);
void bh_feature_job_object(struct bh_answer *answer);
void bh_feature_file_security(struct bh_answer *answer);
void bh_feature_hook(struct bh_answer *answer);
void bh_feature_filtering_platform(struct bh_answer *answer);
void bh_feature_elevation(struct bh_answer *answer);

/* The system accepted a call and did nothing of it. Always returns -1. */
int bh_pretended(struct bh_answer *answer, const char *what);

#endif
