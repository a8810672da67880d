import koffi from 'koffi'

const fwp = koffi.load('fwpuclnt.dll')
const winNt = 10

/** How many network filters there are on this machine. */
export function filterCount(): number {
  const [engine, handle, entries, count]: [unknown][] = [[null], [null], [null], [null]]
  const call = (declaration: string, ...values: unknown[]): void => {
    const error: unknown = fwp.func(declaration)(...values)
    if (error !== 0) throw new Error(`${declaration}: ${String(error)}`)
  }
  call(
    'uint32 FwpmEngineOpen0(str16 server, uint32 service, void *identity, void *session, _Out_ void **engine)',
    null,
    winNt,
    null,
    null,
    engine,
  )
  call('uint32 FwpmFilterCreateEnumHandle0(void *engine, void *template, _Out_ void **handle)', engine?.[0], null, handle)
  call(
    'uint32 FwpmFilterEnum0(void *engine, void *handle, uint32 wanted, _Out_ void **entries, _Out_ uint32 *count)',
    engine?.[0],
    handle?.[0],
    1000,
    entries,
    count,
  )
  call('uint32 FwpmFilterDestroyEnumHandle0(void *engine, void *handle)', engine?.[0], handle?.[0])
  call('uint32 FwpmEngineClose0(void *engine)', engine?.[0])
  return Number(count?.[0])
}
