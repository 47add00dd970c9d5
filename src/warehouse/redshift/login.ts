/** User and password of a database. */
export interface Login {
  readonly user: string
  readonly password: string
}

/** Where user and password of a new session come from. */
export interface LoginSource {
  /**
   * What the next session logs in with. Sessions outlive it: Redshift looks at a password when they begin.
   * @throws MillraceError WAREHOUSE where it cannot be had.
   */
  login(): Promise<Login>
}

/** A user with a password of its own, which does not expire while the process lives. */
export function passwordLogin(login: Login): LoginSource {
  return { login: () => Promise.resolve(login) }
}
