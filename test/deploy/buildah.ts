import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../docs/markdown.js'

/** Images and layers, kept from run to run: a layer is built again only where something under it changed. */
const CACHE = join(ROOT, 'node_modules/.cache/millrace/image')
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const MIRROR = 'http://deb.debian.org/debian'
/** Where the base image holds the certificates that this machine trusts beyond Node's own. */
const CERTIFICATES = '/etc/ssl/certificates-of-the-host.pem'

const run = promisify(execFile)

/** Runs buildah on images of our own, without a daemon. Answers its stdout. */
export async function buildah(...args: readonly string[]): Promise<string> {
  const storage = ['--root', join(CACHE, 'storage'), '--runroot', join(CACHE, 'run'), '--storage-driver', 'overlay']
  const temporary = join(CACHE, 'tmp')
  await mkdir(temporary, { recursive: true })
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot', TMPDIR: temporary }
  // Nice, because the compiler runs for minutes beside tests that wait for something.
  const command = ['-n', '10', 'buildah', ...storage, ...args]
  const { stdout } = await run('nice', command, { cwd: ROOT, env, maxBuffer: 2 ** 26 })
  return stdout.trim()
}

/** Why no image can be built here; undefined where one can. */
export function buildahAvailable(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'an image is built by root on Linux only'
  for (const tool of ['buildah', 'mmdebstrap', 'unshare', 'npm']) {
    if (spawnSync('which', [tool], { stdio: 'ignore' }).status !== 0) return `${tool} is not installed`
  }
  if (!existsSync(KEYRING)) return 'the keys of Debian are not installed'
  const namespaces = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true'], { encoding: 'utf8' })
  return namespaces.status === 0 ? undefined : `no namespaces may be made (${namespaces.stderr.trim()})`
}

/** Builds the image of the Dockerfile under this name. */
export async function buildImage(name: string): Promise<void> {
  await baseImage()
  // Format docker, because the OCI format has no health check.
  await buildah('build', '--pull-never', '--layers', '--format', 'docker', '--tag', name, ROOT)
}

/** The image that the Dockerfile begins with, such as `node:24-bookworm-slim`. */
function baseName(): { readonly name: string; readonly node: string; readonly debian: string } {
  const [, name, node, debian] =
    /^FROM (node:(\d+)-(\w+)-slim)/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? []
  if (!name || !node || !debian) throw new Error('The Dockerfile begins with no image of Node.')
  return { name: `docker.io/library/${name}`, node, debian }
}

/**
 * Stands in for the official image where no container registry can be reached: Debian by mmdebstrap, Node from the npm
 * package of its binaries, npm of this machine. What this machine says of mirrors and certificates goes in with it.
 */
async function baseImage(): Promise<void> {
  const { name, node, debian } = baseName()
  if ((await buildah('images', '--all', '--format', '{{.Name}}:{{.Tag}}')).split('\n').includes(name)) return
  const folder = await mkdtemp(join(CACHE, 'tmp', 'base-'))
  try {
    const binaries = `node-linux-${process.arch}`
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `${binaries}@${node}`])
    const tar = join(folder, 'debian.tar')
    const system = ['--quiet', '--mode=root', '--variant=minbase', '--include=libstdc++6']
    await run('mmdebstrap', [...system, ...(await proxies()), debian, tar, await mirrorOf(debian)])
    const npmrc = join(folder, 'npmrc')
    await writeFile(npmrc, `registry=${(await run('npm', ['config', 'get', 'registry'])).stdout.trim()}\n`)
    const npm = join(dirname((await run('npm', ['root', '--global'])).stdout.trim()), 'node_modules/npm')

    const container = await buildah('from', 'scratch')
    const add = (from: string, to: string) => buildah('add', '--quiet', container, from, to)
    await add(tar, '/')
    await add(join(folder, 'node_modules', binaries, 'bin'), '/usr/local/bin')
    await add(join(folder, 'node_modules', binaries, 'include'), '/usr/local/include')
    await add(npm, '/usr/local/lib/node_modules/npm')
    await add(npmrc, '/usr/local/etc/npmrc')
    const certificates = process.env.NODE_EXTRA_CA_CERTS
    if (certificates && existsSync(certificates)) {
      await add(certificates, CERTIFICATES)
      await buildah('config', '--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, container)
    }
    const finish =
      'chmod +x /usr/local/bin/node && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node'
    await buildah('run', container, '--', 'sh', '-c', finish)
    await buildah('commit', '--quiet', '--rm', container, name)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The mirror of this machine, where it runs the same Debian. */
async function mirrorOf(debian: string): Promise<string> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(CODENAME) $(REPO_URI)', 'Created-By: Packages'])
  const line = targets.stdout.split('\n').find(one => one.startsWith(`${debian} `))
  return line?.split(' ')[1] ?? MIRROR
}

/** How apt of this machine reaches its mirror. */
async function proxies(): Promise<string[]> {
  const { stdout } = await run('apt-config', ['dump', 'Acquire'])
  return stdout.split('\n').flatMap(line => (/^Acquire::https?::proxy /i.test(line) ? [`--aptopt=${line}`] : []))
}
