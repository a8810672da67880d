#include "file.h"
NTSTATUS bd_pipe_open(const WCHAR *name, ACCESS_MASK desired) { (void)name; (void)desired; return 0; }
NTSTATUS NTAPI bd_NtCreateNamedPipeFile(HANDLE *h, ULONG a, OBJECT_ATTRIBUTES *o, IO_STATUS_BLOCK *i, ULONG b, ULONG c, ULONG d, ULONG e, ULONG f, ULONG g, ULONG j, ULONG k, ULONG l, LARGE_INTEGER *m) { return bd_real(NtCreateNamedPipeFile)(h,a,o,i,b,c,d,e,f,g,j,k,l,m); }
