import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { until } from '../e2e/until.js'
import { buildah } from './buildah.js'

/** What a container runtime reads of an image. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
  readonly Volumes: Readonly<Record<string, unknown>>
  readonly ExposedPorts: Readonly<Record<string, unknown>>
  readonly Healthcheck: { readonly Test: readonly string[] }
}

export async function imageConfig(image: string): Promise<ImageConfig> {
  return JSON.parse(await buildah('inspect', '--type', 'image', image)).Docker.config
}

/**
 * Prepares the root as a runtime does with `--read-only --tmpfs /tmp --volume … --network host`: everything is read-only
 * but /tmp and the volumes. Then the command runs as the image's user, and as process 1 where it is the first one.
 */
const SCRIPT = `
set -e
root=$1 user=$2 folder=$3 volumes=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
for volume in /tmp $volumes; do
  mount -t tmpfs -o mode=1777 tmpfs "$root$volume"
done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" /usr/bin/env -i --chdir="$folder" "$@"
`

/** A command in a container of an image, with the host's network and a read-only root. It is killed when its test ends. */
export class Container {
  /** All that it wrote to stdout and stderr. */
  output = ''
  readonly exited: Promise<number | null>
  private readonly child: ChildProcess

  private constructor(
    root: string,
    config: ImageConfig,
    command: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const volumes = Object.keys(config.Volumes).join(' ')
    const script = ['sh', '-c', SCRIPT, 'sh', root, config.User, config.WorkingDir, volumes]
    const inside = [...config.Env, ...variables, ...command]
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child']
    this.child = spawn('unshare', [...namespaces, ...script, ...inside], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data
      })
    }
    this.exited = new Promise(resolve => this.child.once('close', resolve))
  }

  /** Runs the entrypoint with these arguments. */
  static async run(
    image: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Container> {
    const config = await imageConfig(image)
    return Container.start(image, config, [...config.Entrypoint, ...args], env)
  }

  /** Runs another command, to its end. Answers what it wrote. */
  static async execute(image: string, ...command: readonly string[]): Promise<string> {
    const container = await Container.start(image, await imageConfig(image), command, {})
    const code = await container.exited
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${container.output}`)
    return container.output.trim()
  }

  private static async start(
    image: string,
    config: ImageConfig,
    command: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Container> {
    const id = await buildah('from', '--pull-never', image)
    const root = await buildah('mount', id)
    const container = new Container(root, config, command, env)
    onTestFinished(async () => {
      container.child.kill('SIGKILL')
      await container.exited
      await buildah('umount', id)
      await buildah('rm', id)
    })
    return container
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Sends a signal to process 1 of the container, as `docker stop` and Kubernetes do. */
  kill(signal: NodeJS.Signals): void {
    const children = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8')
    process.kill(Number(children.trim().split(' ')[0]), signal)
  }

  /** Waits for something of a container that runs. */
  async until<T>(what: string, withinMs: number, look: () => Promise<T | false>): Promise<T> {
    const found = () => {
      if (!this.running) throw new Error(`The container ended:\n${this.output}`)
      return look()
    }
    return until(what, withinMs, found, () => this.output)
  }
}
