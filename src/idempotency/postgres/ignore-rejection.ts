/** A promise that may be left alone: a handler may never look at what it started, and the failure is judged at COMMIT. */
export function ignoreRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
