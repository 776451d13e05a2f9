import { createTester, onAnchor, SUBNET_A, SUBNET_B } from "./tester";

describe("network interfaces", () => {
  test("are made with a chosen or a given address, once per client token", () => {
    const tester = createTester();
    const { call, error } = tester;
    const input = {
      SubnetId: SUBNET_A,
      PrivateIpAddress: "172.31.2.2",
      ClientToken: "anchor-1",
      TagSpecifications: [
        { ResourceType: "network-interface" as const, Tags: [{ Key: "a", Value: "b" }] },
      ],
    };
    const first = call("CreateNetworkInterface", input).NetworkInterface;
    expect(first).toMatchObject({
      PrivateIpAddress: "172.31.2.2",
      TagSet: [{ Key: "a", Value: "b" }],
      Groups: [{ GroupName: "default" }],
    });
    expect(call("CreateNetworkInterface", input).NetworkInterface?.NetworkInterfaceId).toBe(
      first?.NetworkInterfaceId,
    );
    expect(error("CreateNetworkInterface", { ...input, ClientToken: "anchor-2" })).toMatchObject({
      code: "InvalidIPAddress.InUse",
    });
    expect(tester.networkInterface(first?.NetworkInterfaceId ?? "").Status).toBe("available");
  });

  test.each(["172.31.16.4", "172.31.0.1", "172.31.15.255", "not-an-ip"])(
    "refuse the address %s in 172.31.0.0/20",
    (PrivateIpAddress) => {
      const { error } = createTester();
      expect(error("CreateNetworkInterface", { SubnetId: SUBNET_A, PrivateIpAddress }).code).toBe(
        "InvalidParameterValue",
      );
    },
  );

  test("are not deleted while an instance holds them, which makes them a lock (ec2-facts §4)", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const eni = tester.anchor();
    const id = tester.launch(onAnchor(eni));
    expect(tester.refusal("DeleteNetworkInterface", { NetworkInterfaceId: eni })).toBe(
      `InvalidParameterValue: Network interface '${eni}' is currently in use.`,
    );
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    call("DeleteNetworkInterface", { NetworkInterfaceId: eni });
    expect(tester.refusal("DescribeNetworkInterfaces", { NetworkInterfaceIds: [eni] })).toBe(
      `InvalidNetworkInterfaceID.NotFound: The networkInterface ID '${eni}' does not exist`,
    );
  });

  test("free their address when deleted", () => {
    const tester = createTester();
    const eni = tester.anchor({ PrivateIpAddress: "172.31.3.3" });
    tester.call("DeleteNetworkInterface", { NetworkInterfaceId: eni });
    expect(tester.anchor({ PrivateIpAddress: "172.31.3.3" })).not.toBe(eni);
  });

  test("are kept or deleted at the end as their attachment says, on the running instance too (ec2-facts §4)", () => {
    const tester = createTester();
    const { call, sim, instance } = tester;
    const id = tester.boot();
    const [own] = instance(id).NetworkInterfaces ?? [];
    const NetworkInterfaceId = own?.NetworkInterfaceId ?? "";
    expect(own?.Attachment?.DeleteOnTermination).toBe(true);
    call("ModifyNetworkInterfaceAttribute", {
      NetworkInterfaceId,
      Attachment: { AttachmentId: own?.Attachment?.AttachmentId, DeleteOnTermination: false },
    });
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(tester.networkInterface(NetworkInterfaceId).Status).toBe("available");
    expect(
      tester.error("ModifyNetworkInterfaceAttribute", {
        NetworkInterfaceId,
        Attachment: { AttachmentId: "eni-attach-0", DeleteOnTermination: false },
      }).code,
    ).toBe("InvalidAttachmentID.NotFound");
  });

  test("attach and detach beside the primary one, which cannot be detached (ec2-facts §4)", () => {
    const tester = createTester();
    const { call, sim, instance } = tester;
    const id = tester.boot();
    const eni = tester.anchor();
    const { AttachmentId } = call("AttachNetworkInterface", {
      NetworkInterfaceId: eni,
      InstanceId: id,
      DeviceIndex: 1,
    });
    expect(tester.networkInterface(eni)).toMatchObject({
      Status: "attaching",
      Attachment: { AttachmentId, Status: "attaching" },
    });
    sim.clock.advance(5);
    expect(instance(id).NetworkInterfaces).toHaveLength(2);
    call("DetachNetworkInterface", { AttachmentId });
    expect(tester.networkInterface(eni).Status).toBe("detaching");
    sim.clock.advance(5);
    expect(tester.networkInterface(eni).Status).toBe("available");
    const primary = instance(id).NetworkInterfaces?.[0]?.Attachment?.AttachmentId;
    expect(tester.error("DetachNetworkInterface", { AttachmentId: primary }).code).toBe(
      "OperationNotPermitted",
    );
  });

  test("do not attach across zones or at a used index", () => {
    const tester = createTester();
    const InstanceId = tester.boot();
    const attach = (NetworkInterfaceId: string, DeviceIndex: number) =>
      tester.error("AttachNetworkInterface", { NetworkInterfaceId, InstanceId, DeviceIndex }).code;
    expect(attach(tester.anchor({ SubnetId: SUBNET_B }), 1)).toBe("InvalidParameterValue");
    expect(attach(tester.anchor(), 0)).toBe("InvalidParameterValue");
  });

  test("carry their groups, description and check to every instance", () => {
    const tester = createTester();
    const { call } = tester;
    const { GroupId = "" } = call("CreateSecurityGroup", { GroupName: "web", Description: "web" });
    const eni = tester.anchor({ Groups: [GroupId], Description: "anchor" });
    call("ModifyNetworkInterfaceAttribute", {
      NetworkInterfaceId: eni,
      SourceDestCheck: { Value: false },
    });
    const id = tester.boot(onAnchor(eni));
    expect(tester.instance(id)).toMatchObject({
      SecurityGroups: [{ GroupId, GroupName: "web" }],
      SourceDestCheck: false,
      NetworkInterfaces: [{ Description: "anchor" }],
    });
  });

  test("take and give back secondary addresses", () => {
    const tester = createTester();
    const eni = tester.anchor();
    const NetworkInterfaceId = eni;
    tester.call("AssignPrivateIpAddresses", {
      NetworkInterfaceId,
      PrivateIpAddresses: ["172.31.7.7"],
    });
    expect(tester.networkInterface(eni).PrivateIpAddresses).toHaveLength(2);
    tester.call("UnassignPrivateIpAddresses", {
      NetworkInterfaceId,
      PrivateIpAddresses: ["172.31.7.7"],
    });
    expect(tester.networkInterface(eni).PrivateIpAddresses).toHaveLength(1);
  });

  test("answer who took them: the best key for adoption (ec2-facts §4)", () => {
    const tester = createTester();
    const eni = tester.anchor();
    const id = tester.launch(onAnchor(eni));
    const found = tester.call("DescribeNetworkInterfaces", {
      Filters: [{ Name: "attachment.instance-id", Values: [id] }],
    }).NetworkInterfaces;
    expect(found?.map((each) => each.NetworkInterfaceId)).toEqual([eni]);
  });
});

