// Stands in for bcryptprimitives.dll of Windows 10, which Wine 8 does not have: Rust's standard library takes random
// bytes from it.

#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID to, ULONG length); // RtlGenRandom

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T length) {
  while (length > 0) {
    ULONG part = length > 0x10000000 ? 0x10000000 : (ULONG)length;
    if (!SystemFunction036(to, part)) return FALSE;
    to += part;
    length -= part;
  }
  return TRUE;
}
