/** What takes minutes: run before an issue is closed that asks for it, and now and then. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/slow/**/*.test.ts'], pool: 'forks', maxWorkers: 1, testTimeout: 1_800_000, hookTimeout: 60_000 }
})
