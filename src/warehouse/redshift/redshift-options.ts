import type { ObjectStore } from '../../ports/object-store.js'

/** A user of the database and the password that lets it in, now. */
export interface RedshiftLogin {
  readonly user: string
  readonly password: string
}

/** Keys of AWS by which COPY reads the objects of a flush. */
export interface CopyKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * By what right COPY reads the objects of a flush: an IAM role that is attached to the cluster or workgroup (its ARN, or
 * `default`), or keys, asked for before each COPY, so that they may be temporary.
 * https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
 */
export type CopyCredentials = { readonly role: string } | (() => Promise<CopyKeys>)

export interface RedshiftOptions {
  /**
   * `redshift://user@host:5439/database?sslmode=…`; `postgres://` is taken as well. Port 5439 and `sslmode=verify-full` unless
   * the URL says otherwise; no TLS to a host of this machine, which is a tunnel or a test.
   */
  readonly url: string
  /** Of the URL's user, where the URL has none. */
  readonly password?: string
  /**
   * Instead of a password, such as with IAM: asked before each connection; a session goes on when its login expires. It names
   * the same user each time.
   */
  readonly login?: () => Promise<RedshiftLogin>
  /** Where larger flushes are put for COPY; small ones are inserted. */
  readonly objectStore: ObjectStore
  readonly copyCredentials: CopyCredentials
  /** AWS region of the bucket, where it is not that of the cluster. */
  readonly region?: string
  /**
   * Largest number of sessions, which all sink partitions of a process share; default 1, because flushes wait for one
   * another anyway: each locks the table of offsets, and Redshift commits one transaction after the other.
   */
  readonly maxSessions?: number
  /** Flushes with fewer rows are inserted, others loaded by COPY; default 200. */
  readonly copyFromRows?: number
  /** Longest time of a connection attempt in ms; default 30 seconds, as a serverless workgroup may have to wake up. */
  readonly connectTimeoutMs?: number
  /** Longest time of one statement in ms, the wait for its locks and its queue included; default 5 minutes. */
  readonly statementTimeoutMs?: number
}
