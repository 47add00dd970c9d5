import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^millrace$/, replacement: at('./src/index.ts') },
      { find: /^millrace\/testing$/, replacement: at('./src/testing.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // It runs for as long as it is told, and only then.
    exclude: process.env.MILLRACE_CHAOS_MINUTES === undefined ? ['test/e2e/chaos.test.ts'] : [],
    globalSetup: ['test/services/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    pool: 'forks',
  },
})
