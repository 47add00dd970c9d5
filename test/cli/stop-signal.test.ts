import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const MODULE = fileURLToPath(new URL('../../dist/cli/stop-signal.js', import.meta.url))

/** Runs `script` with a stop signal at hand in a process of its own, and signals it once it says "ready". */
async function ended(script: string, ...signals: NodeJS.Signals[]): Promise<{ code: number | null; said: string }> {
  const source = `
    import { stopSignal } from ${JSON.stringify(MODULE)}
    const stop = stopSignal(signal => console.log('told ' + signal))
    const alive = setInterval(() => undefined, 1_000)
    ${script}
    console.log('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source])
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said.includes('ready') === false && text.includes('ready')) for (const signal of signals) child.kill(signal)
    said += text
  })
  return new Promise(resolve => child.on('close', code => resolve({ code, said })))
}

const ENDS = `stop.signal.addEventListener('abort', () => { stop.dispose(); clearInterval(alive); console.log('ended') })`

describe('stopSignal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s aborts', async signal => {
    const { code, said } = await ended(ENDS, signal)
    expect(code).toBe(0)
    expect(said).toBe(`ready\nended\ntold ${signal}\n`)
  })

  it('a second one ends the process', async () => {
    expect(await ended('', 'SIGTERM', 'SIGINT')).toMatchObject({ code: 130 })
  })

  it.each([
    ['a rejection', `Promise.reject(new Error('lost'))`, 'lost'],
    ['an exception', `setImmediate(() => { throw new Error('thrown') })`, 'thrown'],
    ['what is no error', `Promise.reject('text')`, 'Something was thrown that is no error: text'],
  ])('%s that nobody handles is a failure', async (_, script, message) => {
    const { code, said } = await ended(`
      stop.failure.catch(thrown => { console.log(thrown.message); process.exit(1) })
      ${script}`)
    expect(code).toBe(1)
    expect(said).toContain(message)
  })

  it('listens no longer once it is disposed', async () => {
    expect(await ended('stop.dispose()', 'SIGTERM')).toMatchObject({ code: null })
  })
})
