import { RedshiftError } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/** Settings of Redshift that PostgreSQL knows: https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html */
const SHARED = new Set([
  'datestyle',
  'extra_float_digits',
  'search_path',
  'statement_timeout',
  'timezone',
  'application_name',
  'client_encoding',
])

/** Settings of Redshift alone, on the same page; the shim takes them and does nothing. */
const OWN = new Set([
  'analyze_threshold_percent',
  'cast_super_null_on_error',
  'datashare_break_glass_session_var',
  'describe_field_name_in_uppercase',
  'downcase_delimited_identifier',
  'enable_case_sensitive_identifier',
  'enable_numeric_rounding',
  'enable_result_cache_for_session',
  'json_parse_truncate_strings',
  'max_concurrency_scaling_clusters',
  'mv_enable_aqmv_for_session',
  'query_group',
  'spectrum_query_maxerror',
  'use_fips_ssl',
  'wlm_query_slot_count',
])

/** SET and set_config of settings that Redshift does not have are refused. */
export function settings(statement: Statement): Statement {
  const sets = statement.find('set_config', '(')
  if (sets >= 0) assertKnown(statement.tokens[sets + 2]?.value ?? '')
  if (statement.command !== 'set' && statement.command !== 'reset') return statement
  const at = statement.has(1, 'session') && !statement.has(2, 'authorization') ? 2 : statement.has(1, 'local') ? 2 : 1
  const name = statement.tokens[at]?.value ?? ''
  if (name === 'session' || name === 'all' || name === 'time' || name === 'transaction') return statement
  assertKnown(name)
  return OWN.has(name) ? statement.edited([statement.replacing(at, at + 1, `redshift_shim.${name}`)]) : statement
}

function assertKnown(name: string): void {
  if (SHARED.has(name.toLowerCase()) || OWN.has(name.toLowerCase())) return
  throw new RedshiftError('42704', `unrecognized configuration parameter "${name}"`)
}
