import { type DestinationStream, type Logger, pino } from 'pino'
import { prettyFactory } from 'pino-pretty'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LoggerOptions {
  readonly level: LogLevel
  /** Lines for people instead of JSON. */
  readonly readable: boolean
  /** Default: stderr. Each line is written before the call returns, so that none is lost at the end. */
  readonly destination?: DestinationStream
}

/** The log of a command: readable lines in a terminal, a JSON object a line elsewhere. */
export function createLogger({ level, readable, destination }: LoggerOptions): Logger {
  const target = destination ?? pino.destination({ fd: process.stderr.fd, sync: true })
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: name => ({ level: name }) },
    },
    readable ? forPeople(target) : target,
  )
}

function forPeople(target: DestinationStream): DestinationStream {
  const format = prettyFactory({
    colorize: process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
  })
  return { write: line => target.write(format(line)) }
}
