/** Whose quota: a namespace's by its name, or the installation's, which its licence sets. */
export type Scope = string;

/** No namespace has this name. */
export const INSTALLATION: Scope = "*";
