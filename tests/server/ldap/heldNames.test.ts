import { HeldNames, type ListedName } from '../../../server/ldap/heldNames.ts';

const names = (count: number): readonly ListedName[] => Array.from<ListedName>({ length: count }).fill({ address: 'a@example.test', dn: 'uid=a,dc=example,dc=test' });

describe('names held of LDAP lists', () => {
  beforeEach(() => { jest.useFakeTimers(); });
  afterEach(() => { jest.useRealTimers(); });

  it('holds a list for a minute from when it was read, however often it is asked for', () => {
    const held = new HeldNames();
    const list = names(3);
    held.hold('one', list);
    jest.advanceTimersByTime(50_000);
    expect(held.of('one')).toBe(list);
    held.hold('two', names(3));
    jest.advanceTimersByTime(11_000);
    expect(held.of('one')).toBeNull();
    expect(held.of('two')).not.toBeNull();
  });

  it('counts the minute from the last time the list was read', () => {
    const held = new HeldNames();
    held.hold('one', names(3));
    jest.advanceTimersByTime(50_000);
    const anew = names(2);
    held.hold('one', anew);
    jest.advanceTimersByTime(50_000);
    expect(held.of('one')).toBe(anew);
  });

  it('holds 200,000 names of all lists together: the oldest list goes first, and one that is too long by itself is not held', () => {
    const held = new HeldNames();
    held.hold('oldest', names(60_000));
    held.hold('older', names(60_000));
    held.hold('newer', names(80_000));
    expect(['oldest', 'older', 'newer'].filter((list) => held.of(list) !== null)).toEqual(['oldest', 'older', 'newer']);
    held.hold('newest', names(60_001));
    expect(['oldest', 'older', 'newer', 'newest'].filter((list) => held.of(list) !== null)).toEqual(['newer', 'newest']);
    held.hold('too long', names(200_001));
    expect(['newer', 'newest', 'too long'].filter((list) => held.of(list) !== null)).toEqual(['newer', 'newest']);
    // In its own place a list takes no more room than it has.
    held.hold('newest', names(120_000));
    expect(['newer', 'newest'].filter((list) => held.of(list) !== null)).toEqual(['newer', 'newest']);
    // What became too long is not told as it was before.
    held.hold('newest', names(200_001));
    expect(held.of('newest')).toBeNull();
  });

  it('drops all, and leaves no timer behind', () => {
    const held = new HeldNames();
    held.hold('one', names(3));
    held.hold('two', names(3));
    held.hold('two', names(3));
    held.dropAll();
    expect([held.of('one'), held.of('two')]).toEqual([null, null]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
