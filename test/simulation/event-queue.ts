import type { Machine } from "./virtual-time.js";

/** What a turn of an event loop does first: timers, then what came in, then immediates. */
export const TIMER = 0;
export const MESSAGE = 1;
export const IMMEDIATE = 2;

/** Something that happens at a moment, on a machine or nowhere in particular. */
export interface Event {
  /** When it happens, in milliseconds since the simulation began. */
  at: number;
  /** When it was to happen, which is earlier on a machine that stood still. */
  readonly dueAt: number;
  readonly kind: number;
  readonly order: number;
  readonly machine: Machine | undefined;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Events in the order in which they happen: a binary heap. */
export class EventQueue {
  readonly #heap: Event[] = [];

  push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  /** Takes out the first event that was not cancelled, if it happens by `moment`. */
  shift(moment: number): Event | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.at <= moment; first = this.#heap[0]) {
      this.#removeFirst();
      if (!first.isCancelled) return first;
    }
    return undefined;
  }

  /** Those that are still to come. */
  get left(): readonly Event[] {
    return this.#heap.filter(({ isCancelled }) => !isCancelled);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (child >= heap.length || !isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  const ms = one.at - other.at || one.kind - other.kind || one.dueAt - other.dueAt;
  return (ms || one.order - other.order) < 0;
}
