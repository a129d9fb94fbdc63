import { ApiSchema } from '@nestjs/swagger';
import { EVENT_TYPES } from '../events/event-types.js';
import { publicId } from '../kernel/ids.js';
import { AnswerField, RequestField, type TextField, type WordsField } from '../openapi/field.decorator.js';
import { createdAt, idOf, time, updatedAt } from '../openapi/fields.js';
import { DISABLED_REASONS, ENDPOINT_STATUSES, type DisabledReason, type EndpointStatus, type WebhookEndpoint } from './endpoint.entity.js';

/** What an endpoint may ask for: every type of event, or all of them. */
const WANTED_TYPES: string[] = ['*', ...EVENT_TYPES];

/** A host that no reading of addresses takes for another one: a name, four numbers, or an IPv6 address. */
const HOST = '(?:(?:[A-Za-z0-9-]+\\.)*[A-Za-z][A-Za-z0-9-]*|\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[0-9A-Fa-f:.]+\\])';
const URL_PATTERN = `^https?://${HOST}(?::\\d{1,5})?(?:[/?][!-"$-?A-~]*)?$`;

const url = {
  type: 'string',
  pattern: URL_PATTERN,
  refusal: 'must be a URL that begins with https:// and has neither user, password nor fragment',
  maxLength: 2_048,
  description:
    'Where events are posted. It begins with `https://`, and leads to a public address; what else is allowed is the operator’s list.',
  example: 'https://shop.example.com/webhooks',
} satisfies TextField;
const types = {
  type: 'array',
  items: { type: 'string', enum: WANTED_TYPES },
  minItems: 1,
  maxItems: WANTED_TYPES.length,
  description: 'Types of the events that are wanted; `*` for all, those to come too.',
  example: ['order.paid', 'refund.succeeded'],
} satisfies WordsField;
const description = {
  type: 'string',
  maxLength: 255,
  description: 'What it is for.',
  example: 'The warehouse',
} satisfies TextField;
const status = {
  type: 'string',
  enum: ENDPOINT_STATUSES,
  description: 'Whether it is sent to. Of a disabled one all that is pending waits, and so do the events since, for 30 days.',
} satisfies TextField;

@ApiSchema({ description: 'A new webhook endpoint.' })
export class CreateWebhookEndpoint {
  @RequestField(url)
  url: string;

  @RequestField(types)
  types: string[];

  @RequestField({ ...description, required: false, nullable: true })
  description?: string | null;
}

@ApiSchema({ description: 'What may change in a webhook endpoint. Members that are absent stay.' })
export class UpdateWebhookEndpoint {
  @RequestField({ ...url, required: false })
  url?: string;

  @RequestField({ ...types, required: false })
  types?: string[];

  @RequestField({ ...description, required: false, nullable: true })
  description?: string | null;

  @RequestField({ ...status, required: false })
  status?: EndpointStatus;
}

@ApiSchema({ description: 'An action without members; an empty body will do.' })
export class WebhookAction {}

@ApiSchema({ name: 'WebhookEndpoint', description: 'Where the account is told of its events.' })
export class WebhookEndpointView {
  @AnswerField(idOf('we', 'Id of the endpoint.'))
  id: string;

  @AnswerField(url)
  url: string;

  @AnswerField(types)
  types: string[];

  @AnswerField({ ...description, nullable: true })
  description: string | null;

  @AnswerField(status)
  status: EndpointStatus;

  @AnswerField({
    type: 'string',
    enum: DISABLED_REASONS,
    nullable: true,
    description: 'Why the service disabled it: all attempts failed for three days, or the receiver answered 410. Null otherwise.',
  })
  disabledReason: DisabledReason | null;

  @AnswerField({ ...time('Since when every attempt has failed; null when the last one succeeded.'), nullable: true })
  failingSince: Date | null;

  @AnswerField({
    ...time('Until when messages are signed with the secret before this one as well; null where there is none.'),
    nullable: true,
  })
  previousSecretValidUntil: Date | null;

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField(updatedAt)
  updatedAt: Date;

  /** `now`: by whose clock a former secret has ended. */
  static of(endpoint: ShownEndpoint, now = new Date()): WebhookEndpointView {
    const { previousValidUntil: until } = endpoint;
    return {
      id: publicId('we', endpoint.id),
      url: endpoint.url,
      types: endpoint.types,
      description: endpoint.description,
      status: endpoint.status,
      disabledReason: endpoint.disabledReason,
      failingSince: endpoint.failingSince,
      previousSecretValidUntil: until && until > now ? until : null,
      createdAt: endpoint.createdAt,
      updatedAt: endpoint.updatedAt,
    };
  }
}

/** What of an endpoint is shown. */
export type ShownEndpoint = Omit<WebhookEndpoint, 'accountId' | 'secret' | 'previousSecret' | 'positionTransaction' | 'positionEvent'>;

@ApiSchema({ name: 'WebhookSecret', description: 'What an endpoint’s messages are signed with.' })
export class WebhookSecretView {
  @AnswerField({ type: 'string', description: '`whsec_` and base64 of 32 bytes.', example: `whsec_${'A'.repeat(43)}=` })
  secret: string;

  @AnswerField({
    type: 'string',
    nullable: true,
    description: 'The one before, with which messages are signed as well for 24 hours; null where there is none.',
    example: null,
  })
  previousSecret: string | null;

  @AnswerField({ ...time('Until when that is so.'), nullable: true })
  previousSecretValidUntil: Date | null;
}

/** Where endpoints are. */
export const ENDPOINTS_PATH = '/v1/webhook-endpoints';

/** Where an endpoint is found; `id`: its public id. */
export function endpointPath({ id }: { id: string }): string {
  return `${ENDPOINTS_PATH}/${id}`;
}
