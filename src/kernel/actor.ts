import { userInfo } from 'node:os';

/** Who does something by a command, as the trail and the database name it: `os:alice` for a user of the operating system. */
export type Actor = `os:${string}`;

/** The user of the operating system who runs this; its number where it has no name, as in some containers. */
export function actor(): Actor {
  try {
    return `os:${userInfo().username}`;
  } catch {
    return `os:${process.getuid?.() ?? 'unknown'}`;
  }
}
