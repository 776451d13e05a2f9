/**
 * A priority queue ordered by (time, sequence): two things due at one instant happen in the order
 * in which they were put in, so a run is the same every time.
 */

export interface Queued<Item> {
  readonly dueAt: number;
  readonly sequence: number;
  readonly item: Item;
}

export interface EventQueue<Item> {
  push(dueAt: number, item: Item): Queued<Item>;
  peek(): Queued<Item> | undefined;
  pop(): Queued<Item> | undefined;
  remove(entry: Queued<Item>): void;
  readonly size: number;
}

export function createEventQueue<Item>(): EventQueue<Item> {
  const heap: Queued<Item>[] = [];
  let sequence = 0;
  return {
    push(dueAt, item) {
      sequence += 1;
      const entry = { dueAt, sequence, item };
      heap.push(entry);
      rise(heap, heap.length - 1);
      return entry;
    },
    peek: () => heap[0],
    pop() {
      return takeAt(heap, 0);
    },
    remove(entry) {
      const index = heap.indexOf(entry);
      if (index >= 0) takeAt(heap, index);
    },
    get size() {
      return heap.length;
    },
  };
}

function takeAt<Item>(heap: Queued<Item>[], index: number): Queued<Item> | undefined {
  const taken = heap[index];
  const last = heap.pop();
  if (last === undefined || taken === undefined || last === taken) return taken;
  heap[index] = last;
  sink(heap, index);
  rise(heap, index);
  return taken;
}

function rise<Item>(heap: Queued<Item>[], start: number): void {
  let index = start;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(heap[index], heap[parent])) return;
    swap(heap, index, parent);
    index = parent;
  }
}

function sink<Item>(heap: Queued<Item>[], start: number): void {
  let index = start;
  for (;;) {
    const left = index * 2 + 1;
    const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
    if (!isBefore(heap[least], heap[index])) return;
    swap(heap, index, least);
    index = least;
  }
}

function isBefore<Item>(one: Queued<Item> | undefined, other: Queued<Item> | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.sequence < other.sequence);
}

function swap<Item>(heap: Queued<Item>[], one: number, other: number): void {
  const first = heap[one];
  const second = heap[other];
  if (first === undefined || second === undefined) return;
  heap[one] = second;
  heap[other] = first;
}
