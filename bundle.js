/**
 * Puts the program and its packages together into few files: a start, and each thread, loads dozens of them instead of hundreds,
 * which takes two thirds of the time; as CommonJS, without comments, and no package twice, which takes a seventh off again (Node 20
 * starts the loader of ES modules in each thread). `build/` has what TypeScript makes, file by file; `dist/` what is installed and
 * run, with the licences of the packages that are in it; `build/parts/` the modules that tests start without the program around them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'rolldown';

/** `…/node_modules/@scope/name`, with all that is nested in it left out. */
const packageFolder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** Their licences ask for it: the notice goes where the code goes. */
const licences = {
  name: 'licences',
  generateBundle(_options, bundle) {
    const files = Object.values(bundle).flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
    const folders = new Set(files.flatMap((file) => packageFolder.exec(file)?.[1] ?? []));
    const notices = [...folders].map(noticeOf).sort();
    this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: notices.join(`\n${'-'.repeat(80)}\n\n`) });
  },
};

/** Not every package brings the text of its licence; who wrote it, and where it is kept, stands in its package.json. */
function noticeOf(folder) {
  const { name, version, license, author, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const head = `${name} ${version} (${license}), ${author?.name ?? author ?? 'its authors'}, ${homepage ?? 'npm'}`;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  return `${[head, ...files.map((file) => readFileSync(join(folder, file), 'utf8').trim())].join('\n\n')}\n`;
}

/** They come as both kinds of module, each of which somebody asks for; each thread that has both loads all of it twice. */
const { resolve } = createRequire(import.meta.url);
const oneKind = Object.fromEntries(['libbase64', 'libmime', 'libqp'].map((name) => [name, resolve(name)]));

/** The program's own package.json says that files are ES modules. */
const moduleKind = {
  name: 'module-kind',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' });
  },
};

/** Threads: the file that each is started with, and its code in `build/`. */
const threads = {
  'thread-start': 'build/engine/threads/thread-main.js',
  'store-thread-start': 'build/store/sqlite/store-thread-main.js',
};

/** Test files start them a hundred times, by their names in `build/` (test/support/built.ts). */
const parts = [
  'engine/engine',
  'engine/launch/launch',
  'engine/run-passes',
  'engine/threads/watchdog',
  'imap/filing',
  'imap/link',
  'login/credentials',
  'outbox/file-due',
  'outbox/send-due',
  'smtp/open-session',
  'smtp/pool',
  'store/sqlite/store-client',
  'store/sqlite/store-thread',
  'sync/read-pending',
  'upkeep/clear-removed',
  'upkeep/expire-all',
];

const common = {
  platform: 'node',
  // A loader that finds its own files by their place. better-sqlite3, native code, is found when it is loaded (base/sqlite.ts).
  external: ['jiti'],
  resolve: { alias: oneKind },
  logLevel: 'warn',
};
// Files of an earlier build stay: an engine that is running loads some of them later.
// No import(): what V8 kept (src/base/code-cache.ts) would not know whose it is.
const output = { format: 'cjs', comments: false, chunkFileNames: '[name]-[hash].js', dynamicImportInCjs: false };

await build({
  ...common,
  // Threads find their file beside the one that starts them, so all lie in one folder.
  input: { main: 'build/main.js', ...threads },
  plugins: [licences, moduleKind],
  output: { ...output, dir: 'dist' },
});
await build({
  ...common,
  input: {
    ...Object.fromEntries(parts.map((name) => [name.replaceAll('/', '-'), `build/${name}.js`])),
    'outbox-process': 'test/support/outbox-process.ts',
  },
  plugins: [moduleKind],
  output: { ...output, dir: 'build/parts', cleanDir: true },
});

// What tests start has the threads that are installed.
for (const name of Object.keys(threads))
  writeFileSync(join('build/parts', `${name}.js`), `require('../../dist/${name}.js');\n`);
