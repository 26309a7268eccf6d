/** A DNS server on 127.0.0.1 over UDP that knows the SRV and MX records of a test (RFC 1035, 2782). */
import { createSocket } from 'node:dgram';

export interface FakeDns {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** `_imaps._tcp.firma.example` → records */
  readonly srv: Map<string, { priority?: number; weight?: number; port: number; name: string }[]>;
  readonly mx: Map<string, string[]>;
  readonly questions: string[];
  /** Answers nothing. */
  isSilent: boolean;
  stop(): Promise<void>;
}

const types: Readonly<Record<number, string>> = { 15: 'MX', 33: 'SRV' };

export async function startFakeDns(): Promise<FakeDns> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const dns: FakeDns = {
    address: `127.0.0.1:${socket.address().port}`,
    srv: new Map(),
    mx: new Map(),
    questions: [],
    isSilent: false,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (message, from) => {
    const { name, type, end } = question(message);
    dns.questions.push(`${types[type] ?? type} ${name}`);
    if (!dns.isSilent) socket.send(reply(message, end, recordsOf(dns, name, type)), from.port, from.address);
  });
  return dns;
}

function question(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function recordsOf(dns: FakeDns, name: string, type: number): Buffer[] {
  if (types[type] === 'SRV')
    return (dns.srv.get(name) ?? []).map((record) =>
      Buffer.concat([numbers(record.priority ?? 0, record.weight ?? 0, record.port), encodeName(record.name)]),
    );
  if (types[type] === 'MX')
    return (dns.mx.get(name) ?? []).map((exchange, index) => Buffer.concat([numbers(index), encodeName(exchange)]));
  return [];
}

function reply(message: Buffer, end: number, records: readonly Buffer[]): Buffer {
  const head = Buffer.from(message.subarray(0, end));
  // QR, RD, RA; NXDOMAIN where there is nothing.
  head.writeUInt16BE(records.length === 0 ? 0x8183 : 0x8180, 2);
  numbers(1, records.length, 0, 0).copy(head, 4);
  const type = message.subarray(end - 4, end - 2);
  const answers = records.map((data) => Buffer.concat([numbers(0xc00c), type, numbers(1, 0, 60, data.length), data]));
  return Buffer.concat([head, ...answers]);
}

const numbers = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 255])));

const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
