/**
 * What reading one mail may cost. A mail that meets a limit is read as far as it goes, and says which limit it met
 * (email_contents.parse_note); its raw bytes are whole all the same. Nothing here is reached by mail that people write.
 */

export interface ReadLimits {
  /** Multiparts and messages in each other. Postfix stops at 100; no mailer nests more than a dozen. */
  readonly depthMax: number;
  /** Parts looked for: a digest has hundreds, 200,000 are an attack on memory. */
  readonly partCountMax: number;
  /** Of one part's header, searched for its content fields. */
  readonly headerBytesMax: number;
  /** Of one content field: libmime's time for 8 KiB of the worst is a millisecond. */
  readonly fieldBytesMax: number;
  /** Characters of body_text, and of what else is indexed: tokenising a character costs the store thread 20 ns. */
  readonly textCharsMax: number;
  /** Characters of body_html: newsletters carry their pictures in it. */
  readonly htmlCharsMax: number;
  /** Text decoded for one mail, all parts together. */
  readonly decodedBytesMax: number;
  /** Past this no further part is begun. The longest single step takes a fifth of it (bench/reading). */
  readonly messageMs: number;
}

export type LimitName = 'depth' | 'parts' | 'header' | 'text' | 'html' | 'decoded' | 'time';

const mib = 1024 * 1024;

export const readLimits: ReadLimits = {
  depthMax: 32,
  partCountMax: 1000,
  headerBytesMax: 256 * 1024,
  fieldBytesMax: 8 * 1024,
  textCharsMax: mib / 2,
  htmlCharsMax: 2 * mib,
  decodedBytesMax: 16 * mib,
  messageMs: 700,
};

/** Of the time that a mail may take, for finding its parts; the rest is for their text. */
export const treeShare = 0.5;

/** Limits met so far, and the clock of one mail. */
export interface Allowance {
  readonly limits: ReadLimits;
  readonly met: Set<LimitName>;
  /** True once this share of `messageMs` is over; noted as met. */
  isOver(share?: number): boolean;
}

export function createAllowance(limits: ReadLimits): Allowance {
  const met = new Set<LimitName>();
  const startedMs = performance.now();
  const isOver = (share = 1): boolean => {
    if (performance.now() - startedMs < limits.messageMs * share) return false;
    met.add('time');
    return true;
  };
  return { limits, met, isOver };
}
