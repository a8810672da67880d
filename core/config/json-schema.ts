import { z } from 'zod'
import { configurationSchema } from './schema.ts'

/** The part of JSON Schema that zod writes for our schemas. */
export interface JsonSchema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly (string | number)[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly propertyNames?: JsonSchema
  readonly additionalProperties?: JsonSchema | boolean
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

/** The schema of what people write, before defaults and units are resolved. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
    // zod drops the examples of whatever is transformed somewhere inside; ours are all of the written form.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema as unknown as z.ZodType)?.examples
      if (examples !== undefined) jsonSchema.examples = examples as unknown[]
    },
  }) as JsonSchema
}

/** What `docs/bulkhead.schema.json` holds and editors complete from. */
export function configurationJsonSchema(): object {
  return { ...toJsonSchema(configurationSchema), title: 'bulkhead.yaml' }
}

/** The schema of the value at `path`; undefined where anything may stand. */
export function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  let node: JsonSchema | undefined = schema
  for (const key of path) {
    const options: readonly JsonSchema[] = node === undefined ? [] : [node, ...(node.anyOf ?? [])]
    node = options.map((option) => child(option, key)).find((found) => found !== undefined)
  }
  return node
}

function child(schema: JsonSchema, key: PropertyKey): JsonSchema | undefined {
  if (typeof key === 'number') return schema.items
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[String(key)]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}
