// What every ControllerRegistry promises, whatever it keeps its entries in: one suite for all of them.

import { isDeepStrictEqual } from "node:util";
import type {
  Bucket,
  ControllerRegistry,
  Entry,
  HistoryEvent,
  Lease,
  Registration,
  Standing,
} from "../../src/controller/registry";
import { ledger, minutes, now, seconds, spec } from "../engine/builders";

/** A registry with nothing in it, and others that share what it keeps, as other processes have. */
export interface OpenRegistry {
  registry: ControllerRegistry;
  another(): ControllerRegistry;
  /** How often what may lag behind a write is read again until it is as expected; default once. */
  patience?: number;
}

export const id = "pmi-0123456789ab";
const otherId = "pmi-ba9876543210";

export const registration = (change: Partial<Registration> = {}): Registration => ({
  id,
  creationKey: "organization/project/stack/name",
  spec: spec({ userData: "#!/bin/sh\necho 'grüß dich' > /etc/motd\n", tags: { team: "a=b c" } }),
  specVersion: 3,
  interfaceId: "eni-0123456789abcdef0",
  deallocate: false,
  ...change,
});

const standing = (change: Partial<Standing> = {}): Standing => ({
  kind: "done",
  reason: "all is as it should be until upkeep is due",
  at: now,
  specVersion: 3,
  ...change,
});

const span = (at = now, untilAt = at + 2 * minutes) => ({ now: at, untilAt });

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The lease, or an error where none was given. */
export async function leased(
  registry: ControllerRegistry,
  holder = "one",
  at = now,
  of = id,
): Promise<Lease> {
  const lease = await registry.acquire(of, holder, span(at));
  if (lease === undefined) throw new Error(`${holder} got no lease on ${of}`);
  return lease;
}

export const event = (change: Partial<HistoryEvent> = {}): HistoryEvent => ({
  at: now,
  kind: "step",
  message: "launching generation 2",
  ...change,
});

