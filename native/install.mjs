// Builds packed-reader.cc at install. Millrace runs without it too, so that a machine without a compiler can install it.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
// npm says where its node-gyp is.
const gyp = process.env.npm_config_node_gyp
const [command, ...args] = gyp === undefined ? ['node-gyp'] : [process.execPath, gyp]
const { status, stdout, stderr, error } = spawnSync(command, [...args, 'rebuild', '-C', folder], { encoding: 'utf8' })
if (status !== 0) {
  rmSync(new URL('build', import.meta.url), { recursive: true, force: true })
  console.warn(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
  console.warn('The packed reader was not built. Millrace runs without it, and takes more CPU time to read from Kafka.')
}
