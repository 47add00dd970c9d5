import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { Load } from './load.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { TcpProxy } from './tcp-proxy.js'
import type { Worker } from './worker.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
/** Not part of a usual run: `MILLRACE_CHAOS_MINUTES=10 npx vitest run test/e2e/chaos.test.ts`. */
const minutes = Number(process.env.MILLRACE_CHAOS_MINUTES ?? 0)

const NAMES = ['a', 'b', 'c', 'd']
const RATE = 300
/** Longest pause between two faults, sleep of a stopped worker (the brokers' sessions last 6 s), and outage of the warehouse, in ms. */
const PAUSE = 5_000
const SLEEP = 14_000
const OUTAGE = 20_000
/** A drain waits for a flush at most so long: default of `--drain-timeout`, and what it takes to end, in ms. */
const DRAIN = 30_000

describe.skipIf(kafka === '' || postgres === '')('chaos', () => {
  it(
    `of ${minutes} minutes leaves the right cells`,
    async () => {
      const { seed, random } = seededRandom('chaos')
      const below = (bound: number) => Math.floor(random() * bound)
      const rig = await Rig.create({ kafka, postgres })
      const proxy = await TcpProxy.create(rig.database.url)
      onTestFinished(() => proxy.close())
      const load = await Load.start(rig, { seed, rate: RATE, total: Math.ceil(RATE * 60 * (minutes + 3)) })
      const running = new Map<string, Worker>()
      const asleep = new Set<Worker>()
      const counts: Record<string, number> = {}
      const unexpected: string[] = []
      const pending: Promise<void>[] = []
      let outage = false
      let outageUntil = 0
      const started = Date.now()
      const note = (fault: string, subject = '') => {
        counts[fault] = (counts[fault] ?? 0) + 1
        console.info(`${((Date.now() - started) / 1_000).toFixed(1)} s: ${fault} ${subject}`)
      }
      /** Ends are looked at as they come: what a worker was not told to do is written down. */
      const watch = (name: string, worker: Worker) => {
        worker.exited.then(({ code, signal }) => {
          const known = running.get(name) === worker
          if (known) running.delete(name)
          const last = worker.messages.slice(-3).join('\n  ')
          if (known) unexpected.push(`${name} ended by itself with ${code ?? signal}:\n  ${last}`)
          else if (last.includes('DRAIN_TIMEOUT') && Date.now() - DRAIN <= outageUntil) note('drain cut short', name)
          else if (signal !== 'SIGKILL' && code !== 0)
            unexpected.push(`${name} drained with ${code ?? signal}:\n  ${last}`)
        })
      }
      const add = async () => {
        const name = NAMES.filter(one => !running.has(one))[0]
        if (name === undefined) return
        const wiped = random() < 0.2
        if (wiped) await rm(rig.stateOf(name), { recursive: true, force: true })
        const processes = String(1 + below(2))
        note('add', `${name} with ${processes} processes${wiped ? ', without its state' : ''}`)
        const worker = rig.member(name, { warehouse: proxy.through(rig.database.url), processes })
        running.set(name, worker)
        watch(name, worker)
      }
      const some = (): [string, Worker] | undefined => {
        const awake = [...running].filter(([, worker]) => worker.running && !asleep.has(worker))
        return awake[below(awake.length)]
      }
      const faults: Record<string, (name: string, worker: Worker) => Promise<void>> = {
        async kill(name, worker) {
          running.delete(name)
          note('kill', name)
          await worker.end('SIGKILL')
        },
        async killProcess(name, worker) {
          const children = childrenOf(worker.pid)
          const child = children[below(children.length)]
          if (child === undefined) return
          note('kill a process', `of ${name}`)
          process.kill(child, 'SIGKILL')
        },
        async drain(name, worker) {
          running.delete(name)
          note('drain', name)
          pending.push(worker.end('SIGTERM').then(() => undefined))
        },
        async stop(name, worker) {
          const ms = 500 + below(SLEEP)
          note('stop', `${name} for ${ms} ms`)
          worker.signal('SIGSTOP')
          asleep.add(worker)
          pending.push(
            sleep(ms).then(() => {
              worker.signal('SIGCONT')
              asleep.delete(worker)
            }),
          )
        },
      }
      const takeWarehouse = async () => {
        if (outage) return
        outage = true
        const ms = 1_000 + below(OUTAGE)
        outageUntil = Date.now() + ms
        const hangs = random() < 0.5
        note(hangs ? 'warehouse hangs' : 'warehouse refuses', `for ${ms} ms`)
        if (hangs) proxy.hang()
        else await proxy.refuse()
        pending.push(
          sleep(ms).then(async () => {
            await proxy.restore()
            outage = false
          }),
        )
      }

      await add()
      while (Date.now() - started < minutes * 60_000) {
        await sleep(below(PAUSE))
        const kinds = Object.keys(faults)
        const kind = below(kinds.length + 4)
        const target = some()
        if (running.size < 2 || (kind > kinds.length && running.size < NAMES.length)) await add()
        else if (kind === kinds.length) await takeWarehouse()
        else if (target) await faults[kinds[kind % kinds.length] as string]?.(...target)
      }
      await Promise.all(pending)
      while (running.size < 2) await add()
      const output = () => [...running.values()].map(worker => worker.output.slice(-20_000)).join('\n')
      const total = await load.stop()
      await rig.filled(total, 180_000, output)
      const ends = []
      for (const [name, worker] of [...running]) {
        running.delete(name)
        ends.push((await worker.end('SIGTERM')).code)
      }
      const accounting = await rig.accounting()
      const comparison = compareCells(load.cells(total), await rig.database.cells())
      console.info('chaos:', { seed, counts, ends, ...comparison, ...accounting }, `\n${unexpected.join('\n')}`)
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(minutes * 5)
      expect(comparison).toMatchObject(allEqual)
      expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
      expect(unexpected).toEqual([])
    },
    (minutes + 10) * 60_000,
  )
})

/** Processes that a process started, by /proc. */
function childrenOf(parent: number): number[] {
  const numbers = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return numbers.map(Number).filter(pid => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
    } catch {
      return false
    }
  })
}
