/** One page of documentation as a test: its blocks in their order, in one shell. */
import { expect, test } from 'vitest'
import { pattern, runBlocks, shBlocks } from './sh-blocks.js'

/** Declares the test where the page has anything to run; all of it has `seconds`. */
export function testPage (page: string, seconds: number): void {
  const blocks = shBlocks(page)
  if (blocks.length === 0) return
  test(page, async () => {
    const { exit, printed, stderr } = await runBlocks(blocks, seconds)
    expect(exit, `${printed.join('\n')}\n${stderr}`).toBe(0)
    blocks.forEach((b, i) => {
      if (b.expected !== undefined) expect(printed[i], `${page}:${b.line}`).toMatch(pattern(b.expected))
    })
  }, (seconds + 5) * 1000)
}
