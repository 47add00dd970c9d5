import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MillraceError, messageOf } from '../model/errors.js'
import type { Topology } from '../topology/node.js'
import { nearestConfig } from './nearest-config.js'

/** A path as a person reads it: relative to the working directory where that is shorter. */
export function shownPath(file: string): string {
  const path = relative(process.cwd(), file)
  return path.length < file.length && path !== '' ? path : file
}

let registered: Promise<unknown> | undefined

/** Lets the process import TypeScript, once, with the compiler options of the first file's `tsconfig.json`. */
function registerTypeScript(file: string): Promise<unknown> {
  registered ??= Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]).then(([modules, commonJs]) => {
    const tsconfig = nearestConfig(file)
    // Files of a package without "type": "module" are CommonJS to Node, whatever they are written in.
    commonJs.register()
    return modules.register(tsconfig === undefined ? {} : { tsconfig })
  })
  return registered
}

/** The file may import another copy of millrace than the command does, so that only its shape can tell a topology. */
function isTopology(value: unknown): value is Topology {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'topology' &&
    'outputs' in value &&
    Array.isArray(value.outputs)
  )
}

function describeExport(value: unknown): string {
  if (value === undefined) return 'has no default export'
  if (Array.isArray(value)) return 'exports a list that holds something else than topologies'
  if (typeof value === 'object' && value !== null && 'pipe' in value) {
    return 'exports a flow and no topology'
  }
  return `exports ${typeof value === 'object' ? 'an object' : `a ${typeof value}`} and no topology`
}

/** The frame of a stack that is in the file, as `:line:column`; empty where there is none. */
function placeIn(file: string, thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
  const line = stack.split('\n').find(frame => frame.includes(pathToFileURL(file).href) || frame.includes(`${file}:`))
  return /:\d+:\d+(?=\)?$)/.exec(line ?? '')?.[0] ?? ''
}

/** The file that an import did not find; undefined where something else went wrong. */
function missingModule(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'ERR_MODULE_NOT_FOUND') return undefined
  const url = 'url' in thrown && typeof thrown.url === 'string' ? thrown.url : undefined
  if (url?.startsWith('file:')) return fileURLToPath(url)
  return /Cannot find (?:module|package) '([^']+)'/.exec(thrown.message)?.[1]
}

/** What to do about a module that is not there. */
export function missingModuleRemedy(module: string): string {
  if (module === 'millrace') return 'Install it with `npm install millrace`.'
  const schema = module.replace(/\.[jt]s$/, '.avsc')
  if (existsSync(schema)) return `Run \`millrace codegen\`, which writes it from ${shownPath(schema)}.`
  if (/(^|[\\/])schemas[\\/]/.test(module)) {
    return `Put the schema into ${shownPath(schema)} and run \`millrace codegen\`, which writes the module beside it.`
  }
  return 'Correct the import, or create the file.'
}

function loadError(file: string, thrown: unknown): MillraceError {
  const shown = shownPath(file)
  const missing = missingModule(thrown)
  if (missing !== undefined) {
    const message = `${shown} imports ${shownPath(missing)}, which does not exist. ${missingModuleRemedy(missing)}`
    return new MillraceError('LOAD', message, { cause: thrown })
  }
  const message = messageOf(thrown)
  if (thrown instanceof Error && (thrown.name === 'SyntaxError' || thrown.name === 'TransformError')) {
    return new MillraceError('LOAD', `${shown} is not valid TypeScript: ${message}`, { cause: thrown })
  }
  return new MillraceError('LOAD', `${shown}${placeIn(file, thrown)} throws while it is loaded: ${message}`, {
    cause: thrown,
  })
}

/**
 * The topologies that a TypeScript or JavaScript file exports as default: one, or a list. Imports the file, which runs
 * what is in it; building a topology runs nothing else.
 * @throws MillraceError LOAD when the file is missing, cannot be compiled, throws, imports what is not there, or exports
 * no topology.
 */
export async function loadTopologies(path: string): Promise<readonly Topology[]> {
  const file = resolve(path)
  if (!existsSync(file)) {
    throw new MillraceError(
      'LOAD',
      `${shownPath(file)} does not exist. Give the path of a file that exports a topology.`,
    )
  }
  await registerTypeScript(file)
  let exported: unknown
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    exported = module.default
  } catch (thrown) {
    throw loadError(file, thrown)
  }
  // A package without "type": "module" compiles to CommonJS, whose default export stands one level deeper.
  if (typeof exported === 'object' && exported !== null && 'default' in exported) exported = exported.default
  const topologies: readonly unknown[] = Array.isArray(exported) ? exported : [exported]
  if (topologies.length > 0 && topologies.every(isTopology)) return topologies
  throw new MillraceError(
    'LOAD',
    `${shownPath(file)} ${describeExport(exported)}. Write \`export default topology('name', …)\`.`,
  )
}
