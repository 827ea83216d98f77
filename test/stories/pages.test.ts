/** Every ```sh test block of the README and of docs/ runs as it stands, against the built CLI, and prints what the page says it prints. The guides are longer: guides.test.ts. */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { testPage } from '../docs/page.js'

const docs = resolve(import.meta.dirname, '../../docs')
const pages = ['README.md', ...readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.md') && !f.startsWith('guides')).sort().map((f) => join('docs', f))]

for (const page of pages) testPage(page, 55)
