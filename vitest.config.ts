import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', 'test/stories/**', 'node_modules/**', 'dist/**'],
    pool: 'forks',
    // On two cores: those that wait for processes and clocks leave room for a third.
    maxWorkers: 3,
    // A machine that does other things meanwhile mustn't fail a test: what is slow shows in the report.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000
  }
})
