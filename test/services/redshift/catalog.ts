/** https://docs.aws.amazon.com/redshift/latest/dg/r_VERSION.html */
const VERSION =
  'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.102030'

/**
 * What every session of the database has: UTC, names of the shim's schema, backslashes that escape, and serializable
 * isolation (https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html).
 */
export function databaseSettings(database: string): string[] {
  return [
    `timezone = 'UTC'`,
    `search_path = "$user", public, redshift_shim, pg_catalog`,
    `standard_conforming_strings = off`,
    `escape_string_warning = off`,
    `backslash_quote = on`,
    `default_transaction_isolation = 'serializable'`,
    `client_connection_check_interval = '500ms'`,
    `client_min_messages = error`,
  ].map(setting => `ALTER DATABASE "${database}" SET ${setting}`)
}

/**
 * Functions, system tables and the trigger that makes tables Redshift's:
 * - primary and unique keys are not enforced, so they are dropped again; columns of a primary key stay NOT NULL
 *   (https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html);
 * - a VARCHAR(n) holds n bytes (https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html);
 * - pg_last_copy_count (https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_COUNT.html), getdate
 *   (r_GETDATE.html), to_varbyte and from_varbyte for hex (r_TO_VARBYTE.html, r_FROM_VARBYTE.html), stl_load_errors (r_STL_LOAD_ERRORS.html), pg_table_def (r_PG_TABLE_DEF.html), svv_columns (r_SVV_COLUMNS.html).
 */
export const SETUP = `
CREATE SCHEMA redshift_shim;

CREATE FUNCTION redshift_shim.version() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '${VERSION}'::text $$;

CREATE FUNCTION redshift_shim.getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT now() AT TIME ZONE 'UTC' $$;

CREATE FUNCTION redshift_shim.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE AS
  $$ SELECT coalesce(nullif(current_setting('redshift_shim.copy_count', true), ''), '0')::bigint $$;

CREATE FUNCTION redshift_shim.to_varbyte(value text, form text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE lower(form) WHEN 'hex' THEN decode(value, 'hex') END $$;

CREATE FUNCTION redshift_shim.from_varbyte(value bytea, form text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE lower(form) WHEN 'hex' THEN encode(value, 'hex') END $$;

CREATE FUNCTION redshift_shim.format_type(type oid, modifier integer) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT replace(pg_catalog.format_type(type, modifier), 'bytea', 'binary varying') $$;

CREATE TABLE redshift_shim.stl_load_errors (
  userid integer DEFAULT 100, slice integer DEFAULT 0, tbl text, starttime timestamp DEFAULT now(), session integer,
  query integer DEFAULT 0, filename text, line_number bigint, colname text, type text, raw_field_value text,
  err_code integer DEFAULT 1200, err_reason text
);

CREATE VIEW redshift_shim.svv_columns AS SELECT * FROM information_schema.columns;

CREATE VIEW redshift_shim.pg_table_def AS
  SELECT n.nspname::text AS schemaname, c.relname::text AS tablename, a.attname::text AS "column",
    format_type(a.atttypid, a.atttypmod) AS type, 'none'::text AS encoding, false AS distkey, 0 AS sortkey,
    a.attnotnull AS "notnull"
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' AND n.nspname = ANY (current_schemas(false));

CREATE FUNCTION redshift_shim.make_redshift() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  changed record;
  item record;
  old record;
BEGIN
  FOR changed IN SELECT DISTINCT objid FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
    FOR item IN SELECT conname FROM pg_constraint WHERE conrelid = changed.objid AND contype IN ('p', 'u', 'f') LOOP
      EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', changed.objid::regclass, item.conname);
    END LOOP;
    FOR item IN
      SELECT attname, atttypmod - 4 AS bytes, 'redshift_bytes_' || attnum AS name FROM pg_attribute
      WHERE attrelid = changed.objid AND attnum > 0 AND NOT attisdropped
        AND atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND atttypmod > 4
    LOOP
      IF NOT EXISTS (SELECT FROM pg_constraint
                     WHERE conrelid = changed.objid AND conname = item.name || '_' || item.bytes) THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (octet_length(%I) <= %s)',
          changed.objid::regclass, item.name || '_' || item.bytes, item.attname, item.bytes);
      END IF;
      FOR old IN SELECT conname FROM pg_constraint WHERE conrelid = changed.objid
        AND conname LIKE item.name || '!_%' ESCAPE '!' AND conname <> item.name || '_' || item.bytes LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', changed.objid::regclass, old.conname);
      END LOOP;
    END LOOP;
  END LOOP;
END $$;

CREATE EVENT TRIGGER redshift_shim ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
  EXECUTE FUNCTION redshift_shim.make_redshift();
`
