/* The double's filtering platform: objects as plain values, shared by all processes of a run, and how they decide. */
#ifndef BD_WFP_H
#define BD_WFP_H

#include "../kernel/model.h"

#include <fwpmu.h>

/* fwpmtypes.h of the Windows SDK; mingw's has the structures only. */
#define FWPM_SESSION_FLAG_DYNAMIC 0x00000001
#define FWPM_TXN_READ_ONLY 0x00000001
#define FWPM_PROVIDER_FLAG_PERSISTENT 0x00000001
#define FWPM_SUBLAYER_FLAG_PERSISTENT 0x00000001
#define FWPM_FILTER_FLAG_PERSISTENT 0x00000001
#define FWPM_FILTER_FLAG_BOOTTIME 0x00000002
#define FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT 0x00000008

enum { BD_WFP_SESSIONS = 128, BD_WFP_PROVIDERS = 64, BD_WFP_SUBLAYERS = 64, BD_WFP_FILTERS = 384, BD_WFP_CONDITIONS = 12, BD_WFP_SD = 1200 };
#define BD_WFP_MAGIC 0x31504657u

/** The layers that a connection passes. */
enum bd_layer { BD_CONNECT_V4, BD_CONNECT_V6, BD_ACCEPT_V4, BD_ACCEPT_V6, BD_LISTEN_V4, BD_LISTEN_V6, BD_ASSIGN_V4, BD_ASSIGN_V6, BD_LAYERS };
enum bd_field { BD_USER, BD_APP, BD_PROTOCOL, BD_LOCAL_ADDRESS, BD_LOCAL_PORT, BD_REMOTE_ADDRESS, BD_REMOTE_PORT, BD_FLAGS, BD_FIELDS };

/** Values of up to 16 bytes are kept as numbers in network order, so that addresses of both families compare the same way. */
typedef struct {
  BYTE bytes[16];
} bd_number;

typedef struct {
  BYTE field;   /* enum bd_field */
  BYTE match;   /* FWP_MATCH_TYPE */
  BYTE masked;  /* equal under `high` as a mask */
  BYTE type;    /* FWP_DATA_TYPE it was given as */
  bd_number low, high; /* value, or the ends of a range, or value and mask */
} bd_condition;

typedef struct {
  DWORD used, session; /* session: index + 1 of the dynamic session it lives in, 0: it stays */
  GUID key, provider, layer_key, sublayer;
  ULONGLONG id, weight;
  DWORD layer, action, flags, condition_count;
  BOOL has_provider;
  WCHAR name[64];
  bd_condition conditions[BD_WFP_CONDITIONS];
  BYTE sd[BD_WFP_SD]; /* self-relative; of the user condition */
} bd_filter;

typedef struct {
  DWORD used, session;
  GUID key, provider;
  BOOL has_provider;
  WORD weight;
  WCHAR name[64];
} bd_sublayer;

typedef struct {
  DWORD used, session;
  GUID key;
  WCHAR name[64];
} bd_provider;

typedef struct {
  bd_provider providers[BD_WFP_PROVIDERS];
  bd_sublayer sublayers[BD_WFP_SUBLAYERS];
  bd_filter filters[BD_WFP_FILTERS];
} bd_objects;

typedef struct {
  DWORD pid; /* 0: free */
  DWORD flags;
  DWORD serial;
  DWORD unused;
} bd_session;

typedef struct {
  DWORD magic, size;
  volatile LONG64 lock;
  ULONGLONG next_filter;
  DWORD next_serial;
  DWORD transaction; /* session index + 1 that has a write transaction open */
  bd_session sessions[BD_WFP_SESSIONS];
  bd_sd access; /* of the engine */
  bd_objects live, staged;
} bd_wfp;

/** One question: may this go through? Unknown values of fields that the layer has not are zero. */
typedef struct {
  enum bd_layer layer;
  const bd_token *token;
  DWORD protocol, local_port, remote_port, flags;
  bd_number local, remote;
} bd_flow;

extern const GUID bd_layer_keys[BD_LAYERS], bd_field_keys[BD_FIELDS];
extern const GENERIC_MAPPING bd_map_engine;

/* evaluate.c: pure */
/** Which fields a layer knows, one bit each. */
DWORD bd_layer_fields(enum bd_layer layer);
/** TRUE: block. `by`: the filter that decided, 0 when none did. */
BOOL bd_wfp_blocks(const bd_objects *objects, const bd_flow *flow, ULONGLONG *by);
bd_number bd_number_of(ULONGLONG value, int bytes);

/* store.c */
extern bd_wfp *bd_wfp_shared;
/** Maps wfp.dat in that directory, and makes it when it is not there. */
BOOL bd_wfp_open(const WCHAR *directory);
void bd_wfp_lock(void);
void bd_wfp_unlock(void);
/** Drops what dead sessions left. Under the lock. */
void bd_wfp_purge(void);
void bd_wfp_end_session(DWORD index);

#endif
