import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a program loaded. */
export interface Loaded {
  /** Names of npm packages that were imported by `import` or `import()`. */
  readonly packages: ReadonlySet<string>
  /** Native modules (`.node` files). */
  readonly native: readonly string[]
}

/** A module hook that appends the URL of everything imported to the file that it is given. */
const HOOK = `
import { appendFileSync } from 'node:fs'
let file
export async function initialize(data) { file = data }
export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context)
  appendFileSync(file, resolved.url + '\\n')
  return resolved
}`

/** Runs a program of TypeScript in a process of its own, from the repository's root, and says what it loaded. */
export function loadedBy(root: string, program: string): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-loaded-'))
  const file = (name: string, text = ''): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  try {
    const urls = file('urls')
    const native = file('native')
    const hook = file('hook.mjs', HOOK)
    const start = file(
      'start.mjs',
      `import { register } from 'node:module'
      register(${JSON.stringify(hook)}, { parentURL: import.meta.url, data: ${JSON.stringify(urls)} })`,
    )
    const input = `
      import { writeFileSync } from 'node:fs'
      ${program}
      const objects = process.report.getReport().sharedObjects.filter(path => path.endsWith('.node'))
      writeFileSync(${JSON.stringify(native)}, JSON.stringify(objects))`
    const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
    const { NODE_OPTIONS: _, ...env } = process.env
    execFileSync(process.execPath, ['--import', tsx, '--import', start, '--input-type=module', '-'], {
      cwd: root,
      input,
      env,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const packages = readFileSync(urls, 'utf8')
      .split('\n')
      .flatMap(url => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
    return { packages: new Set(packages), native: JSON.parse(readFileSync(native, 'utf8')) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
