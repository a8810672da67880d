/* Frames and descriptors over unix sockets (unix(7), SCM_RIGHTS). */
#ifndef BULKHEAD_CHANNEL_H
#define BULKHEAD_CHANNEL_H

#include "wire.h"

/* Fills in the length, writes the frame to `fd` as a whole and frees it. Returns 0 or -errno. */
int bh_send(struct bh_writer *w, int fd);

/*
 * Reads one frame as a whole (blocking). Returns its payload (type byte first, to be freed) and *length; NULL with errno on failure and
 * with errno 0 at end of file. Up to `most` descriptors that came with it are put into `fds` (close-on-exec), *count says how many.
 */
uint8_t *bh_receive(int fd, size_t *length, int *fds, size_t most, size_t *count);

/* Sends bytes with descriptors on the first one. Returns 0 or -errno. */
int bh_send_fds(int fd, const void *bytes, size_t length, const int *fds, size_t count);
/* Receives up to `most` descriptors without waiting. Returns how many or -errno. */
int bh_receive_fds(int fd, int *fds, size_t most);

#endif
