/** In which order managed instances are worked on, and how many at once. */
import { WorkQueue } from "../../src/controller/queue";
import type { Wanted } from "../../src/controller/survey";

const wanted = (id: string, urgency: Wanted["urgency"] = "upkeep"): Wanted => ({
  id,
  urgency,
  reason: "it is due",
});

/** A queue whose work lasts until the test ends it. */
function openQueue(atOnce: number) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  let now = 0;
  const queue = new WorkQueue({
    atOnce,
    now: () => now,
    run: ({ id }) => {
      begun.push(id);
      return new Promise((resolve) => ends.set(id, resolve));
    },
  });
  const end = async (id: string) => {
    ends.get(id)?.();
    await new Promise(setImmediate);
  };
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { queue, begun, end, pass };
}

test("upkeep gets half of the places, and recovery all that are left", async () => {
  const { begun, end, queue } = openQueue(4);
  for (const id of ["u1", "u2", "u3", "u4"]) queue.add(wanted(id));
  expect(begun).toEqual(["u1", "u2"]);
  for (const id of ["r1", "r2", "r3"]) queue.add(wanted(id, "recovery"));
  expect(begun).toEqual(["u1", "u2", "r1", "r2"]);
  await end("u1");
  expect(begun.at(-1)).toBe("r3");
  await end("u2");
  expect(begun.at(-1)).toBe("u3");
});

test("each managed instance is worked on once at a time, and waits once", async () => {
  const { begun, end, queue } = openQueue(2);
  for (const id of ["a", "b", "a", "b", "b"]) queue.add(wanted(id));
  expect(begun).toEqual(["a"]);
  expect(queue.depth).toEqual({ active: 1, waiting: 1 });
  await end("a");
  await end("b");
  expect(begun).toEqual(["a", "b"]);
});

test("what waits becomes urgent when it is found to be down, and never less urgent", async () => {
  const { begun, end, queue } = openQueue(2);
  for (const id of ["a", "b", "c"]) queue.add(wanted(id));
  queue.add(wanted("c", "recovery"));
  expect(begun).toEqual(["a", "c"]);
  queue.add(wanted("d", "recovery"));
  queue.add(wanted("d", "upkeep"));
  await end("c");
  expect(begun).toEqual(["a", "c", "d"]);
});

test("the lag is the time of the one that waits longest", async () => {
  const { end, pass, queue } = openQueue(2);
  expect(queue.lagMs).toBe(0);
  queue.add(wanted("a"));
  queue.add(wanted("b"));
  pass(3000);
  queue.add(wanted("c"));
  pass(1000);
  expect(queue.lagMs).toBe(4000);
  await end("a");
  expect(queue.lagMs).toBe(1000);
});

test("idle means that nothing waits and nothing is worked on, also after the rest was forgotten", async () => {
  const { end, queue } = openQueue(2);
  await queue.idle();
  queue.add(wanted("a"));
  queue.add(wanted("b"));
  let isIdle = false;
  const idle = queue.idle().then(() => {
    isIdle = true;
  });
  queue.clear();
  await new Promise(setImmediate);
  expect(isIdle).toBe(false);
  await end("a");
  await idle;
  expect(queue.depth).toEqual({ active: 0, waiting: 0 });
});
