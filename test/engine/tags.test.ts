// The texts by which we recognise our own survive being written and read back, and fit into EC2's
// limits: 50 tags a resource, 256 characters a value (ec2-facts §10), 64 a client token (§1.1).

import * as fc from "fast-check";
import type { Ledger, Platform, StopReason } from "../../src/engine/model";
import { createAnchor } from "../../src/engine/rules-identity";
import { understand } from "../../src/engine/situation";
import {
  condemnedTag,
  DamagedLedgerError,
  decodeLedger,
  decodePlatform,
  deleteAfterTag,
  encodeLedger,
  encodePlatform,
  gapTag,
  isOurAnchor,
  isOurImage,
  isOurSnapshot,
  isOurVolume,
  operations,
  parseProvenance,
  provenanceTags,
  tagKeys,
} from "../../src/engine/tags";
import { ledgers } from "./arbitraries";
import {
  id,
  image,
  ledger,
  newborn,
  now,
  periodic,
  platform,
  question,
  spec,
  volume,
} from "./builders";

const longest = {
  count: 999_999_999,
  image: `ami-${"f".repeat(17)}`,
  volume: `vol-${"f".repeat(17)}`,
  instance: `i-${"f".repeat(17)}`,
  at: Date.parse("9999-12-31T23:59:59.999Z"),
};

const longPlatform: Platform = {
  architecture: "x86_64_mac",
  rootDeviceName: "/dev/xvda-of-some-length",
  bootMode: "uefi-preferred",
  enaSupport: false,
  sriovNetSupport: "simple",
  tpmSupport: "v2.0",
  imdsSupport: "v2.0",
  platformDetails: "Red Hat Enterprise Linux with SQL Server Enterprise and HA",
};

const longLedger: Ledger = {
  id,
  creationKey: `${"k".repeat(223)}~${"f".repeat(32)}`,
  phase: "deallocated",
  revision: longest.count,
  specVersion: longest.count,
  specFingerprint: "ffffffff",
  claim: { host: "h".repeat(64), pid: 4_194_304, touchedAt: longest.at },
  lineage: { number: longest.count, baseImageId: longest.image },
  startedLineage: { number: longest.count, baseImageId: longest.image },
  platform: longPlatform,
  launch: {
    generation: longest.count,
    attempt: longest.count,
    lineage: longest.count,
    imageId: longest.image,
    instanceType: "u7inh-32tb.480xlarge",
    market: "on-demand",
    launchFingerprint: "ffffffff",
    recycleFingerprint: "ffffffff",
    recordedAt: longest.at,
    instanceId: longest.instance,
    rootVolumeId: longest.volume,
    rootKept: false,
    ran: false,
    failed: true,
    healthy: false,
    heals: longest.count,
  },
  knownRootGeneration: longest.count,
  stop: { generation: longest.count, reason: "changed-properties", at: longest.at },
  gap: { fromAt: longest.at, toAt: longest.at, volumeId: longest.volume },
  deallocatedAt: longest.at,
};

function errorOf(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
}

const safe = /^[\p{L}\p{N} +\-=._:/@~]*$/u;

