/* What koffi finds in bulkhead.dll. Results are Win32 error codes, 0 for success, unless a function says otherwise. */
#ifndef BULKHEAD_EXPORT_H
#define BULKHEAD_EXPORT_H

#define BH_EXPORT __declspec(dllexport)

#endif
