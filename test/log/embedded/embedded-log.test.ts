import { embeddedLog } from '../../../src/log/embedded/embedded-log.js'
import { memoryEngine } from '../../../src/state/memory/memory-engine.js'
import { logContract } from '../log-contract.js'
import { systemClock } from './clocks.js'

logContract('embedded, in memory', async () => {
  const engine = memoryEngine()
  return {
    open: async () => embeddedLog({ store: await engine.open('log'), clock: systemClock }),
    close: async () => undefined,
  }
})