describe("the ledger", () => {
  test("is read back from tags as it was written", () => {
    fc.assert(
      fc.property(ledgers, (written) => {
        expect(decodeLedger(encodeLedger(written))).toEqual(written);
      }),
    );
  });

  test("is read back whole when everything in it is as long as it can be", () => {
    expect(decodeLedger(encodeLedger(longLedger))).toEqual(longLedger);
  });

  test("is read back for every reason to stop", () => {
    const reasons: StopReason[] = [
      "pause",
      "deallocate",
      "ami-swap",
      "recycle-token",
      "requested",
      "changed-properties",
      "unhealthy",
      "stopped-outside",
    ];
    for (const reason of reasons) {
      const written = ledger({ stop: { generation: 1, reason, at: now } });
      expect(decodeLedger(encodeLedger(written))).toEqual(written);
    }
  });

  test("holds no value longer than EC2 allows, and none with characters that a service refuses", () => {
    for (const value of Object.values(encodeLedger(longLedger))) {
      expect(value.length).toBeLessThanOrEqual(256);
      expect(value).toMatch(safe);
    }
  });

  test("leaves room on the anchor for thirty tags of the user's and what EC2 and we add", () => {
    const tags = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`key-${at}`, "value"]));
    const situation = understand(question({ ledger: longLedger, spec: spec({ tags }) }));
    const written = createAnchor(situation, "subnet-0000000a", 1).tags;
    expect(Object.keys({ ...written, ...deleteAfterTag(now) }).length).toBeLessThanOrEqual(50);
  });

  test("forgets a gap when it is written without one over tags that had one", () => {
    const before = encodeLedger(ledger({ gap: { fromAt: 1, toAt: 2 } }));
    const after = { ...before, ...encodeLedger(ledger()) };
    expect(decodeLedger(after).gap).toBeUndefined();
  });

  test("has every tag from the start, so that none finds no room later, empty where nothing is known", () => {
    const written = encodeLedger(newborn());
    expect(Object.keys(written)).toEqual(Object.keys(encodeLedger(ledger())));
    expect(written[tagKeys.launch]).toBe("");
    expect(decodeLedger(written).launch).toBeUndefined();
  });

  test("says that it ended, whatever a process that stood still wrote over it", () => {
    const ended = encodeLedger(ledger({ phase: "deallocated", deallocatedAt: now }));
    const after = { ...ended, ...encodeLedger(ledger()) };
    expect(decodeLedger(after)).toMatchObject({ phase: "deallocated", deallocatedAt: now });
  });

  test("may have been created without a name of its own", () => {
    const nameless = ledger({ creationKey: "" });
    expect(decodeLedger(encodeLedger(nameless))).toEqual(nameless);
  });

  test("of a launch of whose instance no tag tells knows nothing of it", () => {
    const { [tagKeys.instance]: _told, ...tags } = encodeLedger(ledger());
    expect(decodeLedger(tags).launch).toMatchObject({ generation: 1, ran: false });
    expect(decodeLedger(tags).launch?.instanceId).toBeUndefined();
  });

  test("that cannot be read says which tags of whose are to be put back", () => {
    const damaged = { ...encodeLedger(ledger()), [tagKeys.spec]: "?", [tagKeys.lineage]: "?" };
    const error = errorOf(() => decodeLedger(damaged));
    expect(error).toMatchObject({ name: "DamagedLedgerError", cause: { name: "ZodError" } });
    expect(error).toBeInstanceOf(DamagedLedgerError);
    expect(error).toHaveProperty(
      "message",
      expect.stringContaining(`of ${id}: pmi:spec, pmi:lineage cannot be read`),
    );
    expect(errorOf(() => decodeLedger({}))).toHaveProperty(
      "message",
      expect.stringContaining("of ?: pmi:id, pmi:creation-key, pmi:phase, pmi:spec cannot"),
    );
  });

  test("that somebody has damaged is refused instead of guessed", () => {
    const tags = encodeLedger(ledger());
    for (const key of [tagKeys.spec, tagKeys.launch, tagKeys.phase, tagKeys.lineage])
      expect(() => decodeLedger({ ...tags, [key]: "nonsense" })).toThrow();
    expect(() =>
      decodeLedger({ ...tags, [tagKeys.spec]: "revision= version=1 print=a" }),
    ).toThrow();
  });

  test("does not take what is known of one generation's instance for another's", () => {
    const tags = {
      ...encodeLedger(ledger()),
      [tagKeys.instance]: "generation=7 id=i-7 kept=true ran=true healthy=true heals=1",
    };
    expect(decodeLedger(tags).launch).toMatchObject({
      generation: 1,
      ran: false,
      healthy: false,
      rootKept: false,
    });
    expect(decodeLedger(tags).launch?.instanceId).toBeUndefined();
  });
});

