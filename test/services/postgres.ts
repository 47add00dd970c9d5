import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Certificate } from './certificates.js'

/** A PostgreSQL server of the tests. */
export interface PostgresService {
  /** `postgres://postgres@127.0.0.1:<port>/postgres`; any password is accepted. */
  readonly url: string
  /** Ends the server and deletes its data. */
  stop(): Promise<void>
  /** Ends the server at once, as a crash does; its data stays. */
  kill(): Promise<void>
  /** Starts the server again on the same port and data, after ending it where it runs. */
  restart(): Promise<void>
}

const OLDEST = 15

/** The time zone is none that a program expects, so that tests notice where something depends on it. */
const SETTINGS = ['fsync=off', 'timezone=America/St_Johns', 'shared_buffers=32MB', 'jit=off']

/** Why no PostgreSQL server can be started here; undefined when one can. */
export function postgresAvailable(): string | undefined {
  const bin = binaries()
  if (!bin) return 'PostgreSQL is not installed (initdb and postgres were not found)'
  const version = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout
  const major = Number(/\d+/.exec(version)?.[0])
  if (!(major >= OLDEST)) return `PostgreSQL ${OLDEST} or later is needed, found: ${version.trim()}`
  if (isRoot() && !postgresUser()) return 'PostgreSQL refuses to run as root, and there is no user "postgres"'
  return undefined
}

/** How clients come in where not everybody may. */
export interface PostgresAccess {
  readonly tls: Certificate
  readonly password: string
}

/**
 * Starts PostgreSQL on a free port with data in a temporary folder. With `access`, clients need TLS and the password by
 * SCRAM-SHA-256, which the URL leaves out. `settings` (`shared_buffers=2GB`) come behind those of the tests.
 */
export async function startPostgres(
  access?: PostgresAccess,
  settings: readonly string[] = [],
): Promise<PostgresService> {
  const unavailable = postgresAvailable()
  if (unavailable) throw new Error(unavailable)
  const bin = binaries() as string
  const identity = isRoot() ? postgresUser() : undefined
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'))
  if (identity) chownSync(folder, identity.uid, identity.gid)
  const data = join(folder, 'data')
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`

  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  if (access) initdb.push(...withPassword(folder, access.password))
  const created = spawnSync(join(bin, 'initdb'), initdb, { cwd: folder, encoding: 'utf8', ...identity })
  if (created.status !== 0) throw new Error(`initdb failed: ${created.stderr}`)
  const tls = access ? tlsSettings(data, access.tls) : []

  let server: ChildProcess | undefined
  const log = join(folder, 'log')
  const end = async (signal: 'SIGINT' | 'SIGQUIT') => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill(signal)
    await exited
  }
  const start = async () => {
    const all = [...SETTINGS, ...tls, 'listen_addresses=127.0.0.1', ...settings].flatMap(setting => ['-c', setting])
    const output = openSync(log, 'a')
    server = spawn(join(bin, 'postgres'), ['-D', data, '-p', `${port}`, '-k', folder, ...all], {
      cwd: folder,
      stdio: ['ignore', output, output],
      ...identity,
    })
    await waitUntilReady(
      access ? `${url}?sslmode=no-verify&password=${encodeURIComponent(access.password)}` : url,
      server,
      log,
    )
  }
  const endWithThisProcess = () => server?.kill('SIGQUIT')
  process.on('exit', endWithThisProcess)

  await start()
  return {
    url,
    kill: () => end('SIGQUIT'),
    async restart() {
      await end('SIGINT')
      await start()
    },
    async stop() {
      await end('SIGINT')
      process.off('exit', endWithThisProcess)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Arguments of initdb that give the superuser a password, and make everybody show one. */
function withPassword(folder: string, password: string): string[] {
  const file = join(folder, 'password')
  writeFileSync(file, `${password}\n`, { mode: 0o644 })
  return [`--pwfile=${file}`, '-A', 'scram-sha-256']
}

/** Puts key and certificate beside the data, where the server's user may read them, and refuses clients without TLS. */
function tlsSettings(data: string, tls: Certificate): string[] {
  const { uid, gid } = statSync(data)
  for (const [name, source] of [
    ['server.crt', tls.certificate],
    ['server.key', tls.key],
  ] as const) {
    const file = join(data, name)
    writeFileSync(file, readFileSync(source), { mode: 0o600 })
    chownSync(file, uid, gid)
  }
  writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
  return ['ssl=on']
}

async function waitUntilReady(url: string, server: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return
    } catch (thrown) {
      if (server.exitCode === null && Date.now() < deadline) await sleep(50)
      else throw new Error(`PostgreSQL did not start:\n${readFileSync(log, 'utf8')}`, { cause: thrown })
    }
  }
}

function binaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map(version => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function postgresUser(): { uid: number; gid: number } | undefined {
  const [, , uid, gid] =
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find(line => line.startsWith('postgres:'))
      ?.split(':') ?? []
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
