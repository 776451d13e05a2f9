/** One suite for every Registry: what any of them promises, whatever it is made of. */
import type { Ledger } from "../../src/engine/model";
import type { Registry } from "../../src/engine/ports";
import { DEFAULT_SUBNET_IDS } from "../../src/simulator";
import {
  begin,
  carrierOf,
  change,
  expectBytes,
  look,
  type Story,
  upDone,
  write,
} from "../simulation/operations";
import { createWorld } from "../simulation/world";
import { createMemoryRegistry } from "./memory-registry";

const adapters: Record<string, (story: Story) => Registry> = {
  "the anchor's tags": (story) => story.world.registry,
  memory: () => createMemoryRegistry(),
};

/** Everything that a ledger can hold. */
const full = (id: string): Ledger => ({
  id,
  creationKey: "f".repeat(64),
  phase: "active",
  revision: 7,
  specVersion: 3,
  specFingerprint: "0123abcd",
  claim: { host: "ci-runner-1.example", pid: 4711, touchedAt: Date.parse("2026-01-02T03:04:05Z") },
  lineage: { number: 2, baseImageId: "ami-0123456789abcdef0" },
  startedLineage: { number: 3, baseImageId: "ami-0fedcba9876543210" },
  platform: {
    architecture: "x86_64",
    rootDeviceName: "/dev/xvda",
    bootMode: "uefi-preferred",
    enaSupport: true,
    sriovNetSupport: "simple",
    tpmSupport: "v2.0",
    imdsSupport: "v2.0",
    platformDetails: "Red Hat Enterprise Linux with SQL Server Standard",
  },
  launch: {
    generation: 12,
    attempt: 2,
    lineage: 3,
    imageId: "ami-0fedcba9876543210",
    instanceType: "m6i.large",
    market: "on-demand",
    launchFingerprint: "89abcdef",
    recycleFingerprint: "76543210",
    recordedAt: Date.parse("2026-01-02T03:04:06Z"),
    instanceId: "i-0123456789abcdef0",
    rootVolumeId: "vol-0123456789abcdef0",
    rootKept: true,
    ran: true,
    healthy: true,
    heals: 1,
  },
  knownRootGeneration: 11,
  stop: { generation: 11, reason: "ami-swap", at: Date.parse("2026-01-02T03:04:00Z") },
  gap: {
    fromAt: Date.parse("2026-01-02T03:00:00Z"),
    toAt: Date.parse("2026-01-02T03:04:00Z"),
    volumeId: "vol-0fedcba9876543210",
  },
});

describe.each(Object.entries(adapters))("the Registry in %s", (_name, create) => {
  async function open() {
    const story = begin(createWorld(), { subnetIds: [DEFAULT_SUBNET_IDS[0] ?? ""] });
    await upDone(story);
    const { anchors } = await look(story);
    return { story, registry: create(story), interfaceId: anchors[0]?.interfaceId ?? "" };
  }

  it("gives back every field of what was saved", async () => {
    const { story, registry, interfaceId } = await open();
    const ledger = full(story.initial.id);
    await registry.save(ledger, interfaceId);
    expect(await registry.load(ledger.id, (await look(story)).anchors)).toEqual(ledger);
  });

  it("knows nothing of an id that was never saved", async () => {
    const { registry } = await open();
    expect(await registry.load("pmi-ffffffffffff", [])).toBeUndefined();
  });

  it("carries a managed instance through a recycle", async () => {
    const story = begin(createWorld());
    story.world.registry = create(story);
    await upDone(story);
    await write(story, "/srv/data", "precious");
    change(story, { recycleToken: "again" });
    const { ledger } = await upDone(story);
    expect(ledger.launch?.generation).toBe(2);
    await expectBytes(story);
    expect(await carrierOf(story)).toBe(ledger.launch?.instanceId);
  });
});
