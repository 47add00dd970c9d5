import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import avsc from 'avsc'
import { type Command, Option } from 'commander'
import type { Advice } from '../src/cli/advise.js'
import { wholeNumber } from '../src/cli/options.js'
import { questEvents } from '../src/cli/quest-events.js'
import { readSchemaFile } from '../src/serde/schema-files.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MAIN = join(ROOT, 'dist/cli/main.js')
const START = Date.UTC(2026, 10, 1)
const SIX_HOURS = 6 * 3_600_000
/** The answer has to be there within so many seconds, start included. */
const SECONDS = 10

/** Runs the built command; answers its stdout and how long it took. */
async function millrace(args: readonly string[]): Promise<{ readonly stdout: string; readonly seconds: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`millrace ${args[0]} ended with ${code}.`)
  return { stdout, seconds: Number(((performance.now() - started) / 1_000).toFixed(2)) }
}

async function writeFile(path: string, events: number): Promise<void> {
  const { schema } = readSchemaFile(join(ROOT, 'schemas/quest-event.avsc'))
  const encoder = avsc.createFileEncoder(path, avsc.Type.forSchema(schema as avsc.Schema))
  const event = questEvents({ seed: 42, start: START, spanMs: SIX_HOURS, total: events })
  for (let index = 0; index < events; index++) {
    if (!encoder.write(event(index))) await new Promise(resolve => encoder.once('drain', resolve))
  }
  await new Promise<void>(resolve => encoder.end(resolve))
}

async function advise(events: number) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-advise-'))
  try {
    const state = ['--state', join(folder, 'state')]
    await writeFile(join(folder, 'events.avro'), events)
    await millrace(['produce', 'quest-events', '--events', String(events), ...state])
    const file = await millrace(['advise', '--file', join(folder, 'events.avro'), '--json'])
    const log = await millrace(['advise', '--topic', 'quest-events', ...state, '--json'])
    const [ofFile, ofLog] = [file, log].map(({ stdout }) => JSON.parse(stdout) as Advice)
    return {
      events,
      fileSeconds: file.seconds,
      logSeconds: log.seconds,
      fileCpuSeconds: ofFile?.cpuSeconds,
      logCpuSeconds: ofLog?.cpuSeconds,
      fileBest: ofFile?.keys?.best,
      logBest: ofLog?.keys?.best,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Adds `npm run bench -- advise`. */
export function adviseCommand(program: Command, jsonFlag: () => Option): void {
  program
    .command('advise')
    .description('how long millrace advise takes, start included, for a file and for a topic of the embedded log')
    .addOption(new Option('--events <count>', 'seeded quest events').argParser(wholeNumber(1)).default(1_000_000))
    .addOption(jsonFlag())
    .action(async ({ events, json }: { readonly events: number; readonly json: boolean }) => {
      const result = await advise(events)
      if (json) console.log(JSON.stringify(result))
      else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(14)}${value}`)
      if (result.fileSeconds > SECONDS || result.logSeconds > SECONDS) process.exitCode = 1
    })
}