describe("provenance", () => {
  const provenance = {
    lineage: 2,
    generation: 3,
    baseImageId: "ami-0000000a",
    operation: operations.final("vol-1"),
    platform: platform(),
  };

  test("is read back from the tags of a resource as it was written", () => {
    const tags = provenanceTags(id, provenance, { Name: "web" });
    expect(tags.Name).toBe("web");
    expect(parseProvenance(tags)).toEqual(provenance);
  });

  test("tells when a resource was condemned and until when it is kept", () => {
    const tags = {
      ...provenanceTags(id, provenance, {}),
      ...condemnedTag(now),
      ...deleteAfterTag(now + 1),
      [tagKeys.marked]: "vol-1",
    };
    expect(parseProvenance(tags)).toEqual({
      ...provenance,
      markedId: "vol-1",
      condemnedAt: now,
      deleteAfterAt: now + 1,
    });
  });

  test("tells that a volume holds writes that no later disk has", () => {
    const gap = { fromAt: now - 1, toAt: now, volumeId: "vol-1" };
    const tags = { ...provenanceTags(id, provenance, {}), ...gapTag(gap) };
    expect(parseProvenance(tags)).toEqual({ ...provenance, holdsGap: true });
    expect(gapTag(gap)).toEqual({
      [tagKeys.gap]: encodeLedger(ledger({ gap }))[tagKeys.gap],
    });
  });

  test("that is not whole is nobody's, and never a crash", () => {
    const tags = provenanceTags(id, provenance, {});
    const keys = [tagKeys.lineage, tagKeys.generation, tagKeys.platform];
    for (const key of keys) {
      for (const text of ["", "nonsense", "-1", "1.5", "1e3", "arch=x86_64"])
        expect(parseProvenance({ ...tags, [key]: text })).toBeUndefined();
    }
    expect(parseProvenance({})).toBeUndefined();
  });

  test.each([tagKeys.condemned, tagKeys.deleteAfter])(
    "without an end that can be read has none: %s",
    (key) => {
      const tags = { ...provenanceTags(id, provenance, {}), [key]: "tomorrow" };
      expect(parseProvenance(tags)).toEqual(provenance);
    },
  );

  test("of anything at all is read without a crash", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant("a=b c"));
    const tags = fc.dictionary(fc.constantFrom(...Object.values(tagKeys)), text);
    fc.assert(fc.property(tags, (found) => void parseProvenance(found)));
  });

  test("user tags cannot pass for ours, because ours are written over them", () => {
    const tags = provenanceTags(id, provenance, { [tagKeys.id]: "pmi-ffff" });
    expect(tags[tagKeys.id]).toBe(id);
  });
});

test("a platform is read back as it was written", () => {
  const details = fc.constantFrom(
    "Linux/UNIX",
    "Windows",
    "Windows with SQL Server Standard",
    "Red Hat Enterprise Linux with HA",
    "Ubuntu Pro",
  );
  const optional = (...values: string[]) =>
    fc.option(fc.constantFrom(...values), { nil: undefined });
  const platforms = fc.record({
    architecture: fc.constantFrom("x86_64", "arm64"),
    rootDeviceName: fc.constantFrom("/dev/xvda", "/dev/sda1"),
    bootMode: optional("uefi", "legacy-bios", "uefi-preferred"),
    enaSupport: fc.option(fc.boolean(), { nil: undefined }),
    sriovNetSupport: optional("simple"),
    tpmSupport: optional("v2.0"),
    imdsSupport: optional("v2.0"),
    platformDetails: details,
  });
  fc.assert(
    fc.property(platforms, (written) => {
      expect(decodePlatform(encodePlatform(written))).toEqual(written);
    }),
  );
});

test("the token of an anchor fits into EC2's 64 characters", () => {
  const situation = understand(question({ ledger: longLedger }));
  const { token } = createAnchor(situation, `subnet-${"f".repeat(17)}`, 99);
  expect(token.length).toBeLessThanOrEqual(64);
});

describe("what wears our tags is ours only if it is what they say", () => {
  test("a snapshot of the volume that it names", () => {
    expect(isOurSnapshot(periodic())).toBe(true);
    expect(isOurSnapshot(periodic({ operation: operations.final("vol-1") }))).toBe(true);
    expect(isOurSnapshot(periodic({ operation: operations.final("vol-2") }))).toBe(false);
    // A copy of a snapshot names no volume of ours (CopySnapshot says vol-ffffffff).
    expect(isOurSnapshot({ ...periodic(), volumeId: "vol-ffffffff" })).toBe(false);
  });

  test("an image of the snapshot that it names", () => {
    expect(isOurImage(image())).toBe(true);
    expect(isOurImage({ ...image(), snapshotId: "snap-copy" })).toBe(false);
  });

  test("a network interface that wears its own id, if any", () => {
    expect(isOurAnchor("eni-1", {})).toBe(true);
    expect(isOurAnchor("eni-1", { [tagKeys.marked]: "eni-1" })).toBe(true);
    expect(isOurAnchor("eni-2", { [tagKeys.marked]: "eni-1" })).toBe(false);
  });

  test("a volume that was launched and wears its own id, if any", () => {
    expect(isOurVolume(volume())).toBe(true);
    expect(isOurVolume(volume({ markedId: undefined }))).toBe(true);
    expect(isOurVolume(volume({ markedId: "vol-2" }))).toBe(false);
    expect(isOurVolume(volume({ operation: operations.launch(2) }))).toBe(false);
  });
});
