/**
 * On every answer, replays and refusals too: they are for one client and of one moment, so nothing on the way keeps them
 * (RFC 9111, section 5.2.2.5; who has a version itself may still ask with If-None-Match), and nobody takes them for another
 * media type than they say. No part of what is stored under a key.
 */
export const ANSWER_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
