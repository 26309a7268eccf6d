/** What `install` was asked for on the command line. */
import { join } from 'node:path';

export interface InstallOptions {
  readonly name: string;
  readonly user?: string;
  readonly group?: string;
  readonly root?: string;
  readonly print?: boolean;
  readonly remove?: boolean;
}

export interface TmpfsOptions extends InstallOptions {
  readonly size: string;
  readonly mount?: boolean;
}

/** Where a file of the system goes: below --root. */
export const below = ({ root }: InstallOptions, path: string): string => (root === undefined ? path : join(root, path));
