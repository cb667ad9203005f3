/** Values that the tab or the browser stores for the page; without storage, as with blocked cookies, they last until the page is left. */

type Where = "localStorage" | "sessionStorage";

const held = new Map<string, string>();

/** The value stored under a name; null if there is none. */
export function stored(where: Where, name: string): string | null {
  try {
    return globalThis[where].getItem(name);
  } catch {
    return held.get(name) ?? null;
  }
}

/** Store a value under a name. */
export function store(where: Where, name: string, value: string): void {
  try {
    globalThis[where].setItem(name, value);
  } catch {
    held.set(name, value);
  }
}
