/** snake_case of a camelCase name, as `snakeCase` of the model computes it. */
export type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Tail extends Uncapitalize<Tail>
    ? `${Lowercase<Head>}${Snake<Tail>}`
    : `${Lowercase<Head>}_${Snake<Tail>}`
  : S

/** Columns of a warehouse table of keys `K` and rows `R`, before renaming. */
export type Columns<K, R> = Snake<(keyof K | keyof R) & string>
