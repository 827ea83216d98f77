/** The guides, as a person follows them: each a whole story with dozens of commands. */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { testPage } from '../docs/page.js'

const guides = resolve(import.meta.dirname, '../../docs/guides')
for (const file of readdirSync(guides).filter((f) => f.endsWith('.md')).sort()) testPage(join('docs', 'guides', file), 300)
