/* One per sandbox: clones it, serves it, and sees it to its end. */
#ifndef BULKHEAD_SUPERVISOR_H
#define BULKHEAD_SUPERVISOR_H

#include "channel.h"

enum bh_launch_fd { BH_FD_CHANNEL, BH_FD_DESCRIPTORS, BH_FD_STDIN, BH_FD_STDOUT, BH_FD_STDERR, BH_FD_COUNT };

/*
 * Carries out the BH_LAUNCH body. Ends every process of the sandbox before it returns, however it returns. `told` is a signalfd(2) that is
 * readable when the helper has died: the sandbox is ended then, and the user's terminal restored.
 */
void bh_supervise(struct bh_reader *body, const int fds[BH_FD_COUNT], int told);

#endif
