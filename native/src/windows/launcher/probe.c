#include "probe.h"

#include <stdlib.h>

#include "attempt.h"
#include "bulkhead.h"
#include "channel.h"
#include "status.h"

int bh_probe_run(const wchar_t *bystander) {
  bh_status_bystander = bystander ? wcstoul(bystander, NULL, 10) : 0;
  HANDLE input = GetStdHandle(STD_INPUT_HANDLE), output = GetStdHandle(STD_OUTPUT_HANDLE);
  struct bh_writer w;
  bh_begin(&w, BH_HELD);
  if (!bh_send(&w, output)) return ERROR_BROKEN_PIPE;
  for (;;) {
    size_t length;
    uint8_t *payload = bh_receive(input, &length);
    if (!payload) return 0;
    struct bh_reader r = {payload + 1, length - 1, false};
    const bool good = payload[0] == BH_ATTEMPT && bh_try_all(&r, &w) == 0 && bh_send(&w, output);
    free(payload);
    if (!good) return ERROR_INVALID_DATA;
  }
}
