import { describe, expect, it } from 'vitest'
import { LiveLine } from '../../src/cli/live-line.js'

const CLEAR = '\r\u001b[K'

function terminal(columns?: number) {
  const written: string[] = []
  return { written, stream: { columns, write: (text: string) => written.push(text) } }
}

describe('LiveLine', () => {
  it('writes its line over and over', () => {
    const { written, stream } = terminal()
    const live = new LiveLine(stream)
    live.show('one')
    live.show('two')
    expect(written).toEqual([`${CLEAR}one`, `${CLEAR}two`])
  })

  it('lets other lines go above it', () => {
    const { written, stream } = terminal()
    const live = new LiveLine(stream)
    live.write('before\n')
    live.show('live')
    live.write('log\n')
    expect(written).toEqual(['before\n', `${CLEAR}live`, `${CLEAR}log\nlive`])
  })

  it('never takes more than one line', () => {
    const { written, stream } = terminal(10)
    new LiveLine(stream).show('0123456789abc')
    expect(written).toEqual([`${CLEAR}012345678`])
  })

  it('goes away, once', () => {
    const { written, stream } = terminal()
    const live = new LiveLine(stream)
    live.show('live')
    live.clear()
    live.clear()
    live.write('after\n')
    expect(written).toEqual([`${CLEAR}live`, CLEAR, 'after\n'])
  })
})
