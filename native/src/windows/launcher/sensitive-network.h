/* What a network wall must refuse besides connecting. Results as of `bh_sensitive`; there is nothing to say besides the name. */
#ifndef BULKHEAD_SENSITIVE_NETWORK_H
#define BULKHEAD_SENSITIVE_NETWORK_H

#include <stdint.h>

/* Listens on a free port of the loopback, and stops at once. */
uint32_t bh_try_listen_v4(const char *unused);
uint32_t bh_try_listen_v6(const char *unused);

/* One empty datagram to the discard port of an address that is nobody's (RFC 5737, RFC 3849). */
uint32_t bh_try_datagram_v4(const char *unused);
uint32_t bh_try_datagram_v6(const char *unused);

#endif
