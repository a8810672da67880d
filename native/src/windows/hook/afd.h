/*
 * What a socket is about to do, out of the device control that carries it: Windows' own codes and layouts (System Informer's ntafd.h), and
 * those of Wine (include/wine/afd.h). Windows' are verified with made-up buffers only. Plain C without an operating system.
 */
#ifndef BULKHEAD_HOOK_AFD_H
#define BULKHEAD_HOOK_AFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../hook-policy.h"

/* True for codes that connect, bind or send to an address: only those are worth copying the input for. */
bool bh_afd_is_watched(uint32_t code);

struct bh_afd {
  uint8_t act; /* BH_HOOK_NET_CONNECT or BH_HOOK_NET_BIND */
  bool indirect; /* the address is not in the input: `pointer` and `length` say where the caller has it */
  size_t at; /* where the address begins in the input */
  size_t length; /* bytes of the address, bounded by the input */
  uint64_t pointer;
};

/* Bytes of the longest input that is looked at; what follows is data to be sent along. */
#define BH_AFD_HEAD 256u

/* Reads the first bytes (at most BH_AFD_HEAD) of an input. False: no address in it (a datagram on a connected socket, a malformed input). */
bool bh_afd_read(uint32_t code, const uint8_t *input, size_t length, struct bh_afd *afd);

/* How many bytes stand before the address proper where the caller has it (`indirect`): 6 in the older form, otherwise none. */
size_t bh_afd_transport(const uint8_t *address, size_t length);

/* Units of the longest text of an address: the path of a local socket. */
#define BH_ADDRESS_MAX 128u

/*
 * `127.0.0.1:80`, `[::1]:443`, or the path of a local socket as it was given. An IPv4 address in IPv6 clothing is the IPv4 address. Returns
 * the length in `into` (BH_ADDRESS_MAX units), or -1 for an address of another family or a cut one.
 */
long bh_address_text(const uint8_t *address, size_t length, uint16_t *into);

/*
 * Writes `127.0.0.1:80` or `[::1]:443` as the body of an address of the same family as `address` (IPv4 into IPv6 is mapped). False when it
 * is none, or is an IPv6 address where only an IPv4 one has room.
 */
bool bh_address_replace(struct bh_text16 target, uint8_t *address, size_t length);

#endif
