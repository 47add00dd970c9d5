import { RedshiftError } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/**
 * Functions of PostgreSQL that Redshift does not have, or has on the leader node only:
 * https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
 */
const UNSUPPORTED = new Set(
  `unnest array_agg array_append array_cat array_dims array_length array_lower array_prepend array_to_string
   array_upper string_agg string_to_array ascii_to clock_timestamp statement_timestamp transaction_timestamp
   justify_days justify_hours make_timestamp make_date make_interval pg_sleep to_jsonb to_json jsonb_build_object json_build_object
   jsonb_agg json_agg jsonb_array_elements row_to_json regexp_matches regexp_split_to_table regexp_split_to_array format
   gen_random_uuid uuid_generate_v4 pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_try_advisory_lock
   pg_try_advisory_xact_lock setseed convert_from convert_to num_nulls num_nonnulls every
   nextval currval setval lastval txid_current pg_current_xact_id isfinite age_in`.split(/\s+/),
)

const CHANGES = new Set(['insert', 'update', 'delete', 'merge', 'create'])

/** Refuses functions that Redshift does not have, and leader-node functions where tables take part. */
export function refuseFunctions(statement: Statement): Statement {
  statement.tokens.forEach(({ kind, value }, index) => {
    if (kind !== 'word' || statement.value(index + 1) !== '(' || statement.value(index - 1) === '.') return
    if (UNSUPPORTED.has(value)) throw new RedshiftError('42883', `function ${value}() does not exist`)
    // https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
    if (value === 'generate_series' && CHANGES.has(statement.command)) {
      throw new RedshiftError(
        '0A000',
        'Specified types or functions (one per INFO message) not supported on Redshift tables.',
        'Function "generate_series" not supported.',
      )
    }
  })
  return statement
}
