import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args)
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** PEM files of a certificate and of its key, which has no password. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

/** Makes an authority, which may sign certificates for two days. */
export async function newAuthority(folder: string, name: string): Promise<Certificate> {
  const certificate = join(folder, `${name}.crt`)
  const key = join(folder, `${name}.key`)
  await openssl('req', '-x509', ...NEW_KEY, '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', certificate)
  return { certificate, key }
}

/** Makes a server's certificate for 127.0.0.1, and for no name such as localhost. */
export async function newServerCertificate(folder: string, authority: Certificate): Promise<Certificate> {
  const at = (ending: string) => join(folder, `server.${ending}`)
  await openssl('req', ...NEW_KEY, '-subj', '/CN=server', '-keyout', at('key'), '-out', at('csr'))
  await writeFile(at('ext'), 'subjectAltName=IP:127.0.0.1\n')
  const signing = ['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial', '-days', '2']
  await openssl('x509', '-req', ...signing, '-in', at('csr'), '-extfile', at('ext'), '-out', at('crt'))
  return { certificate: at('crt'), key: at('key') }
}
