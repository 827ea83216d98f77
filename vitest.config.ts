import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', 'test/stories/**', 'node_modules/**', 'dist/**'],
    pool: 'forks',
    // The default leaves one core of two idle while end-to-end tests wait for their processes.
    maxWorkers: 2,
    // A machine that does other things meanwhile mustn't fail a test: what is slow shows in the report.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000
  }
})
