/**
 * Puts the program and its packages together into few files: a start, and each thread, loads dozens of them instead of hundreds,
 * which takes two thirds of the time. `build/` has what TypeScript makes, file by file, for tests; `dist/` what is installed and run.
 */
import { build } from 'rolldown';

await build({
  // Threads find their entry beside the file that starts them, so all lie in one folder.
  input: {
    main: 'build/main.js',
    'thread-main': 'build/engine/threads/thread-main.js',
    'store-thread-main': 'build/store/sqlite/store-thread-main.js',
  },
  platform: 'node',
  // Native code, and a loader that finds its own files by their place.
  external: ['better-sqlite3', 'jiti'],
  logLevel: 'warn',
  // Files of an earlier build stay: an engine that is running loads some of them later.
  output: { dir: 'dist', format: 'esm', chunkFileNames: '[name]-[hash].js' },
});
