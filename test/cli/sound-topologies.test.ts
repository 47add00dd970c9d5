import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { soundTopologies } from '../../src/cli/sound-topologies.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const QUEST_MINUTE = at('../../topologies/quest-minute.ts')

describe('soundTopologies', () => {
  it('names the problems of all files', async () => {
    const files = ['missing-window', 'unknown-column', 'duplicate-name'].map(name => at(`broken/${name}.ts`))
    const message = await soundTopologies([...files, QUEST_MINUTE]).then(
      () => '',
      (thrown: Error) => thrown.message,
    )
    for (const file of files) expect(message).toContain(file.slice(file.lastIndexOf('/')))
    expect(message).toMatch(/is not sound/)
    expect(message).not.toContain('quest-minute.ts')
  })

  it('refuses one topology name in two files, and takes one file once', async () => {
    const copy = at('../../topologies/../topologies/quest-minute.ts')
    expect((await soundTopologies([QUEST_MINUTE, copy])).map(({ name }) => name)).toEqual(['quest-minute'])
    await expect(soundTopologies([QUEST_MINUTE, at('topologies/quest-minute-again.ts')])).rejects.toThrow(
      /quest-minute\.ts and .*quest-minute-again\.ts both have a topology "quest-minute"/,
    )
  })
})
