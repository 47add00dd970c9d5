import { syntaxError } from '../redshift-error.js'
import type { Token } from '../statement.js'

/**
 * Words that need quotes as a name in Redshift, and need none in PostgreSQL:
 * https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
 */
const RESERVED = new Set(
  `aes128 aes256 allowoverwrite backup blanksasnull bytedict bzip2 credentials deflate defrag delta delta32k
   disable emptyasnull enable encode encrypt encryption explicit globaldict256 globaldict64k gzip identity ignore luns
   lzo lzop minus mostly16 mostly32 mostly8 new off offline oid old open parallel partition percent permissions raw
   readratio recover rejectlog resort restore respect snapshot sysdate system tag tdes text255 text32k timestamp top
   truncatecolumns wallet without between freeze ilike is isnull left like natural notnull outer overlaps right similar`.split(
    /\s+/,
  ),
)

/** @throws RedshiftError where a name is a reserved word without quotes. */
export function assertName(token: Token | undefined): void {
  if (token?.kind === 'word' && RESERVED.has(token.value)) throw syntaxError(token)
}
