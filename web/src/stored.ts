/** What this tab or this browser keeps for the page; where it refuses to, as with blocked cookies, the page does until it is left. */

type Where = "localStorage" | "sessionStorage";

const held = new Map<string, string>();

/** What was kept under that name; null where nothing was. */
export function stored(where: Where, name: string): string | null {
  try {
    return globalThis[where].getItem(name);
  } catch {
    return held.get(name) ?? null;
  }
}

/** Keep it under that name. */
export function store(where: Where, name: string, value: string): void {
  try {
    globalThis[where].setItem(name, value);
  } catch {
    held.set(name, value);
  }
}
