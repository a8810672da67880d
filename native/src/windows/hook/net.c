#include "afd.h"
#include "hooks.h"

static NTSTATUS(NTAPI *real_control)(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *, ULONG);

struct control {
  HANDLE file, event;
  void *routine, *context;
  IO_STATUS_BLOCK *io;
  ULONG code;
  void *input;
  ULONG length;
  void *output;
  ULONG output_length;
};

static NTSTATUS carry_out(const struct control *c) {
  return real_control(c->file, c->event, c->routine, c->context, c->io, c->code, c->input, c->length, c->output, c->output_length);
}

/* Bytes of an address that are looked at: the longest there is, and the older form's head. */
#define ADDRESS (BH_ADDRESS_MAX + 8)

/* The address of the call in `address`, and where it begins there; its length or 0. */
static size_t read_address(const struct control *c, const struct bh_afd *afd, const uint8_t *head, uint8_t *address, size_t *at) {
  size_t length = afd->length < ADDRESS ? afd->length : ADDRESS;
  *at = 0;
  if (!afd->indirect) {
    memcpy(address, head + afd->at, length);
    return length;
  }
  const void *from = (const void *)(uintptr_t)afd->pointer;
  if (!bh_copy_in(address, from, length)) {
    length = 16; /* the shorter kind, at the end of what is mapped */
    if (c->length < length || !bh_copy_in(address, from, length)) return 0;
  }
  *at = bh_afd_transport(address, length);
  return length;
}

/* The whole call once more, with another address in it. */
static NTSTATUS elsewhere(struct bh_room *room, struct control *c, const struct bh_afd *afd, uint8_t *address, size_t length,
                          struct bh_text16 target, size_t at) {
  uint8_t *own = (uint8_t *)room->copy;
  if (!bh_address_replace(target, address + at, length - at)) return BH_ACCESS_DENIED;
  if (c->length > sizeof(room->copy) || !bh_copy_in(own, c->input, c->length)) return BH_ACCESS_DENIED;
  if (!afd->indirect) {
    memcpy(own + afd->at, address, length < c->length - afd->at ? length : c->length - afd->at);
  } else {
    for (size_t i = 0; i + sizeof(afd->pointer) <= c->length; i += sizeof(afd->pointer)) {
      uint64_t found;
      memcpy(&found, own + i, sizeof(found));
      const uint64_t ours = (uint64_t)(uintptr_t)address;
      if (found == afd->pointer) memcpy(own + i, &ours, sizeof(ours));
    }
  }
  c->input = own;
  return carry_out(c);
}

static NTSTATUS control_in(struct bh_room *room, struct control *c) {
  uint8_t head[BH_AFD_HEAD];
  uint8_t address[ADDRESS];
  struct bh_afd afd;
  size_t at;
  const size_t seen = c->length < sizeof(head) ? c->length : sizeof(head);
  if (!bh_copy_in(head, c->input, seen) || !bh_afd_read(c->code, head, seen, &afd) || !bh_watched(afd.act)) return carry_out(c);
  const size_t length = read_address(c, &afd, head, address, &at);
  const long text = length <= at ? -1 : bh_address_text(address + at, length - at, room->named);
  if (text < 0) return carry_out(c); /* no address of a network that rules speak of */
  const struct bh_text16 name = {room->named, (uint32_t)text};
  const struct bh_object object = {.named = name, .real = name};
  const struct bh_said said = bh_judge(room, afd.act, &object);
  if (said.say == BH_REDIRECT) return elsewhere(room, c, &afd, address, length, said.target, at);
  return said.say == BH_PASS ? carry_out(c) : said.say == BH_EMULATE ? BH_ACCESS_DENIED : bh_status_of(said.say);
}

static NTSTATUS NTAPI hook_control(HANDLE file, HANDLE event, void *routine, void *context, IO_STATUS_BLOCK *io, ULONG code, void *input,
                                   ULONG length, void *output, ULONG output_length) {
  struct control control = {file, event, routine, context, io, code, input, length, output, output_length};
  if (!bh_afd_is_watched(code) || !bh_enter()) return carry_out(&control);
  struct bh_room *room = bh_room_take();
  const NTSTATUS status = room == NULL ? BH_NO_MEMORY : control_in(room, &control);
  if (room != NULL) bh_room_give(room);
  bh_leave();
  return status;
}

const struct bh_stub bh_net_stubs[] = {
    {"NtDeviceIoControlFile", (void *)hook_control, (void **)&real_control, BH_BIT(BH_HOOK_NET_CONNECT) | BH_BIT(BH_HOOK_NET_BIND), false},
};
const size_t bh_net_stub_count = sizeof(bh_net_stubs) / sizeof(bh_net_stubs[0]);
