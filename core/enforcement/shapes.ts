import { z } from 'zod'
import { layers } from '../contracts/layer.ts'

/** What hooks may return. Plugins can come from third parties, so nothing they say is believed by its type alone. */

const line = z.string().min(1)
const tier = z.enum(['full', 'partial', 'none'])

export const availabilityShape = z.discriminatedUnion('usable', [
  z.object({ usable: z.literal(true), tier, detail: z.string() }),
  z.object({ usable: z.literal(false), reason: line, remedy: z.string(), degradable: z.boolean().exactOptional() }),
])

const claimShape = z.object({ id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'is not kebab-case'), text: line })

export const planShape = z
  .object({
    plugin: line,
    layer: z.enum(layers),
    tier,
    enforces: z.array(claimShape),
    unsupported: z.array(line),
    steps: z.array(line),
    data: z.unknown(),
  })
  .refine((plan) => new Set(plan.enforces.map(({ id }) => id)).size === plan.enforces.length, 'two claims have the same id')
  .refine((plan) => plan.tier === 'none' || plan.enforces.length > 0, 'a layer that claims nothing has tier "none"')

export const evidenceShape = z.array(z.object({ claim: line, held: z.boolean(), detail: z.string() }))

export const stepsShape = z.array(line)

export const receiptShape = z.object({ plugin: line, data: z.unknown() })

export const appliedShape = z
  .custom<object>((value) => typeof value === 'object' && value !== null, 'is not an object')
  .refine((value) => isFunction(value, 'contribute'), 'has no contribute()')
  .refine((value) => isFunction(value, 'verify'), 'has no verify()')
  .refine((value) => isFunction(value, Symbol.asyncDispose), 'has no [Symbol.asyncDispose]()')
  .refine((value) => !('provided' in value) || isTexts(value.provided), 'has a provided that is no record of texts')
  .refine((value) => !('attach' in value) || value.attach === undefined || isFunction(value, 'attach'), 'has an attach that is no function')

function isTexts(value: unknown): boolean {
  if (value === undefined) return true
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
}

function isFunction(value: object, key: string | symbol): boolean {
  return typeof (value as Record<string | symbol, unknown>)[key] === 'function'
}

/** One line that says what is wrong with a value and where in it. */
export function problems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ')
}
