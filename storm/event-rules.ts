import { publicId } from '../src/kernel/ids.js';
import { ENDPOINTS, type Endpoint } from './endpoints.js';
import type { EventRow, Facts } from './facts.js';
import type { Receipt } from './receiver.js';

/** What must hold of events and their deliveries. */
export const EVENT_RULES = {
  'each version of an order, a ticket and a product has one event': (facts: Facts) => {
    const told = byResource(facts.events);
    // Products that were there before the storm were made without a word.
    const known = new Set(facts.stock.filter(({ isOld }) => isOld).map(({ product }) => product));
    return [
      ...facts.orders.map(({ id, version }) => ({ id: publicId('ord', id), first: 1, version })),
      ...facts.tickets.map(({ id, version }) => ({ id: publicId('tkt', id), first: 1, version })),
      ...facts.stock.map(({ product, version }) => ({ id: product, first: known.has(product) ? 2 : 1, version })),
    ].flatMap(({ id, first, version }) => {
      const versions = (told.get(id) ?? []).map((event) => event.resource_version).toSorted((one, other) => one - other);
      const due = Array.from({ length: version - first + 1 }, (_, at) => first + at);
      return versions.join() === due.join() ? [] : [`${id} has the version ${version}, and events of ${versions.join() || 'none'}`];
    });
  },

  'each outcome of a payment and a refund has one event': ({ events, payments, refunds }: Facts) => {
    const told = byResource(events);
    const unlike = (id: string, due: string[]): string[] => {
      const types = (told.get(id) ?? []).map(({ type }) => type).toSorted();
      return types.join() === due.toSorted().join()
        ? []
        : [`${id} has the events ${types.join() || 'none'}, and should have ${due.join()}`];
    };
    const outcome = (kind: string, status: string): string[] => (status === 'processing' ? [] : [`${kind}.${status}`]);
    return [
      ...payments.flatMap(({ id, status }) => unlike(publicId('pay', id), ['payment.processing', ...outcome('payment', status)])),
      ...refunds.flatMap(({ id, status }) => unlike(publicId('re', id), outcome('refund', status))),
    ];
  },

  'no event tells of what was rolled back': (facts: Facts) => {
    const rows = new Set([
      ...facts.orders.map(({ id }) => publicId('ord', id)),
      ...facts.tickets.map(({ id }) => publicId('tkt', id)),
      ...facts.payments.map(({ id }) => publicId('pay', id)),
      ...facts.refunds.map(({ id }) => publicId('re', id)),
      ...facts.stock.map(({ product }) => product),
    ]);
    const keyOf = new Map(facts.records.map((record) => [record.operation_id, record.key]));
    const takenBack = new Set(
      facts.events.filter(({ data }) => failureOf(data) === 'provider_not_reached').map((event) => event.resource_id),
    );
    return facts.events
      .filter((event) => !takenBack.has(event.resource_id))
      .filter(({ resource_id: id, operation_id: operation, idempotency_key: key }) => {
        const known = operation === null || (key === null ? keyOf.has(operation) : keyOf.get(operation) === key);
        return !rows.has(id) || !known;
      })
      .map(({ type, resource_id: id }) => `${type} of ${id}`);
  },

  'every receiver has every event that it asked for': (facts: Facts) =>
    ENDPOINTS.flatMap((endpoint) => {
      const taken = new Set(receiptsOf(facts, endpoint).flatMap(({ id, taken: has }) => (has ? [id] : [])));
      return wantedOf(facts, endpoint)
        .filter(({ id }) => !taken.has(publicId('evt', id)))
        .map(({ id, type }) => `${endpoint.path} has not got ${type} ${publicId('evt', id)}`);
    }),

  'no version is sent before the one below it was taken': (facts: Facts) =>
    ENDPOINTS.flatMap((endpoint) => {
      const wanted = wantedOf(facts, endpoint);
      const ofResource = byResource(wanted);
      const byId = new Map(wanted.map((event) => [publicId('evt', event.id), event]));
      const taken = new Set<string>();
      return receiptsOf(facts, endpoint).flatMap(({ id, taken: has }) => {
        const event = byId.get(id);
        if (has) taken.add(id);
        const below = (ofResource.get(event?.resource_id ?? '') ?? []).filter(
          (other) => event && other.resource_version < event.resource_version,
        );
        return below
          .filter((other) => !taken.has(publicId('evt', other.id)))
          .map((other) => `${endpoint.path}: ${event?.type} of ${other.resource_id} came before version ${other.resource_version}`);
      });
    }),

  'what receivers are told is signed, and stands in an event': (facts: Facts) =>
    ENDPOINTS.flatMap((endpoint) => {
      const byId = new Map(wantedOf(facts, endpoint).map((event) => [publicId('evt', event.id), event]));
      return receiptsOf(facts, endpoint)
        .filter(({ id, body, signed }) => !signed || !says(body, id, byId.get(id)))
        .map(({ id, signed }) => `${endpoint.path} got ${id}, ${signed ? 'signed' : 'unsigned'}`);
    }),
};

function byResource(events: EventRow[]): Map<string, EventRow[]> {
  const told = new Map<string, EventRow[]>();
  for (const event of events) told.set(event.resource_id, [...(told.get(event.resource_id) ?? []), event]);
  return told;
}

function wantedOf({ events }: Facts, { types }: Endpoint): EventRow[] {
  return events.filter(({ type }) => types.includes('*') || types.includes(type));
}

function receiptsOf({ receipts }: Facts, { path }: Endpoint): Receipt[] {
  return receipts.filter((receipt) => receipt.path === path);
}

function failureOf(data: string): unknown {
  return (JSON.parse(data) as { failureCode?: unknown }).failureCode;
}

function says(body: string, id: string, event: EventRow | undefined): boolean {
  if (!event) return false;
  const told = JSON.parse(body) as { id: string; type: string; resource: { id: string; version: number }; data: unknown };
  const { type, resource_id: resource, resource_version: version, data } = event;
  const same = told.id === id && told.type === type && told.resource.id === resource && told.resource.version === version;
  return same && JSON.stringify(told.data) === JSON.stringify(JSON.parse(data));
}
