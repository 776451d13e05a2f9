/**
 * What is looked at in the account while `pulumi` is being killed: who carries which managed
 * instance, and whether the bytes that a guest wrote are still what it reads.
 */
import type { Simulator } from "../../src/simulator";
import type { InstanceRecord } from "../../src/simulator/records";
import { until } from "./until";

const file = "/srv/journal.txt";
const tagOf = (row: { tags: ReadonlyMap<string, string> }, key: string) =>
  row.tags.get(`pmi:${key}`) ?? "";

export interface AnchorSeen {
  id: string;
  interfaceId: string;
  phase: string;
}

/** Of one stack: every managed instance that was ever begun under its creation key. */
export class KillAccount {
  /** What each disk holds, by managed instance and lineage. */
  private readonly journals = new Map<string, string>();

  constructor(
    private readonly simulator: Simulator,
    private readonly stackName: string,
  ) {}

  anchors(): AnchorSeen[] {
    return [...this.simulator.control.rows().interfaces()]
      .filter((each) => tagOf(each, "creation-key").includes(`urn:pulumi:${this.stackName}::`))
      .map((each) => ({
        id: tagOf(each, "id"),
        interfaceId: each.id,
        phase: tagOf(each, "phase"),
      }));
  }

  /** Those that could write to a disk of it now. */
  instancesOf(id: string): InstanceRecord[] {
    return [...this.simulator.control.rows().instances()].filter(
      ({ clientToken, state }) =>
        clientToken?.startsWith(`${id}:`) === true && state !== "terminated",
    );
  }

  /** A guest appends a line wherever its operating system is up; what was there must be there still. */
  write(line: string): void {
    for (const { id } of this.anchors()) {
      for (const instance of this.instancesOf(id)) this.append(instance, id, line);
    }
  }

  private append(instance: InstanceRecord, id: string, line: string): void {
    const key = `${id} lineage ${tagOf(instance, "lineage")}`;
    const held = this.heldBy(instance);
    if (held === undefined) return;
    this.expectHeld(key, held);
    const content = `${held}${line}\n`;
    this.simulator.guest.write({ instanceId: instance.id, path: file, content });
    this.journals.set(key, content);
  }

  /** The file's text, empty where there is none; undefined while the operating system is not up. */
  private heldBy({ id: instanceId }: InstanceRecord): string | undefined {
    try {
      const paths = this.simulator.guest.list({ instanceId });
      return paths.includes(file) ? this.simulator.guest.read({ instanceId, path: file }) : "";
    } catch (error) {
      if (error instanceof Error && /not running|No volume is attached/.test(error.message))
        return undefined;
      throw error;
    }
  }

  private expectHeld(key: string, held: string): void {
    const wanted = this.journals.get(key) ?? "";
    if (held === wanted) return;
    throw new Error(`the disk of ${key} has lost bytes\nwritten: ${wanted}\nfound: ${held}`);
  }

  /** The disk of what carries it holds what was written to its lineage. */
  checkBytes(id: string): void {
    for (const instance of this.instancesOf(id)) {
      const held = this.heldBy(instance);
      if (held === undefined) throw new Error(`${instance.id} is ${instance.state}, not up`);
      this.expectHeld(`${id} lineage ${tagOf(instance, "lineage")}`, held);
    }
  }

  /** What is kept of a deallocated one can be brought back: an instance from its image has its bytes. */
  async checkKept(id: string): Promise<void> {
    const images = [...this.simulator.control.rows().images()];
    const kept = images.filter((each) => tagOf(each, "id") === id && each.state === "available");
    const newest = kept.sort(
      (a, b) => Number(tagOf(b, "generation")) - Number(tagOf(a, "generation")),
    )[0];
    if (newest === undefined) throw new Error(`no image of ${id} is kept`);
    const { Instances } = this.simulator.call("RunInstances", {
      ImageId: newest.id,
      InstanceType: "m5.large",
      MinCount: 1,
      MaxCount: 1,
    }) as { Instances: { InstanceId: string }[] };
    const instanceId = Instances[0]?.InstanceId ?? "";
    const find = () => this.simulator.control.rows().instances();
    await until("the kept image has booted", () =>
      [...find()].some((each) => each.id === instanceId && each.osUpSince !== undefined),
    );
    const held = this.simulator.guest.read({ instanceId, path: file });
    this.expectHeld(`${id} lineage ${tagOf(newest, "lineage")}`, held);
    this.simulator.call("TerminateInstances", { InstanceIds: [instanceId] });
  }
}
