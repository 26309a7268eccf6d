#!/usr/bin/env node
/** argv in, exit code out. Every command loads what it needs itself, so that `--help` costs little more than Node. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext } from './cli/context.ts';
import { runProgram } from './cli/program.ts';

process.umask(0o007);
const installFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const { stdin, stdout, stderr, env } = process;
// A reader that has seen enough (`… | head`) is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));
await runProgram(createContext({ env, cwd: process.cwd(), installFolder, stdin, stdout, stderr }), process.argv);