describe("Elastic IPs (ec2-facts §4)", () => {
  const allocated = (tester: ReturnType<typeof createTester>) =>
    tester.call("AllocateAddress", { Domain: "vpc" }).AllocationId ?? "";
  const addressOf = (tester: ReturnType<typeof createTester>, id: string) =>
    tester.call("DescribeAddresses", { AllocationIds: [id] }).Addresses?.[0];

  test("associate repeatably and show on interface and instance", () => {
    const tester = createTester();
    const { call } = tester;
    const AllocationId = allocated(tester);
    const eni = tester.anchor();
    const id = tester.boot(onAnchor(eni));
    const input = { AllocationId, NetworkInterfaceId: eni };
    const { AssociationId } = call("AssociateAddress", input);
    expect(call("AssociateAddress", input).AssociationId).toBe(AssociationId);
    const { PublicIp } = addressOf(tester, AllocationId) ?? {};
    expect(tester.instance(id).PublicIpAddress).toBe(PublicIp);
    expect(addressOf(tester, AllocationId)).toMatchObject({
      AssociationId,
      InstanceId: id,
      NetworkInterfaceId: eni,
    });
  });

  test.each([
    [true, true],
    [false, false],
  ])("with survival %s on a kept interface stay associated: %s", (survives, stays) => {
    const tester = createTester({ elasticIpSurvivesOnKeptInterface: survives });
    const AllocationId = allocated(tester);
    const eni = tester.anchor();
    const id = tester.boot(onAnchor(eni));
    tester.call("AssociateAddress", { AllocationId, NetworkInterfaceId: eni });
    tester.call("TerminateInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(60);
    expect(addressOf(tester, AllocationId)?.AssociationId !== undefined).toBe(stays);
  });

  test("are let go of by an interface that is deleted", () => {
    const tester = createTester();
    const AllocationId = allocated(tester);
    const id = tester.boot();
    tester.call("AssociateAddress", { AllocationId, InstanceId: id });
    expect(tester.error("ReleaseAddress", { AllocationId }).code).toBe("InvalidIPAddress.InUse");
    tester.call("TerminateInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(60);
    expect(addressOf(tester, AllocationId)?.AssociationId).toBeUndefined();
    tester.call("ReleaseAddress", { AllocationId });
    expect(tester.error("DescribeAddresses", { AllocationIds: [AllocationId] }).code).toBe(
      "InvalidAllocationID.NotFound",
    );
  });

  test("are not given to a pending instance", () => {
    const tester = createTester();
    const input = { AllocationId: allocated(tester), InstanceId: tester.launch() };
    expect(tester.error("AssociateAddress", input).code).toBe("IncorrectInstanceState");
  });

  test("move only where reassociation is allowed", () => {
    const tester = createTester();
    const AllocationId = allocated(tester);
    const [one, two] = [tester.anchor(), tester.anchor()];
    tester.call("AssociateAddress", { AllocationId, NetworkInterfaceId: one });
    const move = { AllocationId, NetworkInterfaceId: two };
    expect(tester.error("AssociateAddress", { ...move, AllowReassociation: false }).code).toBe(
      "Resource.AlreadyAssociated",
    );
    tester.call("AssociateAddress", move);
    expect(addressOf(tester, AllocationId)?.NetworkInterfaceId).toBe(two);
  });
});
