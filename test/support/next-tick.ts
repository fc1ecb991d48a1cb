/** Resolves once all calls made before it are on their way to the server: a store collects those of one turn of the event loop. */
export function nextTick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