export function controllerRegistrySuite(name: string, open: () => Promise<OpenRegistry>): void {
  describe(`the controller's registry in ${name}`, () => {
    let opened: OpenRegistry;
    let registry: ControllerRegistry;
    beforeEach(async () => {
      opened = await open();
      registry = opened.registry;
    });

    const agree = async <Item>(read: () => Promise<Item>, expected: Item) => {
      let found = await read();
      for (let again = 1; again < (opened.patience ?? 1); again++) {
        if (isDeepStrictEqual(found, expected)) break;
        found = await read();
      }
      expect(found).toEqual(expected);
    };
    const expectDue = (at: number, ids: string[]) => agree(() => collect(registry.due(at)), ids);
    const expectListed = (by: ControllerRegistry, ids: string[]) =>
      agree(async () => (await collect(by.list())).map((each) => each.id).sort(), ids);
    const entry = async (of = id): Promise<Entry> => {
      const found = await registry.get(of);
      if (found === undefined) throw new Error(`${of} is not registered`);
      return found;
    };

    describe("registering", () => {
      it("keeps every field of what was registered and makes it due at once", async () => {
        const expected = { ...registration(), asked: {}, dueAt: now };
        expect(await registry.register(registration(), now)).toEqual(expected);
        expect(await opened.another().get(id)).toEqual(expected);
        await expectDue(now, [id]);
      });

      it("knows nothing of an id that was never registered", async () => {
        expect(await registry.get(id)).toBeUndefined();
        expect(await registry.ask(id, { desiredState: "paused" }, now)).toBeUndefined();
        expect(await registry.acquire(id, "one", span())).toBeUndefined();
        await registry.wake(id, now);
        await expectDue(now, []);
        expect(await registry.history(id, { limit: 10 })).toEqual([]);
      });

      it("can be repeated: the same version again changes nothing but when it is due", async () => {
        await registry.register(registration(), now);
        await registry.ask(id, { desiredState: "paused", recycleGeneration: 4 }, now);
        const lease = await leased(registry);
        await registry.release(lease, { dueAt: now + 5 * minutes, standing: standing() });
        const before = await entry();
        const again = await registry.register(registration(), now + minutes);
        expect(again).toEqual({ ...before, dueAt: now + minutes });
        expect(await entry()).toEqual(again);
      });

      it("of two specifications under one version the first holds, and the other is told so", async () => {
        await registry.register(registration(), now);
        const other = registration({ spec: spec({ imageId: "ami-0000000b" }) });
        expect((await registry.register(other, now)).spec).toEqual(registration().spec);
      });

      it("the same version may say where the interface is, and that it is to be ended", async () => {
        await registry.register(registration({ interfaceId: undefined }), now);
        expect((await entry()).interfaceId).toBeUndefined();
        await registry.register(registration({ interfaceId: "eni-9", deallocate: true }), now);
        await registry.register(registration({ interfaceId: undefined }), now);
        expect(await entry()).toMatchObject({ interfaceId: "eni-9", deallocate: true });
      });

      it("a newer specification takes the place of the former and ends the desired state asked for", async () => {
        await registry.register(registration(), now);
        const asked = { desiredState: "paused", recycleGeneration: 4, snapshotAt: now } as const;
        await registry.ask(id, asked, now);
        const lease = await leased(registry);
        await registry.saveLedger(lease, ledger());
        await registry.release(lease, { dueAt: now + 5 * minutes, standing: standing() });
        const newer = registration({ specVersion: 4, spec: spec({ imageId: "ami-0000000b" }) });
        const expected = {
          ...newer,
          asked: { recycleGeneration: 4, snapshotAt: now },
          dueAt: now + minutes,
          ledger: ledger(),
          standing: standing(),
        };
        expect(await registry.register(newer, now + minutes)).toEqual(expected);
        expect(await entry()).toEqual(expected);
      });

      it("an older specification changes nothing, not even when it is due", async () => {
        await registry.register(registration({ specVersion: 4 }), now);
        const lease = await leased(registry);
        await registry.release(lease, { dueAt: now + 5 * minutes, standing: standing() });
        const before = await entry();
        const older = registration({ specVersion: 3, deallocate: true });
        expect(await registry.register(older, now + minutes)).toEqual(before);
        expect(await entry()).toEqual(before);
      });

      it("of many versions that are registered at once the highest holds", async () => {
        const versions = [5, 2, 9, 7, 1, 8];
        await Promise.all(
          versions.map((specVersion) =>
            opened.another().register(registration({ specVersion }), now),
          ),
        );
        expect((await entry()).specVersion).toBe(9);
      });

      it("lists every entry", async () => {
        const ids = Array.from({ length: 30 }, (_, at) => `pmi-${String(at).padStart(12, "0")}`);
        await Promise.all(ids.map((each) => registry.register(registration({ id: each }), now)));
        const other = opened.another();
        await expectListed(other, ids);
        const listed = await collect(other.list());
        expect(listed.every((each) => each.spec.userData === registration().spec.userData)).toBe(
          true,
        );
      });
    });

    describe("deregistering", () => {
      it("forgets the entry and keeps its history", async () => {
        await registry.register(registration(), now);
        await registry.register(registration({ id: otherId }), now);
        await registry.append(id, [event()]);
        await registry.deregister(id);
        await registry.deregister(id);
        expect(await registry.get(id)).toBeUndefined();
        await expectDue(now, [otherId]);
        await expectListed(registry, [otherId]);
        expect(await registry.history(id, { limit: 10 })).toEqual([event()]);
      });

      it("takes the lease from whoever is at work on it", async () => {
        await registry.register(registration(), now);
        const lease = await leased(registry);
        await opened.another().deregister(id);
        expect(await registry.renew(lease, now + 3 * minutes)).toBe(false);
        expect(await registry.saveLedger(lease, ledger())).toBe(false);
        expect(await registry.release(lease, { dueAt: now, standing: standing() })).toBe(false);
        expect(await registry.get(id)).toBeUndefined();
      });

      it("a lease from before it stays lost when the id is registered again", async () => {
        await registry.register(registration(), now);
        const former = await leased(registry);
        await registry.deregister(id);
        await registry.register(registration(), now + seconds);
        const lease = await leased(registry, "one", now + seconds);
        expect(lease.fencing).toBeGreaterThan(former.fencing);
        expect(await registry.renew(former, now + 3 * minutes)).toBe(false);
        expect(await registry.renew(lease, now + 3 * minutes)).toBe(true);
      });
    });

    describe("asking", () => {
      it("adds to what was asked for and makes it due", async () => {
        await registry.register(registration(), now);
        const lease = await leased(registry);
        await registry.release(lease, { dueAt: now + 5 * minutes, standing: standing() });
        await registry.ask(id, { snapshotAt: now }, now + minutes);
        const entryAfter = await registry.ask(id, { desiredState: "paused" }, now + minutes);
        expect(entryAfter?.asked).toEqual({ snapshotAt: now, desiredState: "paused" });
        expect(await entry()).toEqual(entryAfter);
        await expectDue(now + minutes, [id]);
      });

      it("keeps the later of two recycles and snapshots, and the last said of two desired states", async () => {
        await registry.register(registration(), now);
        const first = { desiredState: "paused", recycleGeneration: 4, snapshotAt: now } as const;
        await registry.ask(id, first, now);
        await registry.ask(
          id,
          { desiredState: "running", recycleGeneration: 3, snapshotAt: now - 1 },
          now,
        );
        expect((await entry()).asked).toEqual({ ...first, desiredState: "running" });
      });

      it("nothing that several people ask for at once is lost", async () => {
        await registry.register(registration(), now);
        await Promise.all([
          opened.another().ask(id, { desiredState: "paused" }, now),
          opened.another().ask(id, { recycleGeneration: 4 }, now),
          opened.another().ask(id, { snapshotAt: now }, now),
        ]);
        const all = { desiredState: "paused", recycleGeneration: 4, snapshotAt: now };
        expect((await entry()).asked).toEqual(all);
      });
    });

    describe("being due", () => {
      const settle = async (of: string, dueAt: number) => {
        const lease = await leased(registry, "one", now, of);
        await registry.release(lease, { dueAt, standing: standing() });
      };

      it("begins at its instant, longest overdue first", async () => {
        const overdue = [3, 1, 5, 2, 4].map((minute) => ({
          id: `pmi-00000000000${minute}`,
          dueAt: now + minute * minutes,
        }));
        for (const each of overdue) {
          await registry.register(registration({ id: each.id }), now);
          await settle(each.id, each.dueAt);
        }
        await expectDue(now + 3 * minutes - 1, ["pmi-000000000001", "pmi-000000000002"]);
        await expectDue(now + 3 * minutes, [
          "pmi-000000000001",
          "pmi-000000000002",
          "pmi-000000000003",
        ]);
      });

      it("a wake brings it forward and never puts it off", async () => {
        await registry.register(registration(), now);
        await settle(id, now + 5 * minutes);
        await registry.wake(id, now + 2 * minutes);
        await registry.wake(id, now + 9 * minutes);
        expect((await entry()).dueAt).toBe(now + 2 * minutes);
      });

      it.each([Number.NaN, Number.POSITIVE_INFINITY])("is never at %d", async (at) => {
        await registry.register(registration(), now);
        const lease = await leased(registry);
        const never = { dueAt: at, standing: standing() };
        await expect(registry.release(lease, never)).rejects.toThrow(`dueAt is ${at}`);
        await expect(registry.wake(id, at)).rejects.toThrow(`at is ${at}`);
        expect((await entry()).lease).toEqual(lease);
      });

      it("is over while somebody works on it, and comes again if that one is never heard of", async () => {
        await registry.register(registration(), now);
        await leased(registry);
        await expectDue(now + 2 * minutes - 1, []);
        await expectDue(now + 2 * minutes, [id]);
      });

      it("is put off with each renewal", async () => {
        await registry.register(registration(), now);
        const lease = await leased(registry);
        expect(await registry.renew(lease, now + 3 * minutes)).toBe(true);
        await expectDue(now + 3 * minutes - 1, []);
        await expectDue(now + 3 * minutes, [id]);
      });

      it.each([
        ["a wake", () => registry.wake(id, now + seconds)],
        ["a request", () => registry.ask(id, { snapshotAt: now }, now + seconds)],
        [
          "a newer specification",
          () => registry.register(registration({ specVersion: 4 }), now + seconds),
        ],
      ])("%s during a run is not put off by the end of that run", async (_what, call) => {
        await registry.register(registration(), now);
        const lease = await leased(registry);
        await call();
        await registry.renew(lease, now + 3 * minutes);
        await registry.release(lease, { dueAt: now + 5 * minutes, standing: standing() });
        expect((await entry()).dueAt).toBe(now + seconds);
        const answering = await leased(registry, "two", now + seconds);
        await registry.release(answering, { dueAt: now + 5 * minutes, standing: standing() });
        expect((await entry()).dueAt).toBe(now + 5 * minutes);
      });

      it("a run that begins before the instant of a wake does not put it off", async () => {
        await registry.register(registration(), now);
        await settle(id, now + 5 * minutes);
        await registry.wake(id, now + 2 * minutes);
        const early = await leased(registry, "one", now + minutes);
        await registry.release(early, { dueAt: now + 9 * minutes, standing: standing() });
        expect((await entry()).dueAt).toBe(now + 2 * minutes);
      });
    });

    describe("the lease", () => {
      beforeEach(() => registry.register(registration(), now));

      it("is one holder's until it runs out, and its fencing token grows with every holder", async () => {
        const lease = await leased(registry);
        expect(lease).toMatchObject({ id, holder: "one", untilAt: now + 2 * minutes });
        expect((await entry()).lease).toEqual(lease);
        const { untilAt } = lease;
        expect(await opened.another().acquire(id, "two", span(untilAt - 1))).toBeUndefined();
        const next = await leased(opened.another(), "two", untilAt);
        expect(next.fencing).toBeGreaterThan(lease.fencing);
      });

      it("is not given twice, not even to who has it", async () => {
        await leased(registry);
        expect(await registry.acquire(id, "one", span())).toBeUndefined();
      });

      it("goes to exactly one of many that ask at once", async () => {
        const holders = Array.from({ length: 20 }, (_, at) => `worker ${at}`);
        const leases = await Promise.all(
          holders.map((holder) => opened.another().acquire(id, holder, span())),
        );
        const given = leases.filter((each) => each !== undefined);
        expect(given).toHaveLength(1);
        expect((await entry()).lease).toEqual(given[0]);
      });

      it("a renewal holds it longer", async () => {
        const lease = await leased(registry);
        expect(await registry.renew(lease, now + 4 * minutes)).toBe(true);
        expect(await registry.acquire(id, "two", span(now + 3 * minutes))).toBeUndefined();
        expect(await registry.acquire(id, "two", span(now + 4 * minutes))).toBeDefined();
      });

      it("a holder that stood still writes nothing once it was taken over", async () => {
        const paused = await leased(registry);
        const successor = await leased(opened.another(), "two", paused.untilAt);
        await opened.another().saveLedger(successor, ledger({ revision: 8 }));
        const before = await entry();
        expect(await registry.saveLedger(paused, ledger({ revision: 9 }))).toBe(false);
        expect(await registry.renew(paused, now + 9 * minutes)).toBe(false);
        const failed = standing({ kind: "failed", reason: "too late" });
        expect(await registry.release(paused, { dueAt: now, standing: failed })).toBe(false);
        expect(await entry()).toEqual(before);
      });

      it("a holder that nobody took over meanwhile may go on", async () => {
        const lease = await leased(registry);
        expect(await registry.saveLedger(lease, ledger())).toBe(true);
        expect(await registry.renew(lease, now + 30 * minutes)).toBe(true);
        expect(await registry.acquire(id, "two", span(now + 29 * minutes))).toBeUndefined();
      });

      it("ends with what came of it, and another can be had at once", async () => {
        const lease = await leased(registry);
        const stuck = standing({ kind: "stuck", reason: "no such image", remedy: "set imageId" });
        expect(await registry.release(lease, { dueAt: now + 5 * minutes, standing: stuck })).toBe(
          true,
        );
        const expected = {
          ...registration(),
          asked: {},
          dueAt: now + 5 * minutes,
          standing: stuck,
        };
        expect(await entry()).toEqual(expected);
        expect(await registry.release(lease, { dueAt: now, standing: stuck })).toBe(false);
        const next = await leased(registry, "two", now);
        expect(next.fencing).toBeGreaterThan(lease.fencing);
      });

      it("binds nobody longer than a lease can last when the clock goes back", async () => {
        await leased(registry);
        expect(await registry.acquire(id, "two", span(now - minutes))).toBeUndefined();
        const next = await leased(registry, "two", now - 24 * 60 * minutes);
        await registry.release(next, { dueAt: now, standing: standing() });
        const later = await leased(registry, "three", now - 24 * 60 * minutes);
        expect(later.fencing).toBeGreaterThan(next.fencing);
      });

      it.each([
        ["in the past", now - 1],
        ["now", now],
        ["more than an hour away", now + 60 * minutes + 1],
      ])("that ends %s is refused", async (_when, untilAt) => {
        await expect(registry.acquire(id, "one", span(now, untilAt))).rejects.toThrow(
          /^untilAt is \d+, which is not between now/,
        );
      });
    });

    describe("the ledger", () => {
      beforeEach(() => registry.register(registration(), now));

      it("is given back as it was saved", async () => {
        const lease = await leased(registry);
        const full = ledger({
          claim: { host: "ci", pid: 7, touchedAt: now },
          stop: { generation: 1, reason: "recycle-token", at: now },
          gap: { fromAt: now - minutes, toAt: now, volumeId: "vol-1" },
        });
        expect(await registry.saveLedger(lease, full)).toBe(true);
        expect((await opened.another().get(id))?.ledger).toEqual(full);
      });

      it("is never replaced by an older one", async () => {
        const lease = await leased(registry);
        expect(await registry.saveLedger(lease, ledger({ revision: 8 }))).toBe(true);
        expect(await registry.saveLedger(lease, ledger({ revision: 7 }))).toBe(false);
        expect(await registry.saveLedger(lease, ledger({ revision: 8 }))).toBe(true);
        expect((await entry()).ledger?.revision).toBe(8);
      });
    });

    describe("history", () => {
      it("is told newest first, with every field, page by page", async () => {
        const events = Array.from({ length: 7 }, (_, at) =>
          event({
            at: now + at * seconds,
            message: `step ${at}`,
            rule: "because",
            generation: at,
            durationMs: 5,
          }),
        );
        await registry.append(id, events.slice(0, 3));
        await opened.another().append(id, events.slice(3));
        await registry.append(otherId, [event()]);
        const first = await registry.history(id, { limit: 4 });
        expect(first).toEqual(events.slice(3).reverse());
        const second = await registry.history(id, { limit: 4, before: now + 3 * seconds });
        expect(second).toEqual(events.slice(0, 3).reverse());
      });

      it("events of one instant stay together and in order, so that no page loses any", async () => {
        const at = now + seconds;
        const events = ["one", "two", "three", "four"].map((message) => event({ at, message }));
        await registry.append(id, [event({ at: now })]);
        await registry.append(id, events);
        expect(await registry.history(id, { limit: 2 })).toEqual([...events].reverse());
        expect(await registry.history(id, { limit: 2, before: at })).toEqual([event({ at: now })]);
      });

      it("loses nothing of what several processes write down at once", async () => {
        const writers = Array.from({ length: 8 }, (_, at) =>
          opened
            .another()
            .append(id, [
              event({ at: now + at, message: `from ${at}` }),
              event({ at: now + at, message: `and ${at}` }),
            ]),
        );
        await Promise.all(writers);
        expect(await registry.history(id, { limit: 100 })).toHaveLength(16);
      });
    });

    describe("a shared bucket", () => {
      const bucket: Bucket = { name: "RunInstances", capacity: 10, refillPerSecond: 2 };
      const take = (wanted: number, at: number, floor = 0) =>
        registry.take(bucket, { wanted, floor, now: at });

      it("begins full, gives what is there and refills with time up to its capacity", async () => {
        expect(await take(7, now)).toBe(7);
        expect(await take(7, now)).toBe(3);
        expect(await take(7, now)).toBe(0);
        expect(await take(7, now + 1.5 * seconds)).toBe(3);
        expect(await take(99, now + 60 * minutes)).toBe(10);
      });

      it("gives no part of a token, and loses none that is growing", async () => {
        await take(10, now);
        expect(await take(1, now + 499)).toBe(0);
        expect(await take(1, now + 500)).toBe(1);
        expect(await take(1, now + 999)).toBe(0);
        expect(await take(1, now + seconds)).toBe(1);
      });

      it("leaves its floor to those who may go below it", async () => {
        expect(await take(10, now, 4)).toBe(6);
        expect(await take(10, now, 4)).toBe(0);
        expect(await take(10, now)).toBe(4);
        expect(await take(1, now, 4)).toBe(0);
      });

      it("is one of its name, apart from all others", async () => {
        await take(10, now);
        const other = { ...bucket, name: "CreateSnapshot" };
        expect(await registry.take(other, { wanted: 1, floor: 0, now })).toBe(1);
      });

      it("gives no more to many than there is", async () => {
        const taken = await Promise.all(
          Array.from({ length: 12 }, () =>
            opened.another().take(bucket, { wanted: 2, floor: 0, now }),
          ),
        );
        expect(taken.reduce((sum, each) => sum + each, 0)).toBe(10);
      });

      it("does not refill the same second twice for two clocks that differ", async () => {
        await take(10, now);
        expect(await take(99, now + 2 * seconds)).toBe(4);
        expect(await take(99, now)).toBe(0);
        expect(await take(99, now + 2 * seconds)).toBe(0);
      });

      it("does not stay empty for a day because a clock was a day ahead", async () => {
        await take(10, now + 24 * 60 * minutes);
        expect(await take(1, now)).toBe(0);
        expect(await take(99, now + 2 * seconds)).toBeGreaterThan(0);
      });
    });
  });
}
