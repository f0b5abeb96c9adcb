import { buildSchema, type ExecutionArgs, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { SocketExecutions } from '../../server/graphql/socket-executions.js';

const schema = buildSchema('type Query { slow: Int }');
const document = parse('{ slow }');

/** An operation whose only field is answered by `finish`. */
function operation() {
  let finish: () => void = () => undefined;
  const answer = new Promise<number>((resolve) => {
    finish = () => resolve(7);
  });
  const seen = { started: false };
  const slow = () => {
    seen.started = true;
    return answer;
  };
  const args: ExecutionArgs = { schema, document, rootValue: { slow } };
  return { args, seen, finish };
}

describe('operations of one socket', () => {
  it('run eight at once, and the others in their turn', async () => {
    const executions = new SocketExecutions();
    const socket = {};
    const operations = Array.from({ length: 10 }, operation);
    for (const { args } of operations) executions.expect(args, socket, () => true);
    const answers = operations.map(({ args }) => executions.execute(args));
    const started = () => operations.map(({ seen }) => seen.started);
    expect(started()).toEqual([...Array(8).fill(true), false, false]);
    operations[3]?.finish();
    expect(await answers[3]).toEqual({ data: { slow: 7 } });
    await expect.poll(started).toEqual([...Array(9).fill(true), false]);
    for (const { finish } of operations) finish();
    expect(await Promise.all(answers)).toEqual(Array(10).fill({ data: { slow: 7 } }));
  });

  it('do not wait for those of another socket', () => {
    const executions = new SocketExecutions();
    const operations = Array.from({ length: 9 }, operation);
    for (const [index, { args }] of operations.entries()) {
      executions.expect(args, index < 8 ? FIRST : SECOND, () => true);
      void executions.execute(args);
    }
    expect(operations.map(({ seen }) => seen.started)).toEqual(Array(9).fill(true));
    for (const { finish } of operations) finish();
  });

  it('are not carried out when they were taken back before their turn', async () => {
    const executions = new SocketExecutions();
    const operations = Array.from({ length: 9 }, operation);
    for (const [index, { args }] of operations.entries()) executions.expect(args, FIRST, () => index < 8);
    const answers = operations.map(({ args }) => executions.execute(args));
    for (const { finish } of operations) finish();
    await Promise.all(answers);
    expect(operations.map(({ seen }) => seen.started)).toEqual([...Array(8).fill(true), false]);
  });

  it('must have been admitted', async () => {
    await expect(new SocketExecutions().execute(operation().args)).rejects.toThrow(TypeError);
  });
});

const FIRST = {};
const SECOND = {};
