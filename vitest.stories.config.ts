/** Stories: the built CLI as people use it, from beginning to end, in real processes. Each takes dozens of commands, so they aren't in `npm test`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/stories/**/*.test.ts'], pool: 'forks', maxWorkers: 3, testTimeout: 300_000, hookTimeout: 60_000, teardownTimeout: 20_000 }
})
