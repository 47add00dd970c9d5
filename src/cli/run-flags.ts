import { InvalidArgumentError, type Option } from 'commander'
import { messageOf } from '../model/errors.js'
import { listenAddress, shownAddress } from '../worker/listen-address.js'
import { duration, flag, wholeNumber } from './options.js'

const HTTP = { host: '127.0.0.1', port: 9_095 }

/** Inside the 30 seconds that Kubernetes waits before it kills. */
const DRAIN_TIMEOUT = 25_000

export function processesFlag(): Option {
  return flag('--processes <count>', 'operating-system processes that share the partitions, one stream thread each')
    .argParser(wholeNumber(1))
    .default(1)
}

export function drainTimeoutFlag(): Option {
  return flag('--drain-timeout <duration>', 'how long processes may take to commit and leave after a signal')
    .argParser(duration)
    .default(DRAIN_TIMEOUT, '25 seconds')
}

const UNITS: Readonly<Record<string, number>> = { '': 1, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30, k: 1e3, m: 1e6, g: 1e9 }

/** Bytes. `1GiB`, `512MiB`, `1.5Gi` and `800MB` are taken, and a plain number of bytes, as Kubernetes' downward API gives it. */
function bytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]i?)?b?$/i.exec(text.trim()) ?? []
  if (number === undefined) throw new InvalidArgumentError('It must be a size such as 1GiB or 800MB.')
  return Math.floor(Number(number) * (UNITS[unit.toLowerCase()] as number))
}

export function memoryFlag(): Option {
  const description = 'what the worker may take in all, such as 1GiB'
  return flag('--memory <size>', description).argParser(bytes)
}

export function httpFlag(): Option {
  const parse = (text: string) => {
    try {
      return listenAddress(text)
    } catch (thrown) {
      throw new InvalidArgumentError(messageOf(thrown))
    }
  }
  return flag('--http <host:port>', 'where health and metrics are served; off: nowhere')
    .argParser(parse)
    .default(HTTP, shownAddress(HTTP))
}
