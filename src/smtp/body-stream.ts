/**
 * The message as nodemailer reads it. It is read for the first time when the server has answered 354 (the library pipes the
 * message only then, also when MAIL, RCPT and DATA were sent in one go), so the first read is the moment to write down that the
 * body is about to leave: nothing is handed out before `onFirstRead` resolves. Rejecting destroys the stream; the final dot,
 * which follows the end of the stream, is then never sent.
 */
import { Readable } from 'node:stream';

/** As much as a socket takes at once. */
const chunkBytes = 64 * 1024;

export interface BodyHooks {
  onFirstRead(): Promise<void>;
  /** Called whenever more is wanted: the server takes it. */
  onProgress(): void;
}

export class BodyStream extends Readable {
  readonly #message: Uint8Array;
  readonly #hooks: BodyHooks;
  #offset = 0;
  #isStarted = false;

  constructor(message: Uint8Array, hooks: BodyHooks) {
    super({ highWaterMark: chunkBytes });
    this.#message = message;
    this.#hooks = hooks;
  }

  override _read(): void {
    if (this.#isStarted) this.#next();
    else this.#start();
  }

  #start(): void {
    this.#isStarted = true;
    this.#hooks.onFirstRead().then(
      () => this.#next(),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #next(): void {
    if (this.destroyed) return;
    this.#hooks.onProgress();
    const chunk = this.#message.subarray(this.#offset, this.#offset + chunkBytes);
    this.#offset += chunk.length;
    if (chunk.length > 0) this.push(chunk);
    if (this.#offset >= this.#message.length) this.push(null);
  }
}
