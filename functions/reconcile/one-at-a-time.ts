/**
 * Runs work for a key, one at a time. Whoever comes while it runs shares the next run, which begins after this one has
 * ended: fifty events that arrive together are two looks, and each event is answered by a look that began after it came.
 */
export function oneAtATime(work: (key: string) => Promise<void>): (key: string) => Promise<void> {
  const running = new Map<string, { current: Promise<void>; next: Promise<void> | undefined }>();

  const start = (key: string): Promise<void> => {
    const current = work(key).finally(() => {
      if (running.get(key)?.next === undefined) running.delete(key);
    });
    running.set(key, { current, next: undefined });
    return current;
  };

  return (key) => {
    const entry = running.get(key);
    if (!entry) return start(key);
    entry.next ??= entry.current.catch(() => undefined).then(() => start(key));
    return entry.next;
  };
}
