/** Waiting in real time for what other processes do. */

export async function until(
  what: string,
  isTrue: () => boolean,
  timeoutMs = 30_000,
  everyMs = 50,
): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (!isTrue()) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
