/**
 * Loaded by code-cache.ts into the program and its threads: what V8 has compiled when one ends is kept, functions and all that ran.
 * Each thread runs other parts of the files that several load; the largest is kept.
 */
const { chmodSync, renameSync, statSync, writeFileSync } = require('node:fs');
const vm = require('node:vm');
const { threadId } = require('node:worker_threads');
const { crc32 } = require('node:zlib');

const scripts = [];

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, { ...options, cachedData: undefined });
    scripts.push({ source: options.filename, script: this });
  }
};

process.on('exit', () => {
  for (const { source, script } of scripts) {
    const file = `${source}.cache`;
    const data = script.createCachedData();
    const head = Buffer.alloc(8);
    head.writeUInt32LE(crc32(data));
    head.writeUInt32LE(Number(process.env.NODE_TAG), 4);
    const bytes = Buffer.concat([head, data]);
    if (bytes.length <= (statSync(file, { throwIfNoEntry: false })?.size ?? 0)) continue;
    const part = `${file}.${process.pid}.${threadId}`;
    writeFileSync(part, bytes);
    // The program lets nobody else read what it writes; whoever runs it must read this.
    chmodSync(part, statSync(source).mode);
    renameSync(part, file);
  }
});
