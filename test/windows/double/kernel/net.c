/*
 * Sockets. Wine's winsock asks its system with control codes of its own (include/wine/afd.h of Wine 8), so this is the one part that knows Wine and
 * not Windows. The layers are those that Windows asks for the same act ("ALE Layers"): bind and every first use take a local port, connect and
 * datagrams are authorised to connect, listen to listen.
 */
/* Before windows.h, which the others include. */
#define WIN32_NO_STATUS
#include <winsock2.h>
#undef WIN32_NO_STATUS
#include <ws2ipdef.h>

#include "../wfp/wfp.h"
#include "token.h"

#include <string.h>

#define AFD_BIND 0x12003u
#define AFD_LISTEN 0x1200bu
#define AFD_CONNECT 0x12032cu
#define AFD_SENDMSG 0x120338u
#define AFD_GET_INFO 0x120368u

enum { IS_LOOPBACK = 0x1, IS_RAW = 0x10 }; /* FWP_CONDITION_FLAG_* of fwptypes.h */

typedef struct {
  int family, type, protocol;
} socket_info;

typedef struct {
  BOOL v6;
  DWORD port;
  bd_number number;
  BOOL loopback;
} address;

static BOOL read_address(const void *bytes, ULONG size, address *out) {
  const struct sockaddr_in *v4 = bytes;
  const struct sockaddr_in6 *v6 = bytes;
  memset(out, 0, sizeof(*out));
  if (size >= sizeof(*v4) && v4->sin_family == AF_INET) {
    const BYTE *part = (const BYTE *)&v4->sin_addr;
    out->port = (DWORD)(BYTE)(v4->sin_port & 0xff) << 8 | (v4->sin_port >> 8 & 0xff);
    out->number = bd_number_of((ULONGLONG)part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3], 4);
    out->loopback = part[0] == 127;
    return TRUE;
  }
  if (size < sizeof(*v6) || v6->sin6_family != AF_INET6) return FALSE;
  static const BYTE mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, one[16] = {[15] = 1};
  out->port = (DWORD)(BYTE)(v6->sin6_port & 0xff) << 8 | (v6->sin6_port >> 8 & 0xff);
  memcpy(out->number.bytes, &v6->sin6_addr, 16);
  out->v6 = TRUE;
  out->loopback = memcmp(out->number.bytes, one, 16) == 0;
  if (memcmp(out->number.bytes, mapped, 12) == 0) {
    /* An IPv4 address in IPv6's clothes travels as IPv4. */
    memset(out->number.bytes, 0, 12);
    out->v6 = FALSE;
    out->loopback = out->number.bytes[12] == 127;
  }
  return TRUE;
}

static BOOL ready(void) {
  static volatile LONG state;
  if (state == 2) return TRUE;
  if (InterlockedCompareExchange(&state, 1, 0) == 0) state = bd_wfp_open(bd_directory) ? 2 : 0;
  while (state == 1) Sleep(1);
  return state == 2;
}

/** May the caller do this? Without the state nobody may. */
static NTSTATUS ask(enum bd_layer v4_layer, const socket_info *info, const address *local, const address *remote) {
  bd_token caller;
  ULONGLONG by;
  const address *known = remote ? remote : local;
  if (!ready() || bd_token_caller(&caller)) return STATUS_ACCESS_DENIED;
  bd_flow flow = {.layer = v4_layer + (known->v6 ? 1 : 0), .token = &caller};
  flow.protocol = (DWORD)(info->type == SOCK_STREAM ? IPPROTO_TCP : info->type == SOCK_DGRAM ? IPPROTO_UDP : info->protocol);
  flow.flags = (info->type == SOCK_RAW ? IS_RAW : 0) | (remote && remote->loopback ? IS_LOOPBACK : 0);
  if (local) {
    flow.local = local->number;
    flow.local_port = local->port;
  }
  if (remote) {
    flow.remote = remote->number;
    flow.remote_port = remote->port;
  }
  bd_wfp_lock();
  bd_wfp_purge();
  BOOL block = bd_wfp_blocks(&bd_wfp_shared->live, &flow, &by);
  bd_wfp_unlock();
  return block ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/** A first use takes a local port, then the far end is asked for. */
static NTSTATUS ask_remote(const socket_info *info, const address *remote) {
  address any = {.v6 = remote->v6};
  NTSTATUS status = ask(BD_ASSIGN_V4, info, &any, NULL);
  return status ? status : ask(BD_CONNECT_V4, info, NULL, remote);
}

static BOOL info_of(HANDLE socket, socket_info *info) {
  IO_STATUS_BLOCK io;
  return bd_real(NtDeviceIoControlFile)(socket, NULL, NULL, NULL, &io, AFD_GET_INFO, NULL, 0, info, sizeof(*info)) == STATUS_SUCCESS;
}

static NTSTATUS check(HANDLE socket, ULONG code, const void *input, ULONG size) {
  struct {
    ULONGLONG address;
    unsigned length;
  } message;
  socket_info info;
  address one, any;
  if (!info_of(socket, &info)) return STATUS_SUCCESS;
  memset(&any, 0, sizeof(any));
  any.v6 = info.family == AF_INET6;
  switch (code) {
    case AFD_BIND: return size > 4 && read_address((const BYTE *)input + 4, size - 4, &one) ? ask(BD_ASSIGN_V4, &info, &one, NULL) : STATUS_SUCCESS;
    case AFD_LISTEN: return ask(BD_LISTEN_V4, &info, &any, NULL);
    case AFD_CONNECT: return size > 8 && read_address((const BYTE *)input + 8, size - 8, &one) ? ask_remote(&info, &one) : STATUS_SUCCESS;
    default:
      if (size < sizeof(message)) return STATUS_SUCCESS;
      memcpy(&message, input, sizeof(message));
      if (!message.address || !read_address((const void *)(ULONG_PTR)message.address, message.length, &one)) return STATUS_SUCCESS;
      return ask_remote(&info, &one);
  }
}

NTSTATUS NTAPI bd_NtDeviceIoControlFile(HANDLE handle, HANDLE event, void *apc, void *context, IO_STATUS_BLOCK *io, ULONG code, void *input,
                                        ULONG input_size, void *output, ULONG output_size) {
  BOOL ours = code == AFD_BIND || code == AFD_LISTEN || code == AFD_CONNECT || code == AFD_SENDMSG;
  if (!ours || bd_inside() || !bd_shared->enforce) {
    return bd_real(NtDeviceIoControlFile)(handle, event, apc, context, io, code, input, input_size, output, output_size);
  }
  bd_frame frame = bd_enter();
  NTSTATUS status = check(handle, code, input, input_size);
  bd_leave(frame);
  if (status) return status;
  return bd_real(NtDeviceIoControlFile)(handle, event, apc, context, io, code, input, input_size, output, output_size);
}
