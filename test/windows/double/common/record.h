/*
 * What the doubles were asked, in order, over all processes of a run, and which call must fail. Both doubles use it; it needs nothing of them.
 *
 * calls.jsonl, one line per call:
 *   {"n":12,"pid":40,"call":"FwpmFilterAdd0","in":{…},"result":"0x0"}
 * Lines of one process are in order; `n` orders all. "injected":true marks a failure that faults.conf asked for.
 *
 * faults.conf, read again before every call:
 *   run 3                          counting starts again whenever this number is another
 *   FwpmFilterAdd0 2 0x80320009    the second call of that function fails with this result, and does nothing
 */
#ifndef BD_RECORD_H
#define BD_RECORD_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS

enum { BD_RECORD_TEXT = 16384 };

typedef struct {
  const char *call;
  LONG number;
  BOOL injected;
  DWORD result; /* with injected */
  int length;
  BOOL first[8];
  int depth;
  char text[BD_RECORD_TEXT];
} bd_record;

/** Where the records go; the directory exists. */
BOOL bd_record_open(const WCHAR *directory);
/** Nothing this process does from now on is recorded or made to fail: it is no part of what is tested. */
void bd_record_nothing(void);
/** Starts a line and counts the call. TRUE in `injected`: fail with `result` instead of doing it. */
void bd_record_begin(bd_record *record, const char *call);
void bd_record_end(bd_record *record, DWORD result);

/* Members of the current object, or with name NULL elements of the current array. */
void bd_put_number(bd_record *record, const char *name, ULONGLONG value);
void bd_put_hex(bd_record *record, const char *name, ULONGLONG value);
void bd_put_bool(bd_record *record, const char *name, BOOL value);
void bd_put_text(bd_record *record, const char *name, const char *text);
/** NULL becomes null. `length` in characters, -1: up to the terminator. */
void bd_put_wide(bd_record *record, const char *name, const WCHAR *text, int length);
void bd_put_sid(bd_record *record, const char *name, const void *sid);
void bd_put_guid(bd_record *record, const char *name, const GUID *guid);
void bd_put_open(bd_record *record, const char *name, char bracket);
void bd_put_close(bd_record *record, char bracket);

#endif
