import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../docs/markdown.js'
import { hadolint, lintToolsAvailable } from './lint-tools.js'
import { missing } from './missing.js'

it.skipIf(missing('hadolint', lintToolsAvailable()))(
  'the Dockerfile is as hadolint wants it',
  async () => {
    expect(await hadolint(join(ROOT, 'Dockerfile'))).toBe('')
  },
  300_000,
)
