#include "afd.h"

#include "../text16.h"

/* Windows: _AFD_CONTROL_CODE(request, method) = 0x12000 | request << 2 | method. */
#define BIND 0x12003u
#define CONNECT 0x12007u
#define SEND_DATAGRAM 0x12023u
#define JOIN_LEAF 0x120BBu
#define SUPER_CONNECT 0x120C7u
#define SEND_MESSAGE 0x120D3u
/* Wine: CTL_CODE(FILE_DEVICE_NETWORK, function, METHOD_BUFFERED, FILE_ANY_ACCESS). */
#define WINE_CONNECT 0x12032Cu
#define WINE_SENDMSG 0x120338u

#define FAMILY_LOCAL 1
#define FAMILY_INET 2
#define FAMILY_INET6 23
#define INET6_LENGTH 28

bool bh_afd_is_watched(uint32_t code) {
  switch (code) {
    case BIND:
    case CONNECT:
    case SEND_DATAGRAM:
    case JOIN_LEAF:
    case SUPER_CONNECT:
    case SEND_MESSAGE:
    case WINE_CONNECT:
    case WINE_SENDMSG: return true;
    default: return false;
  }
}

static uint64_t number(const uint8_t *at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

static bool is_family(const uint8_t *at) {
  const uint64_t family = number(at, 2);
  return family == FAMILY_LOCAL || family == FAMILY_INET || family == FAMILY_INET6;
}

/*
 * TRANSPORT_ADDRESS (tdi.h), the older form: u32 count, u16 length, then what looks like a socket address. A count of one in front of a
 * length that fits its family; a local address cannot begin like this, because its path would be empty.
 */
static bool is_transport(const uint8_t *input, size_t length, size_t at) {
  if (length < at + 8 || number(input + at, 4) != 1 || !is_family(input + at + 6)) return false;
  const uint64_t body = number(input + at + 4, 2);
  const uint64_t family = number(input + at + 6, 2);
  return family == FAMILY_INET ? body >= 14 && body <= 32 : family == FAMILY_INET6 ? body >= 22 && body <= 32 : body <= 128;
}

static bool inside(struct bh_afd *afd, uint8_t act, const uint8_t *input, size_t length, size_t modern, size_t transport) {
  size_t at = modern;
  if (is_transport(input, length, transport)) {
    at = transport + 6;
  } else if (length < modern + 2 || !is_family(input + modern)) {
    return false;
  }
  *afd = (struct bh_afd){.act = act, .at = at, .length = length - at};
  return true;
}

static bool outside(struct bh_afd *afd, const uint8_t *input, size_t length, size_t pointer_at, size_t length_at) {
  if (length < pointer_at + 8 || length < length_at + 4) return false;
  *afd = (struct bh_afd){.act = BH_HOOK_NET_CONNECT, .indirect = true};
  afd->pointer = number(input + pointer_at, 8);
  afd->length = (size_t)number(input + length_at, 4);
  return afd->pointer != 0 && afd->length >= 2;
}

bool bh_afd_read(uint32_t code, const uint8_t *input, size_t length, struct bh_afd *afd) {
  switch (code) {
    /* ULONG ShareAccess; address. Wine's is the same. */
    case BIND: return inside(afd, BH_HOOK_NET_BIND, input, length, 4, 4);
    /* BOOLEAN SanActive; HANDLE RootEndpoint, ConnectEndpoint; address. */
    case CONNECT:
    case JOIN_LEAF: return inside(afd, BH_HOOK_NET_CONNECT, input, length, 24, 24);
    /* BOOLEAN SanActive; address, aligned to 2 or (TRANSPORT_ADDRESS) to 4. */
    case SUPER_CONNECT: return inside(afd, BH_HOOK_NET_CONNECT, input, length, 2, 4);
    /* buffers, count, flags, flags (24 bytes); TDI_REQUEST_SEND_DATAGRAM (handle, two pointers, pointer: 40); TDI_CONNECTION_INFORMATION. */
    case SEND_DATAGRAM: return outside(afd, input, length, 104, 96);
    /* buffers, count, flags, flags (24 bytes, with padding), then the address's pointer and a pointer to its length: the length is not
     * here, so the shortest address that says everything is read. */
    case SEND_MESSAGE:
      if (length < 40) return false;
      *afd = (struct bh_afd){.act = BH_HOOK_NET_CONNECT, .indirect = true, .length = INET6_LENGTH};
      afd->pointer = number(input + 24, 8);
      return afd->pointer != 0;
    /* int address length, int synchronous; address; data. */
    case WINE_CONNECT: {
      if (!inside(afd, BH_HOOK_NET_CONNECT, input, length, 8, length)) return false;
      const uint64_t said = number(input, 4);
      if (said < afd->length) afd->length = (size_t)said;
      return true;
    }
    /* u64 address pointer, u32 address length. */
    case WINE_SENDMSG: return outside(afd, input, length, 0, 8);
    default: return false;
  }
}

struct text {
  uint16_t *units;
  size_t length;
};

static void put(struct text *text, char unit) { text->units[text->length++] = (uint8_t)unit; }

static void put_number(struct text *text, unsigned value, unsigned base) {
  char digits[8];
  size_t count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  while (count > 0) put(text, digits[--count]);
}

static unsigned big16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static void put_inet(struct text *text, const uint8_t *address) {
  for (size_t i = 0; i < 4; i++) {
    if (i > 0) put(text, '.');
    put_number(text, address[i], 10);
  }
}

/* RFC 5952: the longest run of two or more zero groups is `::`, the first of equals. */
static void put_inet6(struct text *text, const uint8_t *address) {
  size_t best = 8, best_length = 1;
  for (size_t i = 0; i < 8; i++) {
    size_t run = 0;
    while (i + run < 8 && big16(address + (i + run) * 2) == 0) run++;
    if (run > best_length) {
      best = i;
      best_length = run;
    }
  }
  for (size_t i = 0; i < 8; i++) {
    if (i == best) {
      put(text, ':');
      put(text, ':');
      i += best_length - 1;
      continue;
    }
    if (i > 0 && i != best + best_length) put(text, ':');
    put_number(text, big16(address + i * 2), 16);
  }
}

static bool is_mapped(const uint8_t *address) {
  for (size_t i = 0; i < 10; i++) {
    if (address[i] != 0) return false;
  }
  return address[10] == 0xff && address[11] == 0xff;
}

long bh_address_text(const uint8_t *address, size_t length, uint16_t *into) {
  struct text text = {into, 0};
  if (length < 2) return -1;
  const uint64_t family = number(address, 2);
  if (family == FAMILY_LOCAL) {
    size_t end = 2;
    while (end < length && end < 110 && address[end] != 0) end++;
    const long path = bh_utf16_from_utf8((const char *)address + 2, end - 2, into, BH_ADDRESS_MAX);
    return path > 0 ? path : -1;
  }
  if (family == FAMILY_INET && length >= 8) {
    put_inet(&text, address + 4);
  } else if (family == FAMILY_INET6 && length >= 24 && is_mapped(address + 8)) {
    put_inet(&text, address + 20);
  } else if (family == FAMILY_INET6 && length >= 24) {
    put(&text, '[');
    put_inet6(&text, address + 8);
    put(&text, ']');
  } else {
    return -1;
  }
  put(&text, ':');
  put_number(&text, big16(address + 2), 10);
  return (long)text.length;
}

struct parser {
  struct bh_text16 text;
  uint32_t at;
};

static bool accept(struct parser *p, char unit) {
  if (p->at >= p->text.length || p->text.units[p->at] != (uint8_t)unit) return false;
  p->at++;
  return true;
}

static bool parse_number(struct parser *p, unsigned base, unsigned most, unsigned *value) {
  const uint32_t start = p->at;
  *value = 0;
  while (p->at < p->text.length) {
    const uint16_t unit = p->text.units[p->at];
    const unsigned digit = unit >= '0' && unit <= '9' ? unit - (unsigned)'0' : (unit | 32) >= 'a' && (unit | 32) <= 'f' ? (unit | 32) - 'a' + 10u : 99;
    if (digit >= base) break;
    *value = *value * base + digit;
    if (*value > most) return false;
    p->at++;
  }
  return p->at > start;
}

static bool parse_inet(struct parser *p, uint8_t *address) {
  for (size_t i = 0; i < 4; i++) {
    unsigned value;
    if ((i > 0 && !accept(p, '.')) || !parse_number(p, 10, 255, &value)) return false;
    address[i] = (uint8_t)value;
  }
  return true;
}

static bool parse_inet6(struct parser *p, uint8_t *address) {
  unsigned groups[8];
  size_t count = 0, gap = 8;
  if (accept(p, ':')) {
    if (!accept(p, ':')) return false;
    gap = 0;
  }
  while (count < 8 && parse_number(p, 16, 0xffff, &groups[count])) {
    count++;
    if (!accept(p, ':')) break;
    if (accept(p, ':')) {
      if (gap < 8) return false;
      gap = count;
    }
  }
  if (gap == 8 ? count != 8 : count == 8) return false;
  for (size_t i = 0; i < 16; i++) address[i] = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t to = i < gap ? i : 8 - count + i;
    address[to * 2] = (uint8_t)(groups[i] >> 8);
    address[to * 2 + 1] = (uint8_t)groups[i];
  }
  return true;
}

bool bh_address_replace(struct bh_text16 target, uint8_t *address, size_t length) {
  struct parser p = {target, 0};
  uint8_t body[16] = {0};
  unsigned port;
  const bool long_form = accept(&p, '[');
  if (long_form ? !parse_inet6(&p, body) || !accept(&p, ']') : !parse_inet(&p, body)) return false;
  if (!accept(&p, ':') || !parse_number(&p, 10, 65535, &port) || p.at != target.length) return false;
  const uint64_t family = length < 8 ? 0 : number(address, 2);
  if (family == FAMILY_INET && !long_form) {
    for (size_t i = 0; i < 4; i++) address[4 + i] = body[i];
  } else if (family == FAMILY_INET6 && length >= 24) {
    for (size_t i = 0; i < 16; i++) address[8 + i] = long_form ? body[i] : i < 10 ? 0 : i < 12 ? 0xff : body[i - 12];
  } else {
    return false;
  }
  address[2] = (uint8_t)(port >> 8);
  address[3] = (uint8_t)port;
  return true;
}

size_t bh_afd_transport(const uint8_t *address, size_t length) { return is_transport(address, length, 0) ? 6 : 0; }
