/** Writes the generated pages: `npx tsx core/config/generate-docs.ts [DIRECTORY]`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedDocs } from './reference.ts'

const docs = process.argv[2] ?? fileURLToPath(new URL('../../docs', import.meta.url))
for (const [name, text] of Object.entries(generatedDocs())) writeFileSync(join(docs, name), text)
