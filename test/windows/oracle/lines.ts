/** Cases as `double-check.exe` reads them (`test/windows/double/tools/check.c`): one line each, fields separated by tabs. */
import type { AccessCase } from './access-cases.ts'
import type { FileCase } from './file-cases.ts'
import type { InheritCase } from './inherit-cases.ts'
import { integrity, type TokenText } from './token.ts'
import type { WfpScene } from './wfp-cases.ts'

const line = (...fields: readonly (string | number)[]): string => fields.join('\t')
const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`

function tokenFields(token: TokenText): readonly string[] {
  return [
    token.user,
    (token.groups ?? []).join(','),
    (token.restricting ?? []).join(','),
    `${token.writeRestricted === true ? 'w' : ''}${token.integrity ?? integrity.medium}`,
    (token.privileges ?? []).join(','),
  ]
}

export const accessLine = ({ id, sd, token, desired, mapping }: AccessCase): string =>
  line('access', id, sd, ...tokenFields(token), hex(desired), mapping ?? 'file')

export const fileLine = ({ id, sd, parent, token, desired }: FileCase): string =>
  line('file', id, sd, parent, ...tokenFields(token), hex(desired))

export const inheritLine = ({ id, parent, kind, owner, own }: InheritCase): string => line('inherit', id, parent, kind, owner, own ?? '')

/** One scene: its filters, then its questions. */
export function wfpLines(scene: WfpScene): readonly string[] {
  return [
    'clear',
    ...scene.sublayers.map(({ name, weight }) => line('sublayer', name, weight)),
    ...scene.filters.map((filter) =>
      line(
        'filter',
        filter.layer,
        filter.sublayer,
        filter.weight ?? '-',
        filter.action,
        filter.hard === true ? 'hard' : 'soft',
        ...filter.conditions.map(({ field, match, value }) => `${field} ${match} ${value}`),
      ),
    ),
    ...scene.flows.map(({ id, flow, token }) =>
      line(
        'flow',
        id,
        flow.layer,
        ...tokenFields(token),
        flow.protocol,
        flow.localAddress,
        flow.localPort,
        flow.remoteAddress,
        flow.remotePort,
        hex(flow.flags),
      ),
    ),
  ]
}

const statuses = { granted: '0x0', denied: '0xc0000022', 'privilege-not-held': '0xc0000061' } as const

/** What the double prints for a verdict. */
export const verdictLine = (id: string, status: keyof typeof statuses, granted: number): string =>
  `${id} ${statuses[status]} ${hex(granted)}`
