/** A list that is appended to and never changed: an old one stays what it was, and a new one shares all but its end. */

const CHUNK = 64;

export interface List<T> {
  readonly chunks: readonly (readonly T[])[];
  readonly size: number;
  /** Items that are no longer kept, because the list had grown too long. */
  readonly dropped: number;
}

export const EMPTY: List<never> = { chunks: [], size: 0, dropped: 0 };

/** The list with one more item. With `most`, about that many of the latest are kept. */
export function appended<T>(list: List<T>, item: T, most = Infinity): List<T> {
  const last = list.chunks.at(-1);
  if (last !== undefined && last.length < CHUNK) {
    return { ...list, chunks: [...list.chunks.slice(0, -1), [...last, item]], size: list.size + 1 };
  }
  const first = list.chunks[0];
  const full = first !== undefined && list.size - first.length >= most;
  const kept = full ? list.chunks.slice(1) : list.chunks;
  const gone = full ? first.length : 0;
  return { chunks: [...kept, [item]], size: list.size + 1 - gone, dropped: list.dropped + gone };
}

/** The list with another last item. */
export function replacedLast<T>(list: List<T>, item: T): List<T> {
  const last = list.chunks.at(-1);
  return last === undefined ? list : { ...list, chunks: [...list.chunks.slice(0, -1), [...last.slice(0, -1), item]] };
}

/** The last item. */
export function latest<T>(list: List<T>): T | undefined {
  return list.chunks.at(-1)?.at(-1);
}

/** The items from one place up to another, or all of them. */
export function items<T>(list: List<T>, from = 0, to = list.size): T[] {
  const found: T[] = [];
  let start = 0;
  for (const chunk of list.chunks) {
    if (start + chunk.length > from && start < to) found.push(...chunk.slice(Math.max(0, from - start), to - start));
    start += chunk.length;
  }
  return found;
}
