/** A store of whole objects, such as Amazon S3. */
export interface ObjectStore {
  /** For messages, without secrets: `S3 bucket "millrace-load" at https://s3.eu-central-1.amazonaws.com`. */
  readonly name: string
  /** The address of a key as COPY and UNLOAD take it: `s3://bucket/prefix/key`. */
  url(key: string): string
  /**
   * Writes an object. Retries what may succeed.
   * @throws MillraceError OBJECT_STORE when it is out of reach or refuses.
   */
  put(key: string, body: Buffer): Promise<void>
  /** Deletes objects; one that does not exist is no error. @throws MillraceError OBJECT_STORE */
  delete(keys: readonly string[]): Promise<void>
  close(): Promise<void>
}
