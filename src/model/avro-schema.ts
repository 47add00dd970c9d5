/** An Avro schema as JSON. */
export type AvroSchema = string | { readonly [attribute: string]: unknown } | readonly AvroSchema[]
