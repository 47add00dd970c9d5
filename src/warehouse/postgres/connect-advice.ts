const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** PostgreSQL's invalid_password and invalid_authorization_specification (its manual, appendix A, class 28). */
const REFUSED = new Set(['28P01', '28000'])

/** What to check where a connection to PostgreSQL failed; empty where the error says all. Begins with ` (`. */
export function connectAdvice(failure: Error): string {
  const code = 'code' in failure ? String(failure.code) : ''
  if (UNTRUSTED.has(code)) return ' (name the file of its authority by sslrootcert in the URL)'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return ' (use the host name in the certificate, or uselibpqcompat=true&sslmode=verify-ca in the URL to trust the authority for any host)'
  }
  if (REFUSED.has(code)) return ' (check user and password, and what pg_hba.conf asks for)'
  if (/does not support SSL/i.test(failure.message)) return ' (remove sslmode from the URL, or switch TLS on there)'
  if (/password must be a string/i.test(failure.message)) {
    return ' (the server asks for a password, and none is given)'
  }
  return ''
}
