import { IMAGE_IDS } from "../../src/simulator";
import { createTester, KEEP_ROOT, onAnchor } from "./tester";

const encode = (text: string) => Buffer.from(text).toString("base64");

describe("disks", () => {
  test("start with the image's files", () => {
    const { boot, sim } = createTester();
    const id = boot();
    expect(sim.guest.read({ instanceId: id, path: "/etc/os-release" })).toMatch(/20251110/);
    const newer = boot({ ImageId: IMAGE_IDS.amazonLinuxNewer });
    expect(sim.guest.read({ instanceId: newer, path: "/etc/os-release" })).toMatch(/20251208/);
  });

  test("are written while the operating system runs, which is some seconds into shutting-down", () => {
    const { launch, call, sim } = createTester();
    const id = launch();
    const write = () => sim.guest.write({ instanceId: id, path: "/data", content: "x" });
    expect(write).toThrow(`The operating system of ${id} is not running (pending).`);
    sim.clock.advance(10);
    write();
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(sim.latencies.osShutdown - 1);
    write();
    sim.clock.advance(1);
    expect(write).toThrow(`The operating system of ${id} is not running (shutting-down).`);
  });

  test("are written some seconds into stopping, and again after a start", () => {
    const { boot, call, sim } = createTester();
    const id = boot();
    call("StopInstances", { InstanceIds: [id] });
    sim.guest.write({ instanceId: id, path: "/data", content: "last" });
    sim.clock.advance(60);
    expect(() => sim.guest.read({ instanceId: id, path: "/data" })).toThrow(/not running/);
    call("StartInstances", { InstanceIds: [id] });
    sim.clock.advance(10);
    expect(sim.guest.read({ instanceId: id, path: "/data" })).toBe("last");
  });

  test("share content along volume, snapshot and image, copied on write", () => {
    const tester = createTester();
    const { sim } = tester;
    const id = tester.boot({ BlockDeviceMappings: KEEP_ROOT });
    sim.guest.write({ instanceId: id, path: "/data", content: "one" });
    const snapshot = tester.call("CreateSnapshot", { VolumeId: tester.rootVolumeId(id) });
    sim.guest.write({ instanceId: id, path: "/data", content: "two" });
    sim.clock.advance(300);
    const image = tester.imageOf(snapshot.SnapshotId ?? "");
    const child = tester.boot({ ImageId: image });
    expect(sim.guest.read({ instanceId: child, path: "/data" })).toBe("one");
    sim.guest.write({ instanceId: child, path: "/data", content: "three" });
    expect(sim.guest.read({ instanceId: id, path: "/data" })).toBe("two");
    const sibling = tester.boot({ ImageId: image });
    expect(sim.guest.read({ instanceId: sibling, path: "/data" })).toBe("one");
  });

  test("keep the last byte of an instance that ended, to be snapshotted afterwards (ec2-facts §2)", () => {
    const tester = createTester();
    const { sim } = tester;
    const eni = tester.anchor();
    const id = tester.boot({ ...onAnchor(eni), BlockDeviceMappings: KEEP_ROOT });
    const root = tester.rootVolumeId(id);
    tester.call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(sim.latencies.osShutdown - 1);
    sim.guest.write({ instanceId: id, path: "/last", content: "words" });
    sim.clock.advance(60);
    const image = tester.imageOf(tester.snapshotOf(root));
    const next = tester.boot({ ImageId: image, ...onAnchor(eni) });
    expect(sim.guest.read({ instanceId: next, path: "/last" })).toBe("words");
  });

  test("are one per device", () => {
    const { boot, sim } = createTester();
    const id = boot({ BlockDeviceMappings: [{ DeviceName: "/dev/sdf", Ebs: { VolumeSize: 1 } }] });
    sim.guest.write({ instanceId: id, device: "/dev/sdf", path: "/x", content: "data" });
    expect(sim.guest.list({ instanceId: id, device: "/dev/sdf" })).toEqual(["/x"]);
    expect(sim.guest.list({ instanceId: id })).not.toContain("/x");
    expect(() => sim.guest.read({ instanceId: id, device: "/dev/sdg", path: "/x" })).toThrow(
      `No volume is attached to ${id} as /dev/sdg.`,
    );
    expect(() => sim.guest.read({ instanceId: id, path: "/x" })).toThrow(/There is no file \/x/);
  });
});

describe("user data", () => {
  const script = "#!/bin/bash\necho hello > /greeting\necho 'more words' >> /greeting\nrm -rf /\n";

  test("runs at the first boot of an instance id as cloud-init does it", () => {
    const { boot, sim } = createTester();
    const id = boot({ UserData: encode(script) });
    const read = (path: string) => sim.guest.read({ instanceId: id, path });
    expect(read(`/var/lib/cloud/instances/${id}/user-data.txt`)).toBe(script);
    expect(read("/var/lib/cloud/data/instance-id")).toBe(`${id}\n`);
    expect(read("/var/log/cloud-init.log")).toBe(`2026-01-01T00:00:03.400Z first boot of ${id}\n`);
    expect(read("/greeting")).toBe("hello\nmore words\n");
  });

  test("does not run again on a reboot or a start", () => {
    const { boot, call, sim } = createTester();
    const id = boot({ UserData: encode(script) });
    sim.guest.write({ instanceId: id, path: "/greeting", content: "changed" });
    call("RebootInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    call("StopInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    call("StartInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(sim.guest.read({ instanceId: id, path: "/greeting" })).toBe("changed");
  });

  test("runs again when the disk boots under another instance id", () => {
    const tester = createTester();
    const { sim } = tester;
    const first = tester.boot({ UserData: encode(script) });
    const image = tester.imageOf(tester.snapshotOf(tester.rootVolumeId(first)));
    const second = tester.boot({ ImageId: image, UserData: encode("#!/bin/sh\necho 2 > /two") });
    const read = (path: string) => sim.guest.read({ instanceId: second, path });
    expect(read("/greeting")).toBe("hello\nmore words\n");
    expect(read("/two")).toBe("2\n");
    expect(read("/var/log/cloud-init.log").trim().split("\n")).toHaveLength(2);
  });

  test("that is not a script is only kept", () => {
    const { boot, sim } = createTester();
    const id = boot({ UserData: encode("#cloud-config\necho x > /x\n") });
    expect(sim.guest.list({ instanceId: id })).not.toContain("/x");
  });
});
