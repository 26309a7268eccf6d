/** Which version of the program is installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const versionIn = (installFolder: string): string =>
  (JSON.parse(readFileSync(join(installFolder, 'package.json'), 'utf8')) as { version: string }).version;
