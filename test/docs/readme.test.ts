/** Every ```sh test block of the README and of docs/ runs as it stands, against the built CLI, and prints what the page says it prints. */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { pattern, runBlocks, shBlocks } from './sh-blocks.js'

const docs = resolve(import.meta.dirname, '../../docs')
const pages = ['README.md', ...readdirSync(docs).filter((f) => f.endsWith('.md')).map((f) => join('docs', f))]

for (const page of pages) {
  const blocks = shBlocks(page)
  if (blocks.length === 0) continue
  test(page, async () => {
    const { exit, printed, stderr } = await runBlocks(blocks, 55)
    expect(exit, `${printed.join('\n')}\n${stderr}`).toBe(0)
    blocks.forEach((b, i) => {
      if (b.expected !== undefined) expect(printed[i], `${page}:${b.line}`).toMatch(pattern(b.expected))
    })
  }, 60_000)
}
