import * as fc from 'fast-check';
import { TypeID } from 'typeid-js';
import { validate, version } from 'uuid';
import { newOperationId, operationUuid, publicOperationId } from '../../src/idempotency/operation-id.js';
import { publicId, uuidOf } from '../../src/kernel/ids.js';

const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const uuids = fc.oneof(fc.uuid(), fc.constantFrom('00000000-0000-0000-0000-000000000000', LAST));

describe("an operation's id", () => {
  it('is a UUIDv7 of now, and never one of before', () => {
    const before = Date.now();
    const ids = Array.from({ length: 10_000 }, newOperationId);
    const after = Date.now();
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) {
      expect([validate(id), version(id)]).toEqual([true, 7]);
      const at = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
      expect(at >= before && at <= after).toBe(true);
    }
  });

  it('has as its public form the TypeID that typeid-js makes, and comes back from it', () => {
    fc.assert(
      fc.property(uuids, (uuid) => {
        expect(publicOperationId(uuid)).toBe(TypeID.fromUUID('op', uuid).toString());
        expect(operationUuid(publicOperationId(uuid))).toBe(uuid);
        expect(publicId('ord', uuid)).toBe(TypeID.fromUUID('ord', uuid).toString());
        expect(uuidOf('ord', publicId('ord', uuid))).toBe(uuid);
        expect(uuidOf('pay', publicId('ord', uuid))).toBeNull();
      }),
    );
  });

  it('has one spelling: every text that gives a uuid is its public form', () => {
    const near = fc.tuple(uuids, fc.nat({ max: 28 }), fc.string({ maxLength: 2 })).map(([uuid, at, put]) => {
      const id = publicOperationId(uuid);
      return id.slice(0, at) + put + id.slice(at + 1);
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const uuid = operationUuid(text);
        expect(uuid === null ? null : publicOperationId(uuid)).toBe(uuid === null ? null : text);
      }),
    );
    const first = publicOperationId(LAST);
    for (const text of [
      first.toUpperCase(),
      `${first}\n`,
      first.replace('op_7', 'op_8'),
      first.replace('op_', 'or_'),
      `op_${'i'.repeat(26)}`,
    ])
      expect(operationUuid(text)).toBeNull();
  });
});
