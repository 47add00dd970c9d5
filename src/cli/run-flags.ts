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
