import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupMembers, ungroupMembers } from '../../ingestion/lineage-projection/grouped-members.js';

const part = fc.string({ unit: fc.constantFrom('a', 'b', '1', '%', '.', ':') });
const key = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(' '));
const members = fc.dictionary(key, fc.record({ at: fc.nat({ max: 2 }), note: fc.option(fc.constant('[]')) }));

const inOrder = <T>(record: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

describe('members in groups', () => {
  it('are the members again once they were printed, whatever their keys are', () => {
    fc.assert(
      fc.property(members, (given) => {
        const printed = JSON.stringify(groupMembers(inOrder(given)));
        expect(ungroupMembers(JSON.parse(printed))).toEqual(inOrder(given));
        expect(JSON.stringify(groupMembers(ungroupMembers(JSON.parse(printed))))).toBe(printed);
      }),
    );
  });

  it('tell each value and each beginning of a urn once', () => {
    const [one, same, other] = [{ at: 1 }, { at: 1 }, { at: 2 }];
    expect(groupMembers({ 'u:f:a u:g:x': one, 'u:f:b u:g:x': same, 'u:f:c u:g:y': other })).toEqual({
      prefixes: ['u:f:', 'u:g:'],
      groups: [
        { value: one, keys: ['0:a 1:x', '0:b 1:x'] },
        { value: other, keys: ['0:c 1:y'] },
      ],
    });
  });
});
