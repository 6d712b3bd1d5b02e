import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { startSmtpSink } from '../../services/smtpSink.ts';

/** Says each line after the answer to the one before; resolves to the answers' codes. */
async function talk(port: number, lines: readonly string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  const codes: string[] = [];
  const rest = [...lines];
  for await (const line of createInterface({ input: socket })) {
    if (line[3] === '-') continue;
    codes.push(line.slice(0, 3));
    const next = rest.shift();
    if (next === undefined) break;
    socket.write(`${next}\r\n`);
  }
  socket.destroy();
  return codes;
}

const MAIL = ['EHLO me', 'MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>', 'RCPT TO:<gone@example.test>', 'DATA', 'Subject: hi\r\n\r\nline é\r\n.', 'QUIT'];

describe('startSmtpSink', () => {
  it('keeps what it gets, and refuses whom it is told to', async () => {
    const sink = await startSmtpSink({ refuse: (address) => address.startsWith('gone') });
    expect(await talk(sink.port, MAIL)).toEqual(['220', '250', '250', '250', '550', '354', '250', '221']);
    expect(await sink.arrived(1)).toEqual([{ from: 'a@example.test', to: ['b@example.test'], raw: 'Subject: hi\r\n\r\nline é\r\n', user: null, secure: false }]);
    await expect(sink.arrived(2, 50)).rejects.toThrow('1 of 2');
    await sink.stop();
  });

  it('takes nothing without the log-in, where one is asked for', async () => {
    const sink = await startSmtpSink({ auth: { user: 'relay', password: 'pass' } });
    const plain = (password: string) => `AUTH PLAIN ${Buffer.from(`\0relay\0${password}`).toString('base64')}`;
    expect((await talk(sink.port, MAIL))[2]).toBe('530');
    expect((await talk(sink.port, ['EHLO me', plain('wrong'), 'QUIT']))[2]).toBe('535');
    await talk(sink.port, ['EHLO me', plain('pass'), ...MAIL.slice(1)]);
    expect((await sink.arrived(1)).map(({ user }) => user)).toEqual(['relay']);
    await sink.stop();
  });
});
