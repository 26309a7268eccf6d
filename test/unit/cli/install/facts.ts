/** An installation for the texts. */
import type { InstallFacts } from '../../../../src/cli/install/facts.ts';

export const facts = (more: Partial<InstallFacts> = {}): InstallFacts => ({
  name: 'backproc',
  user: 'www-data',
  group: 'edokumenty',
  node: '/usr/bin/node',
  main: '/opt/backproc/dist/main.js',
  installFolder: '/opt/backproc',
  configFile: '/opt/backproc/config.ts',
  writable: ['/opt/backproc/store', '/opt/backproc/data', '/opt/backproc/logs', '/opt/backproc/pid'],
  readable: [],
  dataFolder: '/opt/backproc/data',
  stopGraceSeconds: 600,
  memoryLimitMb: 1024,
  webPort: 8025,
  ...more,
});
