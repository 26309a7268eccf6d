/**
 * Modules of the built program, without the program around them: a .ts file cannot be a thread's entry on Node 20, and a few files
 * load in a third of the time of hundreds (bundle.js, which has to know their names).
 */
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../build/parts/', import.meta.url));

/** By its path in src/, without the ending; `Module`: what of it is asked for. */
export const built = <Module>(path: string): Module => require(`./${path.replaceAll('/', '-')}.js`) as Module;

/** For programs that a test writes. */
export const builtFile = (path: string): string => require.resolve(`./${path.replaceAll('/', '-')}.js`);
