#include <windows.h>

int wmain(int count, wchar_t **arguments);

int wmain(int count, wchar_t **arguments) {
  (void)count;
  (void)arguments;
  return ERROR_CALL_NOT_IMPLEMENTED;
}
