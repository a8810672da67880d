/* Prints how many pipes this process has a handle to. It opens none itself. */
#include <stdio.h>
#include <windows.h>

int wmain(void) {
  int pipes = 0;
  for (ULONG_PTR handle = 4; handle < 4096; handle += 4) pipes += GetFileType((HANDLE)handle) == FILE_TYPE_PIPE;
  printf("%d pipes\n", pipes);
  return 0;
}
