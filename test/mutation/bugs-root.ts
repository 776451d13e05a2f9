/** Bugs in the root rule and in what decides which disk counts (design §4). */
import type { Bug } from "./bug";

const root = "src/engine/root.ts";
const launch = "src/engine/rules-launch.ts";
const situation = "src/engine/situation.ts";
const tags = "src/engine/tags.ts";

export const rootBugs: readonly Bug[] = [
  {
    name: "a final snapshot under way is passed over once its volume was deleted",
    harm: "the last writes are in a snapshot that nobody goes on from, and that is then deleted",
    file: root,
    find: "if (underWay !== undefined) return underWay;",
    replace: "",
  },
  {
    name: "any final snapshot succeeds a disk, however late it was taken",
    harm: "a disk that comes back after an older snapshot took its place is deleted with its writes",
    file: "src/engine/rules-identity.ts",
    find: `state === "completed" && startedAt <= launch.recordedAt,`,
    replace: `state === "completed" && startedAt > 0,`,
  },
  {
    name: "the root that somebody replaced counts as the newest disk",
    harm: "what was written on the disk in its place is gone with the next launch",
    file: situation,
    find: `        b.generation - a.generation ||
        Number(isRecordedRoot(ledger, b)) - Number(isRecordedRoot(ledger, a)) ||
        a.createdAt - b.createdAt,`,
    replace: `        b.generation - a.generation ||
        a.createdAt - b.createdAt,`,
  },
  {
    name: "the base image is used although a generation ran and its state is lost",
    harm: "the disk comes back empty instead of the user being asked",
    file: root,
    find: `  if (found.kind !== "secured") return found;
  const { snapshot, gap } = found.result;
  const image = secureImage`,
    replace: `  if (found.kind === "failed") return { kind: "opens", lineage: lineageToOpen(situation) };
  if (found.kind !== "secured") return found;
  const { snapshot, gap } = found.result;
  const image = secureImage`,
  },
  {
    name: "a snapshot of a volume that is still attached is called final",
    harm: "what the guest writes while it shuts down is missing after the next launch",
    file: root,
    find: `if (volume.state !== "available")
    return {`,
    replace: `if (volume.state === "creating")
    return {`,
  },
  {
    name: "a periodic snapshot passes for the final one",
    harm: "the writes since the last periodic snapshot are lost, silently",
    file: situation,
    find: "finalsOf(situation, volumeId).find(",
    replace: "snapshotsOf(situation, volumeId).find(",
  },
  {
    name: "a pending snapshot is launched from",
    harm: "EC2 refuses the image, or the newest state is passed over",
    file: root,
    find: `(snapshot) => snapshot.lineage === lineage.number && snapshot.state === "completed",
  );

/**`,
    replace: `(snapshot) => snapshot.lineage === lineage.number && snapshot.state !== "error",
  );

/**`,
  },
  {
    name: "the newest snapshot of any lineage is launched from",
    harm: "an AMI swap boots the previous image's disk",
    file: root,
    find: `(snapshot) => snapshot.lineage === lineage.number && snapshot.state === "completed",
  );

/**`,
    replace: `(snapshot) => snapshot.lineage <= lineage.number + 9 && snapshot.state === "completed",
  );

/**`,
  },
  {
    name: "the newest volume of any lineage counts as the current state",
    harm: "taking an AMI swap back boots the disk of the lineage that was given up",
    file: situation,
    find: ".filter((volume) => volume.lineage === lineage)",
    replace: ".filter((volume) => volume.lineage >= lineage)",
  },
  {
    name: "a lineage that was booted is opened again under its number",
    harm: "switching persistence off and on resurrects an older disk",
    file: root,
    find: "return wasBooted(known, lineage.number) ? lineage.number + 1 : lineage.number;",
    replace: "return wasBooted(known, lineage.number) ? lineage.number : lineage.number;",
  },
  {
    name: "a swap that was taken back goes on with the swapped image's lineage",
    harm: "the old image is declared and the new one's disk boots",
    file: situation,
    find: "lineage?.baseImageId === spec.imageId ? [lineage] : [],",
    replace: "lineage === undefined ? [] : [lineage],",
  },
  {
    name: "the fallback to an older snapshot is not reported",
    harm: "writes are missing and nobody is told",
    file: root,
    find: "result: { source, platform, gap } }",
    replace: "result: { source, platform } }",
  },
  {
    name: "an image that EC2 registered as another platform is booted",
    harm: "a licensed system runs without its billing code, or does not boot",
    file: root,
    find: "if (available !== undefined && available.platformDetails === platform.platformDetails)",
    replace: "if (available !== undefined)",
  },
  {
    name: "an image is used before it is available",
    harm: "the launch is refused; the user waits for nothing",
    file: root,
    find: `const available = made.find((image) => image.state === "available");`,
    replace: `const available = made.find((image) => image.state !== "failed");`,
  },
  {
    name: "two snapshots of a volume are taken within EC2's spacing",
    harm: "the final snapshot is refused when it matters",
    file: root,
    find: "if (situation.now >= freeAt) return",
    replace: "if (situation.now >= lastAt) return",
  },
  {
    name: "the final snapshot's deadline is in seconds instead of minutes",
    harm: "an older state is used although the newest was a moment away",
    file: root,
    find: "spec.snapshots.finalDeadlineMinutes * minutes",
    replace: "spec.snapshots.finalDeadlineMinutes * 1000",
  },
  {
    name: "an instance that nobody looked at while it ran counts as never run",
    harm: "what it wrote is given up without a word",
    file: root,
    find: "if (launch.rootKept && launch.failed !== true)",
    replace: "if (launch.rootKept && launch.ran)",
  },
  {
    name: "a root disk that EC2 does not show yet counts as gone",
    harm: "an older snapshot is launched although the disk is there",
    file: root,
    find: "const believedAt = launch.recordedAt + absenceSeconds * 1000;",
    replace: "const believedAt = launch.recordedAt;",
  },
  {
    name: "a volume is trusted by its tags alone",
    harm: "somebody's copy of our tags is snapshotted, booted or deleted in place of the disk",
    file: tags,
    find: `volume.operation === operations.launch(volume.generation) &&
  (volume.markedId === undefined || volume.markedId === volume.volumeId);`,
    replace: "volume.operation === operations.launch(volume.generation);",
  },
  {
    name: "a snapshot is trusted by its tags alone",
    harm: "the copy that AWS Backup made is deleted, or booted as the newest state",
    file: tags,
    find: `return operation === operations.periodic(volumeId) || operation === operations.final(volumeId);`,
    replace: `return volumeId !== "" && /^(periodic|final):/.test(operation);`,
  },
  {
    name: "a restored backup that wears the volume's tags is taken for the volume",
    harm: "the next launch starts from the backup",
    file: situation,
    find: "isKnown(each) || !(hasEnded || isForeign(each) || known.has(each.generation)),",
    replace: "isKnown(each) || !(hasEnded || isForeign(each)),",
  },
  {
    name: "a lineage that was only recorded comes before the one that ran",
    harm: "the disk is set aside for the base image, because persistence was off for a second",
    file: situation,
    find: "const [newest, before] = matching.filter(isUsable);",
    replace: "const [newest, before] = matching;",
  },
  {
    name: "once all has been ended a copy of the disk that has gone counts as the disk",
    harm: "somebody's restored backup is marked, snapshotted and deleted as ours",
    file: situation,
    find: "!(hasEnded || isForeign(each) || known.has(each.generation))",
    replace: "!(isForeign(each) || known.has(each.generation))",
  },
  {
    name: "a copy of an earlier generation's disk counts because its original is gone",
    harm: "a restored backup is snapshotted, kept or deleted as ours",
    file: situation,
    find: "generation <= (newestKnownRoot(ledger) ?? 0)",
    replace: "generation === (newestKnownRoot(ledger) ?? 0)",
  },
  {
    name: "the next launch forgets which root disks were known",
    harm: "a restored backup of an earlier disk is marked and later deleted as ours",
    file: launch,
    find: "knownRootGeneration: newestKnownRoot(ledger),",
    replace: "knownRootGeneration: undefined,",
  },
  {
    name: "another lineage is opened before the last disk was seen",
    harm: "the disk that a swap leaves cannot be told from a copy, and is never saved",
    file: launch,
    find: "return awaitLastRoot(situation) ?? openLineage(situation, root.lineage);",
    replace: "return openLineage(situation, root.lineage);",
  },
];
